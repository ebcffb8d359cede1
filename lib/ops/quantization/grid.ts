// The integer grid of a byte format between real limits.
import type { QuantFormat, Rounding } from '../lower-context.ts';
import { roundHalfToEven } from '../rounding.ts';

/** How far, in steps of the grid, real zero and pad values may lie from an integer. */
export const gridTolerance = 0.05;

/** Real limits; ±Infinity where there is none. */
export interface Limits {
  readonly low: number;
  readonly high: number;
}

export const noLimits: Limits = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** What rounds real numbers to the bytes of a format; what the bytes stand for is in the format itself. */
export function roundingOf(format: QuantFormat): Rounding {
  return format.rounding ?? format;
}

/** Smallest and largest byte of reals between the limits: `round(v / scale + zero)`, inside of the grid of the format. */
export function clampedGrid(format: QuantFormat, limits: Limits, channel: number): [number, number] {
  const rounding = roundingOf(format);
  const i = rounding.scale.length === 1 ? 0 : channel;
  const [scale, zero] = [rounding.scale[i]!, rounding.zero[i]!];
  const limit = (v: number): number => Math.min(format.high, Math.max(format.low, roundHalfToEven(v / scale + zero)));
  return [limit(limits.low), limit(limits.high)];
}

/** Bounds of stored bytes as kernels take them, all lows and then all highs; undefined when they are 0 and 255. */
export function boundsOf(format: QuantFormat, limits: Limits, channels: number): Uint8Array | undefined {
  const bounds = new Uint8Array(2 * channels);
  for (let c = 0; c < channels; c++) {
    const [low, high] = clampedGrid(format, limits, c);
    bounds[c] = low;
    bounds[channels + c] = high;
  }
  return bounds.some((b, i) => b !== (i < channels ? 0 : 255)) ? bounds : undefined;
}

/** How kernels with one scale store `round(v · invScale + shift)` within the ends of the grid. */
export function storingParams(format: QuantFormat): {
  invScale: number;
  shift: number;
  byteLow: number;
  byteHigh: number;
} {
  const { scale, zero } = roundingOf(format);
  return { invScale: 1 / scale[0]!, shift: zero[0]!, byteLow: format.low, byteHigh: format.high };
}
