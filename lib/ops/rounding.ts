// Rounding of doubles to integers, by name.

/** To the nearest integer, ties to the even one; NaN, infinities and the sign of zero stay. */
export function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor === 0 && x < 0 ? -0 : floor;
  if (rest > 0.5) return floor + 1 === 0 ? -0 : floor + 1;
  if (rest !== 0.5) return x;
  const even = floor % 2 === 0 ? floor : floor + 1;
  return even === 0 && x < 0 ? -0 : even;
}

/** To the nearest integer, ties away from zero. */
export function roundHalfAwayFromZero(x: number): number {
  const magnitude = Math.abs(x);
  const floor = Math.floor(magnitude);
  return Math.sign(x) * (magnitude - floor >= 0.5 ? floor + 1 : floor);
}
