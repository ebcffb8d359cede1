// Quantiles, medians and robust means of numbers that are counted.
import { interpolate, quantilePosition } from '../engines/quantile-ranks.ts';
import type { Counted } from './bounded-multiset.ts';

/** Share of the numbers at each end that the robust means leave out. */
const outlierShare = 0.01;

/** Linear interpolation between the neighbours of position `share · (n − 1)` in ascending order, as numpy does. */
export function quantileOf(numbers: Counted, share: number): number {
  const { below, share: between } = quantilePosition(numbers.total, share);
  return interpolate(ranked(numbers, below), ranked(numbers, Math.min(numbers.total - 1, below + 1)), between);
}

/** The number of a rank, counted from 0. */
function ranked({ values, counts }: Counted, rank: number): number {
  let passed = 0;
  for (let i = 0; i < values.length; i++) {
    passed += counts[i]!;
    if (passed > rank) return values[i]!;
  }
  return values.at(-1) ?? 0;
}

/** The middle one of ascending numbers, or the mean of the two middle ones. */
export function median(sorted: Float64Array): number {
  return medianOf({ values: sorted, counts: new Uint32Array(sorted.length).fill(1), total: sorted.length });
}

/** The middle number, or the mean of the two middle ones. */
export function medianOf(numbers: Counted): number {
  return quantileOf(numbers, 0.5);
}

export function meanOf({ values, counts, total }: Counted): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * counts[i]!;
  return sum / total;
}

/** The numbers between the 1 % and the 99 % quantile, those included; both of two different ones, which would both go. */
export function withoutOutliers(numbers: Counted): Counted {
  const low = quantileOf(numbers, outlierShare);
  const high = quantileOf(numbers, 1 - outlierShare);
  const isKept = numbers.values.map((v) => (v >= low && v <= high ? 1 : 0));
  if (!isKept.includes(1)) return numbers;
  const counts = numbers.counts.filter((_, i) => isKept[i] === 1);
  return { values: numbers.values.filter((_, i) => isKept[i] === 1), counts, total: counts.reduce((a, b) => a + b, 0) };
}

/**
 * The Hodges-Lehmann estimator: half the median of the sums of all pairs of different samples; the number itself when
 * there is one. The pairs are counted, never stored: memory O(n), time O(64 n).
 *
 * @see Hodges and Lehmann 1963; the counting is that of Johnson and Mizoguchi 1978
 */
export function hodgesLehmann(numbers: Counted): number {
  const { values, total } = numbers;
  if (total === 1) return values[0]!;
  const { below, share } = quantilePosition((total * (total - 1)) / 2, 0.5);
  const low = pairSum(numbers, below);
  return (share === 0 ? low : interpolate(low, pairSum(numbers, below + 1), share)) / 2;
}

/** The sum of a rank, from 0, among the sums of all pairs: the least double that enough sums do not exceed. */
function pairSum(numbers: Counted, rank: number): number {
  const { values } = numbers;
  let low = orderOf(2 * values[0]!);
  let high = orderOf(2 * values.at(-1)!);
  while (low < high) {
    const middle = (low + high) >> 1n;
    if (pairsUpTo(numbers, doubleOf(middle)) > rank) high = middle;
    else low = middle + 1n;
  }
  return doubleOf(low);
}

/** Pairs of different samples whose sum is at most `limit`. */
function pairsUpTo({ values, counts, total }: Counted, limit: number): number {
  let pairs = 0;
  let partner = values.length;
  let before = total;
  for (let i = 0; i < values.length; i++) {
    while (partner > 0 && values[i]! + values[partner - 1]! > limit) before -= counts[--partner]!;
    // `before` samples make a small enough sum with each of these; a sample makes no pair with itself.
    pairs += counts[i]! * (before - (partner > i ? 1 : 0));
  }
  return pairs / 2;
}

const double = new Float64Array(1);
const bitsOfDouble = new BigInt64Array(double.buffer);
const signBit = 1n << 63n;

/** Integers in the order of the doubles. */
function orderOf(value: number): bigint {
  double[0] = value + 0;
  const bits = bitsOfDouble[0]!;
  return bits < 0n ? -(bits + signBit) : bits;
}

function doubleOf(order: bigint): number {
  bitsOfDouble[0] = order < 0n ? -order - signBit : order;
  return double[0]!;
}
