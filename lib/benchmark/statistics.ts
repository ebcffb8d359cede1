// Numbers out of repeated measurements.
import { random } from '../util/random.ts';

export interface LatencySummary {
  readonly min: number;
  readonly median: number;
  readonly mean: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
}

/** The value below which a share `q` of the sorted values lies, interpolated. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low);
}

export function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}

export function summarize(values: readonly number[]): LatencySummary {
  const sorted = Float64Array.from(values).sort();
  return {
    min: sorted[0] ?? Number.NaN,
    median: quantile(sorted, 0.5),
    mean: sorted.reduce((a, b) => a + b, 0) / sorted.length,
    p90: quantile(sorted, 0.9),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
  };
}

/**
 * 95 % interval of median(a) / median(b) over rounds that were measured in turns, by a seeded bootstrap over rounds.
 *
 * @param a,b  one value a round, in the same order
 */
export function ratioInterval(a: readonly number[], b: readonly number[], resamples = 1000): [number, number] {
  const r = random(1);
  const ratios = new Float64Array(resamples);
  for (let i = 0; i < resamples; i++) {
    const picked = Array.from(a, () => r.int(0, a.length));
    ratios[i] = median(picked.map((k) => a[k]!)) / median(picked.map((k) => b[k]!));
  }
  ratios.sort();
  return [quantile(ratios, 0.025), quantile(ratios, 0.975)];
}
