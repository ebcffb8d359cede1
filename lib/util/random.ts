/** A seeded stream of pseudo-random numbers: the same seed gives the same numbers on every machine. */
export interface Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  next(): number;
  /** Integer, uniform in [low, high). */
  int(low: number, high: number): number;
  /** Normal distribution with mean 0 and standard deviation 1 (Box-Muller). */
  normal(): number;
}

/** xorshift128 seeded by splitmix32 (Marsaglia 2003). */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const split = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let x = split();
  let y = split();
  let z = split();
  let w = split() | 1;
  const next = (): number => {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = (w ^ (w >>> 19) ^ t ^ (t >>> 8)) >>> 0;
    return w / 4294967296;
  };
  return {
    next,
    int: (low, high) => low + Math.floor(next() * (high - low)),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}
