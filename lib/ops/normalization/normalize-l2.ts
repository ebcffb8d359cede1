// NormalizeL2: divides by the Euclidean norm over axes.
import * as z from 'zod';
import { fromFloat64, toFloat64, toIntegers } from '../../tensor/convert.ts';
import { elementCount } from '../../tensor/shape.ts';
import { enumeration, float } from '../attribute.ts';
import { normalizeAxes } from '../axes.ts';
import { expandedStrides, stridedOffsets } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { inputFact } from '../fact.ts';

const attributes = z.object({ eps: float, eps_mode: enumeration(['add', 'max']).default('add') });

/** x / √(Σ x² + eps), or x / √max(Σ x², eps), sums over the axes at input 1; over all axes when it is empty. */
export const normalizeL2 = defineOp({
  type: 'NormalizeL2',
  opset: 'opset1',
  attributes,
  inputs: [2, 2],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    return [{ type, shape }];
  },
  evaluate: (a, [x, axesInput]) => {
    const axes = normalizeAxes(toIntegers(axesInput!), x!.shape.length);
    const kept = x!.shape.map((d, i) => (axes.length === 0 || axes.includes(i) ? 1 : d));
    const group = stridedOffsets(x!.shape, expandedStrides(kept, x!.shape));
    const data = toFloat64(x!);
    const sums = new Float64Array(elementCount(kept));
    for (let i = 0; i < data.length; i++) sums[group[i]!]! += data[i]! * data[i]!;
    const norms = sums.map((s) => Math.sqrt(a.eps_mode === 'add' ? s + a.eps : Math.max(s, a.eps)));
    for (let i = 0; i < data.length; i++) data[i]! /= norms[group[i]!]!;
    return [fromFloat64(data, x!.shape, x!.type)];
  },
  quantization: { quantizedPorts: [0] },
});
