// How much two tensors differ: the measures that tests, statistics and reports share.
import { LowpError } from '../errors/lowp-error.ts';
import { toFloat64 } from './convert.ts';
import { formatShape, sameShape } from './shape.ts';
import type { Tensor } from './tensor.ts';

function elements(a: Tensor, b: Tensor): [Float64Array, Float64Array] {
  if (!sameShape(a.shape, b.shape)) {
    throw new LowpError(
      'ERR_SHAPE_MISMATCH',
      `tensors of shape ${formatShape(a.shape)} and ${formatShape(b.shape)} are compared`,
    );
  }
  return [toFloat64(a), toFloat64(b)];
}

/**
 * `max |a − b|`; equal elements, equal infinities and NaN on both sides differ by 0, NaN on one side by ∞, strings by 0 or
 * ∞. 0 when empty.
 *
 * @throws {LowpError} `ERR_SHAPE_MISMATCH`, as all functions here
 */
export function maxAbsError(a: Tensor, b: Tensor): number {
  if (a.type === 'string' && b.type === 'string') return bitEqual(a, b) ? 0 : Number.POSITIVE_INFINITY;
  const [x, y] = elements(a, b);
  let most = 0;
  for (let i = 0; i < x.length; i++) {
    if (Object.is(x[i], y[i]) || x[i] === y[i]) continue;
    const difference = Math.abs(x[i]! - y[i]!);
    most = Math.max(most, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return most;
}

/** `max |a − reference|` divided by the range `max − min` of the reference; 0 for equal tensors, ∞ without a range. */
export function maxRelativeToRange(a: Tensor, reference: Tensor): number {
  const error = maxAbsError(a, reference);
  if (error === 0) return 0;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of toFloat64(reference)) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return high > low ? error / (high - low) : Number.POSITIVE_INFINITY;
}

/**
 * Signal to quantization noise ratio in dB: `10 log10(Σ reference² / Σ (reference − a)²)`; ∞ for equal tensors, −∞ for a
 * reference of zeros that a misses.
 */
export function sqnr(a: Tensor, reference: Tensor): number {
  const [x, y] = elements(a, reference);
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < x.length; i++) {
    signal += y[i]! * y[i]!;
    noise += (y[i]! - x[i]!) ** 2;
  }
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

/** `Σ a·b / √(Σ a² · Σ b²)`; 1 when both are zero everywhere, 0 when one is. */
export function cosine(a: Tensor, b: Tensor): number {
  const [x, y] = elements(a, b);
  let product = 0;
  let left = 0;
  let right = 0;
  for (let i = 0; i < x.length; i++) {
    product += x[i]! * y[i]!;
    left += x[i]! * x[i]!;
    right += y[i]! * y[i]!;
  }
  if (left === 0 || right === 0) return left === right ? 1 : 0;
  return product / (Math.sqrt(left) * Math.sqrt(right));
}

/** Same type, same shape, same bytes: −0 and 0 differ, NaNs are equal when their bits are. */
export function bitEqual(a: Tensor, b: Tensor): boolean {
  if (a.type !== b.type || !sameShape(a.shape, b.shape)) return false;
  const x = new Uint8Array(a.data.buffer, a.data.byteOffset, a.data.byteLength);
  const y = new Uint8Array(b.data.buffer, b.data.byteOffset, b.data.byteLength);
  return Buffer.compare(x, y) === 0;
}
