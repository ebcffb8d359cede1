// ScatterUpdate, ScatterElementsUpdate and ScatterNDUpdate: replace parts of a tensor.
import { z } from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { toIntegers } from '../../tensor/convert.ts';
import { elementCount, formatShape, normalizeAxis, sameShape, stridesOf } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, enumeration, noAttributes } from '../attribute.ts';
import { stridedOffsets } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { commonType, type Facts, inputFact } from '../fact.ts';
import { positionOn, put, reduceInto } from './put.ts';

/** The output is the data with other values. */
function infer(inputs: Facts) {
  const [x, updates] = [inputFact(inputs, 0), inputFact(inputs, 2)];
  return [{ type: commonType(x, updates), shape: x.shape }];
}

function requireUpdates(updates: Tensor, expected: readonly number[]): void {
  if (elementCount(updates.shape) === elementCount(expected)) return;
  const [got, wanted] = [formatShape(updates.shape), formatShape(expected)];
  throw new LowpError('ERR_SHAPE_MISMATCH', `the updates have shape ${got}, expected ${wanted}`);
}

/** Slices `indices` of `axis` are replaced: updates have the shape data[:axis] + indices + data[axis+1:]. */
export const scatterUpdate = defineOp({
  type: 'ScatterUpdate',
  opset: 'opset3',
  attributes: noAttributes,
  inputs: [4, 4],
  infer: (_, inputs) => infer(inputs),
  evaluate: (_, [x, indices, updates, axisInput]) => {
    const { shape } = x!;
    const axis = normalizeAxis(toIntegers(axisInput!)[0]!, shape.length);
    const list = toIntegers(indices!).map((i) => positionOn(i, shape[axis]!));
    requireUpdates(updates!, [...shape.slice(0, axis), ...indices!.shape, ...shape.slice(axis + 1)]);
    const outer = elementCount(shape.slice(0, axis));
    const inner = elementCount(shape.slice(axis + 1));
    const target = new Int32Array(outer * list.length * inner);
    let at = 0;
    for (let o = 0; o < outer; o++) {
      for (const i of list) {
        for (let n = 0; n < inner; n++) target[at++] = (o * shape[axis]! + i) * inner + n;
      }
    }
    return [put(x!, target, updates!)];
  },
});

/** Where each update goes: to the same place of the data, but to `indices[…]` on `axis`. */
function elementTargets(x: Tensor, indices: Tensor, updates: Tensor, axisInput: Tensor): Int32Array {
  const { shape } = x;
  const axis = normalizeAxis(toIntegers(axisInput)[0]!, shape.length);
  if (!sameShape(indices.shape, updates.shape) || indices.shape.length !== shape.length) {
    const [a, b] = [formatShape(indices.shape), formatShape(updates.shape)];
    throw new LowpError('ERR_SHAPE_MISMATCH', `indices ${a} and updates ${b} do not fit data ${formatShape(shape)}`);
  }
  const strides = stridesOf(shape);
  const base = stridedOffsets(
    indices.shape,
    strides.map((s, i) => (i === axis ? 0 : s)),
  );
  const list = toIntegers(indices);
  return base.map((offset, i) => offset + positionOn(list[i]!, shape[axis]!) * strides[axis]!);
}

/** Element `[…]` of the updates replaces the one at the same place of the data, but at `indices[…]` on `axis`. */
export const scatterElementsUpdate3 = defineOp({
  type: 'ScatterElementsUpdate',
  opset: 'opset3',
  attributes: noAttributes,
  inputs: [4, 4],
  infer: (_, inputs) => infer(inputs),
  evaluate: (_, [x, indices, updates, axis]) => [put(x!, elementTargets(x!, indices!, updates!, axis!), updates!)],
});

/** ScatterElementsUpdate that may reduce; `use_init_val` false leaves out what was there. */
export const scatterElementsUpdate12 = defineOp({
  type: 'ScatterElementsUpdate',
  opset: 'opset12',
  attributes: z.object({
    reduction: enumeration(['none', 'sum', 'prod', 'min', 'max', 'mean']).default('none'),
    use_init_val: bool.default(true),
  }),
  inputs: [4, 4],
  infer: (_, inputs) => infer(inputs),
  evaluate: (a, [x, indices, updates, axis]) => {
    const target = elementTargets(x!, indices!, updates!, axis!);
    return [reduceInto(x!, target, updates!, a.reduction, a.use_init_val)];
  },
});

/** Element positions of the slices that the last axis of the indices names. */
function sliceTargets(x: Tensor, indices: Tensor, updates: Tensor): Int32Array {
  const { shape } = x;
  const depth = indices.shape.at(-1) ?? 1;
  if (depth > shape.length) {
    throw new LowpError('ERR_SHAPE_RANK', `indices of ${depth} axes for data ${formatShape(shape)}`);
  }
  const inner = elementCount(shape.slice(depth));
  const strides = stridesOf(shape);
  const list = toIntegers(indices);
  const places = depth === 0 ? 0 : list.length / depth;
  requireUpdates(updates, [...indices.shape.slice(0, -1), ...shape.slice(depth)]);
  const target = new Int32Array(places * inner);
  for (let p = 0; p < places; p++) {
    let offset = 0;
    for (let d = 0; d < depth; d++) offset += positionOn(list[p * depth + d]!, shape[d]!) * strides[d]!;
    for (let n = 0; n < inner; n++) target[p * inner + n] = offset + n;
  }
  return target;
}

/** The last axis of the indices is a place in the leading axes of the data; the slice or element there is replaced. */
export const scatterNdUpdate4 = defineOp({
  type: 'ScatterNDUpdate',
  opset: 'opset4',
  attributes: noAttributes,
  inputs: [3, 3],
  infer: (_, inputs) => infer(inputs),
  evaluate: (_, [x, indices, updates]) => [put(x!, sliceTargets(x!, indices!, updates!), updates!)],
});

/** ScatterNDUpdate that may reduce. */
export const scatterNdUpdate15 = defineOp({
  type: 'ScatterNDUpdate',
  opset: 'opset15',
  attributes: z.object({
    reduction: enumeration(['none', 'sum', 'sub', 'prod', 'min', 'max']).default('none'),
  }),
  inputs: [3, 3],
  infer: (_, inputs) => infer(inputs),
  evaluate: (a, [x, indices, updates]) => [reduceInto(x!, sliceTargets(x!, indices!, updates!), updates!, a.reduction)],
});
