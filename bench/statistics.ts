// Ratios out of rounds in which all contestants had a turn, and how far numbers scatter.
import { median, ratioInterval } from '../lib/benchmark/statistics.ts';

export interface Ratio {
  readonly value: number;
  readonly ci95: readonly [number, number];
}

/** How many times faster `b` is than `a`: median over rounds of a ÷ b, and its interval by a bootstrap over rounds. */
export function speedRatio(a: readonly number[], b: readonly number[]): Ratio {
  const perRound = a.map((x, i) => x / b[i]!);
  const ones = perRound.map(() => 1);
  return { value: median(perRound), ci95: ratioInterval(perRound, ones) };
}

/** `1.23 (1.20–1.26)` */
export function ratioText(r: Ratio): string {
  return `${r.value.toFixed(2)} (${r.ci95[0].toFixed(2)}–${r.ci95[1].toFixed(2)})`;
}

/** Mean, and standard deviation of a single number (0 for one number). */
export function spread(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}
