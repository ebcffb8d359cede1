// How wide a quantizer is: from observed or stored extremes to the limits of a FakeQuantize.
import { LowpError } from '../errors/lowp-error.ts';
import { roundHalfToEven } from '../ops/rounding.ts';
import type { Limits } from './params.ts';

/** Extremes of a value; one entry, or one for each channel. */
export interface Extremes {
  readonly min: ArrayLike<number>;
  readonly max: ArrayLike<number>;
}

/** Least half-width of a symmetric range, absolute and relative to the widest channel. */
const leastSymmetric = 8e-5;
const leastShare = 0.01;
/** Asymmetric ranges up to this width are widened by it on both sides. */
const leastAsymmetric = 8e-4;

/**
 * Limits of symmetric weights: `high = max |w|` per channel, `low = −high`.
 *
 * A channel narrower than 1 % of the widest one, or than 8e-5, is widened to that, so that no scale vanishes.
 *
 * @param absMax  largest magnitude of each channel
 */
export function symmetricWeightLimits(absMax: ArrayLike<number>): Limits {
  const high = Float32Array.from(repairSymmetric(absMax));
  return { low: high.map((v) => -v), high };
}

/**
 * Limits of symmetric activations.
 *
 * `high = max`. When no minimum is negative and the grid is not signed: `low = 0`. Otherwise
 * `low = −high · levels / (levels − 2)`, so that the step is `high / (levels / 2 − 1)` and zero lies on the grid.
 *
 * @param extremes  `max` holds the largest magnitudes
 */
export function symmetricActivationLimits(extremes: Extremes, levels: number, isSigned = false): Limits {
  const high = repairSymmetric(extremes.max);
  const isPositive = !isSigned && everyNumber(extremes.min, (v) => v >= 0);
  const low = isPositive ? high.map(() => 0) : high.map((v) => -(v * levels) / (levels - 2));
  return { low: Float32Array.from(low), high: Float32Array.from(high) };
}

/** `max(max, 8e-5, 0.01 · the largest max)` for each channel. */
function repairSymmetric(max: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(max);
  const floor = Math.max(leastSymmetric, leastShare * values.reduce((a, b) => Math.max(a, b), 0));
  return values.map((v) => Math.max(v, floor));
}

/**
 * Limits of an asymmetric quantizer: the extremes, widened to hold zero, with one border moved outward until zero is on
 * the grid.
 *
 * Widths up to 8e-4 grow by 8e-4 on both sides first.
 */
export function asymmetricLimits(extremes: Extremes, levels: number): Limits {
  const { min, max } = repairAsymmetric(extremes);
  for (let c = 0; c < min.length; c++) [min[c], max[c]] = tuneToZero(min[c]!, max[c]!, levels);
  return { low: Float32Array.from(min), high: Float32Array.from(max) };
}

/**
 * As {@link asymmetricLimits} with one zero point for all channels: the rounded mean of the channels' own.
 *
 * @throws {LowpError} `ERR_ALGO_UNSUPPORTED` when the mean rounds to an end of the grid while a channel needs both signs
 */
export function unifiedZeroPointLimits(extremes: Extremes, levels: number): Limits {
  const { min, max } = repairAsymmetric(extremes);
  const last = levels - 1;
  let sum = 0;
  for (let c = 0; c < min.length; c++) sum += (-min[c]! * last) / (max[c]! - min[c]!);
  const zero = roundHalfToEven(sum / min.length);
  for (let c = 0; c < min.length; c++) {
    if ((zero === 0 && min[c]! < 0) || (zero === last && max[c]! > 0)) {
      throw new LowpError('ERR_ALGO_UNSUPPORTED', 'the channels are too different to share one zero point');
    }
    [min[c], max[c]] = moveBorder(min[c]!, max[c]!, zero, last);
  }
  return { low: Float32Array.from(min), high: Float32Array.from(max) };
}

function repairAsymmetric(extremes: Extremes): { min: Float64Array; max: Float64Array } {
  const min = Float64Array.from(extremes.min);
  const max = Float64Array.from(extremes.max);
  for (let c = 0; c < min.length; c++) {
    if (max[c]! - min[c]! <= leastAsymmetric) {
      max[c]! += leastAsymmetric;
      min[c]! -= leastAsymmetric;
    }
    min[c] = Math.min(min[c]!, 0);
    max[c] = Math.max(max[c]!, 0);
  }
  return { min, max };
}

/** Share of a step up to which an offset of zero is left alone: it changes no rounding that matters. */
const negligibleOffset = 0.01;

/**
 * Moves one border so that zero falls on the grid of `levels` points.
 *
 * With `L = levels − 1`, `z = round(−min · L / (max − min))`: either `min = z / (z − L) · max`, or
 * `max = (z − L) / z · min`, whichever makes the wider range. When z rounds to an end of the grid, the border at that end
 * is at most half a step from zero: it becomes zero, unless it is within a hundredth of a step already.
 *
 * @param min  at most 0
 * @param max  at least 0, more than `min`
 */
export function tuneToZero(min: number, max: number, levels: number): [number, number] {
  const last = levels - 1;
  const exact = (-min * last) / (max - min);
  const zero = roundHalfToEven(exact);
  if (zero > 0 && zero < last) return moveBorder(min, max, zero, last);
  if (Math.abs(exact - zero) <= negligibleOffset) return [min, max];
  return zero === 0 ? [0, max] : [min, 0];
}

function moveBorder(min: number, max: number, zero: number, last: number): [number, number] {
  const lower = zero < last ? (zero / (zero - last)) * max : min;
  const upper = zero > 0 ? ((zero - last) / zero) * min : max;
  return max - lower > upper - min ? [lower, max] : [min, upper];
}

function everyNumber(values: ArrayLike<number>, claim: (value: number) => boolean): boolean {
  for (let i = 0; i < values.length; i++) if (!claim(values[i]!)) return false;
  return true;
}
