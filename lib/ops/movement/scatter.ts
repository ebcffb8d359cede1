// ScatterUpdate, ScatterElementsUpdate and ScatterNDUpdate: replace parts of a tensor.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { toIntegers } from '../../tensor/convert.ts';
import { elementCount, formatShape, normalizeAxis, type Shape, sameShape, stridesOf } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, enumeration, noAttributes } from '../attribute.ts';
import { stridedOffsets } from '../broadcast.ts';
import { defineOp, type RuntimeTraits } from '../define-op.ts';
import { commonType, type Facts, inputFact, knownIntegers } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { canPick, type Picks } from './emit-picks.ts';
import {
  elementPicks,
  lowerScatter,
  lowerScatterReduce,
  namedPicks,
  reducedTypes,
  reduceRuntime,
  scatterRuntime,
  slicePicks,
} from './lower-picks.ts';
import { positionOn, put, type Reduction, reduceInto } from './put.ts';

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
  lower: (_, node, context) => lowerScatter(node, context, updatedSlices(node)!),
  canLower: (_, node) => canScatter(node, updatedSlices(node)),
  runtime: scatterRuntime,
});

function canScatter(node: Node, picks: Picks | undefined): boolean {
  const updates = node.source(2)!.fact;
  if (!picks || !canPick(node, picks) || updates.type !== node.source(0)!.fact.type) return false;
  return elementCount(updates.shape) === picks.axes.reduce((count, a) => count * a.count, picks.block);
}

/** Elements that the kernel reduces into: each is a double, and perhaps a count, besides the data itself. */
const mostReduced = 2 ** 24;

function canScatterBy(by: Reduction, node: Node, picks: Picks | undefined): boolean {
  const { type, shape } = node.source(0)!.fact;
  const fits = by === 'none' || (reducedTypes.includes(type) && elementCount(shape) <= mostReduced);
  return fits && canScatter(node, picks);
}

function lowerBy(by: Reduction, keepsOld: boolean, node: Node, context: LowerContext, picks: Picks): void {
  if (by === 'none') lowerScatter(node, context, picks);
  else lowerScatterReduce(node, context, picks, { by, keepsOld });
}

/** Bytes pass where nothing is computed. */
const reducingRuntime = {
  bytesModes: ['move', 'never'] as const,
  runtime: (node: Node): RuntimeTraits => (node.attributes.reduction === 'none' ? scatterRuntime : reduceRuntime),
};

/** Undefined while the axis is not known. */
function axisOf(node: Node): number | undefined {
  const axis = knownIntegers(node.source(3)?.fact)?.[0];
  return axis === undefined ? undefined : normalizeAxis(axis, node.source(0)!.fact.shape.length);
}

function updatedSlices(node: Node): Picks | undefined {
  const axis = axisOf(node);
  return axis === undefined ? undefined : slicePicks(node.source(0)!.fact.shape, axis, node.source(1)!.fact.shape);
}

/** Undefined as well where the indices reach beyond another axis of the data, or have another shape than the updates. */
function updatedElements(node: Node): Picks | undefined {
  const axis = axisOf(node);
  const [x, indices, updates] = [0, 1, 2].map((i) => node.source(i)!.fact.shape) as [Shape, Shape, Shape];
  const fits = indices.length === x.length && indices.every((d, i) => i === axis || d <= x[i]!);
  return axis !== undefined && fits && sameShape(indices, updates) ? elementPicks(x, axis, indices) : undefined;
}

function updatedPlaces(node: Node): Picks | undefined {
  const [x, indices] = [node.source(0)!.fact.shape, node.source(1)!.fact.shape];
  return (indices.at(-1) ?? 0) <= x.length && indices.length > 0 ? namedPicks(x, indices) : undefined;
}

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
  lower: (_, node, context) => lowerScatter(node, context, updatedElements(node)!),
  canLower: (_, node) => canScatter(node, updatedElements(node)),
  runtime: scatterRuntime,
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
  lower: (a, node, context) => lowerBy(a.reduction, a.use_init_val, node, context, updatedElements(node)!),
  canLower: (a, node) => canScatterBy(a.reduction, node, updatedElements(node)),
  ...reducingRuntime,
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
  lower: (_, node, context) => lowerScatter(node, context, updatedPlaces(node)!),
  canLower: (_, node) => canScatter(node, updatedPlaces(node)),
  runtime: scatterRuntime,
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
  lower: (a, node, context) => lowerBy(a.reduction, true, node, context, updatedPlaces(node)!),
  canLower: (a, node) => canScatterBy(a.reduction, node, updatedPlaces(node)),
  ...reducingRuntime,
});
