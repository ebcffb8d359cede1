// Geometry of transposed convolutions: output size from padding, or padding from a wanted output size.
import type * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Shape } from '../../tensor/shape.ts';
import { intList } from '../attribute.ts';
import { axisList, type Window } from '../window.ts';
import { convolutionAttributes } from './geometry.ts';

export const backpropAttributes = convolutionAttributes.extend({ output_padding: intList.default([]) });

export type BackpropAttributes = z.infer<typeof backpropAttributes>;

/**
 * The window of a transposed convolution, `input` being the small side.
 *
 * Without `wanted`: `out = stride · (in − 1) + reach − begin − end + output_padding`, padding 0 unless explicit.
 * With `wanted` sizes: those are the output; `same_*` derive the padding from them, the odd element at the beginning for
 * `same_upper` and at the end for `same_lower`.
 *
 * @throws {LowpError} `ERR_SHAPE_MISMATCH` when the output would be empty
 */
export function backpropWindow(a: BackpropAttributes, input: Shape, kernel: Shape, wanted?: readonly number[]): Window {
  const rank = input.length;
  const strides = axisList(a.strides, rank, 1, 1, 'strides');
  const dilations = axisList(a.dilations, rank, 1, 1, 'dilations');
  const extra = axisList(a.output_padding, rank, 0, 0, 'output_padding');
  const same = a.auto_pad === 'same_upper' || a.auto_pad === 'same_lower';
  const explicit = !same && a.auto_pad !== 'valid';
  const padsBegin = axisList(explicit ? a.pads_begin : [], rank, 0, Number.MIN_SAFE_INTEGER, 'pads_begin');
  const padsEnd = axisList(explicit ? a.pads_end : [], rank, 0, Number.MIN_SAFE_INTEGER, 'pads_end');
  if (wanted && wanted.length !== rank) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `output_shape has ${wanted.length} entries for ${rank} spatial axes`);
  }
  const output = input.map((size, i) => {
    if (wanted && (!same || size < 0)) return wanted[i]!;
    if (size < 0) return -1;
    const full = strides[i]! * (size - 1) + (kernel[i]! - 1) * dilations[i]! + 1 + extra[i]!;
    if (!wanted) return full - padsBegin[i]! - padsEnd[i]!;
    const total = Math.max(0, full - wanted[i]!);
    const half = Math.floor(total / 2);
    padsBegin[i] = a.auto_pad === 'same_upper' ? total - half : half;
    padsEnd[i] = total - padsBegin[i]!;
    return wanted[i]!;
  });
  const empty = output.findIndex((d, i) => d < 1 && input[i]! >= 0);
  if (empty >= 0)
    throw new LowpError('ERR_SHAPE_MISMATCH', `the output has size ${output[empty]} on spatial axis ${empty}`);
  return { input, kernel, strides, dilations, padsBegin, padsEnd, output };
}
