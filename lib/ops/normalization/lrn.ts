// LRN: local response normalisation.
import * as z from 'zod';
import { fromFloat64, toFloat64, toIntegers } from '../../tensor/convert.ts';
import { stridesOf } from '../../tensor/shape.ts';
import { float, int } from '../attribute.ts';
import { normalizeAxes } from '../axes.ts';
import { defineOp } from '../define-op.ts';
import { inputFact } from '../fact.ts';

const attributes = z.object({ alpha: float, beta: float, bias: float.default(1), size: int });

/** Sums over a window of `before` elements in front and `behind` elements after each position of one axis. */
function windowSums(values: Float64Array, size: number, stride: number, before: number, behind: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / stride) % size;
    let sum = 0;
    for (let k = -Math.min(before, at); k <= Math.min(behind, size - 1 - at); k++) sum += values[i + k * stride]!;
    out[i] = sum;
  }
  return out;
}

/**
 * `y = x / (bias + alpha / size^n · Σ x²)^beta`, the sum over a window of `size` elements around x on each of the n axes
 * at input 1, cut off at the edges. An even window has its extra element behind x.
 */
export const lrn = defineOp({
  type: 'LRN',
  opset: 'opset1',
  attributes,
  inputs: [2, 2],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    return [{ type, shape }];
  },
  evaluate: (a, [x, axesInput]) => {
    const data = toFloat64(x!);
    const axes = normalizeAxes(toIntegers(axesInput!), x!.shape.length);
    const strides = stridesOf(x!.shape);
    let sums: Float64Array = data.map((v) => v * v);
    const [before, behind] = [Math.floor((a.size - 1) / 2), Math.ceil((a.size - 1) / 2)];
    for (const axis of axes) sums = windowSums(sums, x!.shape[axis]!, strides[axis]!, before, behind);
    const factor = a.alpha / a.size ** axes.length;
    for (let i = 0; i < data.length; i++) data[i]! /= (a.bias + factor * sums[i]!) ** a.beta;
    return [fromFloat64(data, x!.shape, x!.type)];
  },
});
