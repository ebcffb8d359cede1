// The error function in doubles.

/**
 * `erf(x) = 2/√π ∫₀ˣ exp(−t²) dt`, to about 1e-15.
 *
 * For |x| < 3: the series `2/√π · exp(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1))`, whose terms are all positive; beyond:
 * `1 − erfc`, with erfc from its continued fraction.
 *
 * @see Abramowitz and Stegun, 7.1.6 and 7.1.14
 */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (!(z < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  if (z < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = z;
  for (let n = 60; n > 0; n--) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * fraction));
}
