// ScatterUpdate, ScatterElementsUpdate and ScatterNDUpdate: replace parts of a tensor.
import * as z from 'zod';
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
    const target = new Int32Array(outer * list.length);
    let at = 0;
    for (let o = 0; o < outer; o++) for (const i of list) target[at++] = o * shape[axis]! + i;
    return [put(x!, target, updates!, elementCount(shape.slice(axis + 1)))];
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

interface Slices {
  /** Positions, in slices. */
  readonly target: Int32Array;
  /** Elements of a slice. */
  readonly size: number;
}

/** The slices that the last axis of the indices names. */
function namedSlices(x: Tensor, indices: Tensor, updates: Tensor): Slices {
  const { shape } = x;
  const depth = indices.shape.at(-1) ?? 1;
  if (depth > shape.length) {
    throw new LowpError('ERR_SHAPE_RANK', `indices of ${depth} axes for data ${formatShape(shape)}`);
  }
  const strides = stridesOf(shape.slice(0, depth));
  const list = toIntegers(indices);
  requireUpdates(updates, [...indices.shape.slice(0, -1), ...shape.slice(depth)]);
  const target = new Int32Array(depth === 0 ? 0 : list.length / depth);
  for (let p = 0; p < target.length; p++) {
    let offset = 0;
    for (let d = 0; d < depth; d++) offset += positionOn(list[p * depth + d]!, shape[d]!) * strides[d]!;
    target[p] = offset;
  }
  return { target, size: elementCount(shape.slice(depth)) };
}

/** Element by element. */
function elementsOf({ target, size }: Slices): Int32Array {
  const elements = new Int32Array(target.length * size);
  for (let i = 0; i < elements.length; i++) elements[i] = target[Math.floor(i / size)]! * size + (i % size);
  return elements;
}

/** The last axis of the indices is a place in the leading axes of the data; the slice or element there is replaced. */
export const scatterNdUpdate4 = defineOp({
  type: 'ScatterNDUpdate',
  opset: 'opset4',
  attributes: noAttributes,
  inputs: [3, 3],
  infer: (_, inputs) => infer(inputs),
  evaluate: (_, [x, indices, updates]) => {
    const { target, size } = namedSlices(x!, indices!, updates!);
    return [put(x!, target, updates!, size)];
  },
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
  evaluate: (a, [x, indices, updates]) => {
    const slices = namedSlices(x!, indices!, updates!);
    return [reduceInto(x!, elementsOf(slices), updates!, a.reduction)];
  },
});
