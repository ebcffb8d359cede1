// Attributes and geometry that MaxPool and AvgPool share.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Shape } from '../../tensor/shape.ts';
import { autoPad, enumeration, intList } from '../attribute.ts';
import { requireRank } from '../fact.ts';
import { resolveWindow, type Window } from '../window.ts';

export const poolAttributes = z.object({
  kernel: intList,
  strides: intList.default([]),
  pads_begin: intList.default([]),
  pads_end: intList.default([]),
  rounding_type: enumeration(['floor', 'ceil', 'ceil_torch']).default('floor'),
  auto_pad: autoPad,
});

export type PoolAttributes = z.infer<typeof poolAttributes>;

/**
 * The window over the axes behind batch and channels.
 *
 * @throws {LowpError} `ERR_OP_ATTRIBUTE` for negative padding
 */
export function poolWindow(a: PoolAttributes & { dilations?: readonly number[] }, x: Shape): Window {
  requireRank(x, 3, 5);
  if ([...a.pads_begin, ...a.pads_end].some((p) => p < 0)) {
    throw new LowpError('ERR_OP_ATTRIBUTE', 'padding of a pooling window cannot be negative');
  }
  return resolveWindow(a, x.slice(2), a.kernel);
}

/** A window reduced to three spatial axes, and the positions of one axis inside the input for each output index. */
export interface PoolAxes {
  readonly input: readonly [number, number, number];
  readonly output: readonly [number, number, number];
  /** `inside[axis][o]`: input positions under the window at output `o`, in order. */
  readonly inside: readonly [readonly number[][], readonly number[][], readonly number[][]];
}

/** Expands a window into the positions that it covers. */
export function poolAxes(w: Window): PoolAxes {
  const lead = 3 - w.input.length;
  const positions = (axis: number): number[][] => {
    const i = axis - lead;
    if (i < 0) return [[0]];
    return Array.from({ length: w.output[i]! }, (_, o) => {
      const first = o * w.strides[i]! - w.padsBegin[i]!;
      const all = Array.from({ length: w.kernel[i]! }, (_, k) => first + k * w.dilations[i]!);
      return all.filter((p) => p >= 0 && p < w.input[i]!);
    });
  };
  const size = (sizes: readonly number[], axis: number): number => (axis < lead ? 1 : sizes[axis - lead]!);
  return {
    input: [size(w.input, 0), size(w.input, 1), size(w.input, 2)],
    output: [size(w.output, 0), size(w.output, 1), size(w.output, 2)],
    inside: [positions(0), positions(1), positions(2)],
  };
}
