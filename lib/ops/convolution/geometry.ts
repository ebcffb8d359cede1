// Shared by the convolution family: attributes, and the geometry of one call reduced to three spatial axes.
import * as z from 'zod';
import { autoPad, intList } from '../attribute.ts';
import { type TapRange, tapRanges, type Window } from '../window.ts';

/** Attributes of all convolutions. Unknown ones that real files carry are dropped. */
export const convolutionAttributes = z.object({
  strides: intList.default([]),
  dilations: intList.default([]),
  pads_begin: intList.default([]),
  pads_end: intList.default([]),
  auto_pad: autoPad,
});

export type ConvolutionAttributes = z.infer<typeof convolutionAttributes>;

/** Channels of one call: `groups` independent convolutions of `inputs` to `outputs` channels each. */
export interface Channels {
  readonly batch: number;
  readonly groups: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** Three spatial axes, the outer ones of size 1 where the operation has fewer; `taps[axis][k]` as in {@link tapRanges}. */
export interface Taps {
  /** Sizes that a tap position runs over: outputs forwards, inputs backwards. */
  readonly near: readonly [number, number, number];
  /** Sizes that a tap reaches into: inputs forwards, outputs backwards. */
  readonly far: readonly [number, number, number];
  readonly kernel: readonly [number, number, number];
  readonly stride: readonly [number, number, number];
  readonly taps: readonly [readonly TapRange[], readonly TapRange[], readonly TapRange[]];
}

/** Three axes from up to three, filled with `fill` in front. */
function three(values: readonly number[], fill: number): [number, number, number] {
  const padded = [fill, fill, fill, ...values].slice(-3);
  return [padded[0]!, padded[1]!, padded[2]!];
}

/**
 * Which inputs each tap of a window meets. A window of one element without stride and padding sees all its spatial axes
 * as one.
 */
export function windowTaps(w: Window, direction: 'forward' | 'backward'): Taps {
  const near = direction === 'forward' ? w.output : w.input;
  const far = direction === 'forward' ? w.input : w.output;
  const plain =
    w.kernel.every((k) => k === 1) &&
    w.strides.every((s) => s === 1) &&
    near.every((d, i) => d === far[i] && w.padsBegin[i] === 0);
  const merge = (sizes: readonly number[]): readonly number[] => (plain ? [sizes.reduce((a, b) => a * b, 1)] : sizes);
  const [n, f] = [three(merge(near), 1), three(merge(far), 1)];
  const kernel = plain ? three([1], 1) : three(w.kernel, 1);
  const stride = plain ? three([1], 1) : three(w.strides, 1);
  const dilation = plain ? three([1], 1) : three(w.dilations, 1);
  const pad = plain ? three([0], 0) : three(w.padsBegin, 0);
  const axis = (i: 0 | 1 | 2): TapRange[] =>
    tapRanges(kernel[i], { stride: stride[i], dilation: dilation[i], pad: pad[i] }, n[i], f[i]);
  return { near: n, far: f, kernel, stride, taps: [axis(0), axis(1), axis(2)] };
}
