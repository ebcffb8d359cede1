// GatherElements and GatherND: picks single elements, or slices named by positions on the leading axes.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { toIntegers } from '../../tensor/convert.ts';
import { elementCount, formatShape, normalizeAxis, type Shape, stridesOf } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { int } from '../attribute.ts';
import { stridedOffsets } from '../broadcast.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { type Facts, factsOf, inputFact, mergeSizes } from '../fact.ts';
import { canPick, type Picks } from './emit-picks.ts';
import { elementPicks, gatherRuntime, lowerGather, namedPicks } from './lower-picks.ts';
import { positionOn } from './put.ts';
import { take } from './take.ts';

/** `y[…, i, …] = x[…, indices[…, i, …], …]`: one element for each index; other axes are those of the indices. */
export const gatherElements = defineOp({
  type: 'GatherElements',
  opset: 'opset6',
  attributes: z.object({ axis: int }),
  inputs: [2, 2],
  strings: true,
  infer: (a, inputs) => {
    const [x, indices] = [inputFact(inputs, 0), inputFact(inputs, 1)];
    normalizeAxis(a.axis, x.shape.length);
    if (x.shape.length !== indices.shape.length) {
      const [data, list] = [formatShape(x.shape), formatShape(indices.shape)];
      throw new LowpError('ERR_SHAPE_RANK', `indices ${list} for data ${data}; expected the same rank`);
    }
    return [{ type: x.type, shape: indices.shape }];
  },
  evaluate: (a, [x, indices]) => {
    const { shape } = x!;
    const axis = normalizeAxis(a.axis, shape.length);
    const strides = stridesOf(shape);
    const misfit = indices!.shape.findIndex((d, i) => i !== axis && d > shape[i]!);
    if (misfit >= 0) {
      const [data, list] = [formatShape(shape), formatShape(indices!.shape)];
      throw new LowpError('ERR_SHAPE_MISMATCH', `indices ${list} reach beyond axis ${misfit} of data ${data}`);
    }
    const base = stridedOffsets(indices!.shape, strides.with(axis, 0));
    const list = toIntegers(indices!);
    const source = base.map((offset, i) => offset + positionOn(list[i]!, shape[axis]!) * strides[axis]!);
    return [take(x!, indices!.shape, source)];
  },
  lower: (a, node, context) => lowerGather(node, context, elementsOf(a.axis, node)),
  canLower: (a, node) => {
    const [x, indices] = [node.source(0)!.fact.shape, node.source(1)!.fact.shape];
    const axis = normalizeAxis(a.axis, x.length);
    return indices.every((d, i) => i === axis || d <= x[i]!) && canPick(node, elementsOf(a.axis, node));
  },
  runtime: gatherRuntime,
});

function elementsOf(axis: number, node: Node): Picks {
  const [x, indices] = [node.source(0)!.fact.shape, node.source(1)!.fact.shape];
  return elementPicks(x, normalizeAxis(axis, x.length), indices);
}

const ndAttributes = z.object({
  /** Leading axes that data and indices share. */
  batch_dims: int.default(0),
});

/** Sizes of the batch axes, and of what each position selects. */
function partsOf(batchDims: number, inputs: Facts): { batch: Shape; places: Shape; slice: Shape; depth: number } {
  const [x, indices] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  const depth = indices.shape.at(-1) ?? -1;
  const fits = batchDims >= 0 && batchDims < indices.shape.length && depth >= 0;
  if (!fits || batchDims + depth > x.shape.length) {
    const [data, list] = [formatShape(x.shape), formatShape(indices.shape)];
    throw new LowpError('ERR_SHAPE_RANK', `batch_dims ${batchDims} and indices ${list} do not fit data ${data}`);
  }
  const batch = x.shape.slice(0, batchDims).map((d, i) => mergeSizes(d, indices.shape[i]!, `batch axis ${i}`));
  return { batch, places: indices.shape.slice(batchDims, -1), slice: x.shape.slice(batchDims + depth), depth };
}

function gatherNdShape(batchDims: number, joined: boolean, inputs: Facts): number[] {
  const { batch, places, slice } = partsOf(batchDims, inputs);
  const product = batch.some((d) => d < 0) ? -1 : batch.reduce((a, b) => a * b, 1);
  return [...(joined && batch.length > 1 ? [product] : batch), ...places, ...slice];
}

function gatherNd(batchDims: number, joined: boolean, x: Tensor, indices: Tensor): Tensor {
  const facts = factsOf([x, indices]);
  const { batch, places, slice, depth } = partsOf(batchDims, facts);
  const strides = stridesOf(x.shape).slice(batchDims);
  const inner = elementCount(slice);
  const perBatch = elementCount(places);
  const batchSize = elementCount(x.shape.slice(batchDims));
  const list = toIntegers(indices);
  const source = new Int32Array(elementCount(batch) * perBatch * inner);
  for (let place = 0; place * inner < source.length; place++) {
    let from = Math.floor(place / perBatch) * batchSize;
    for (let d = 0; d < depth; d++) {
      from += positionOn(list[place * depth + d]!, x.shape[batchDims + d]!) * strides[d]!;
    }
    for (let n = 0; n < inner; n++) source[place * inner + n] = from + n;
  }
  return take(x, gatherNdShape(batchDims, joined, facts), source);
}

function slicesOf(batchDims: number, node: Node): Picks {
  return namedPicks(node.source(0)!.fact.shape, node.source(1)!.fact.shape, batchDims);
}

/**
 * The last axis of the indices names a position on the axes of the data behind the `batch_dims` common ones; the slice
 * there is taken. Revision 5 joins the batch axes of the output into one.
 */
function defineNd(opset: string, joined: boolean): OpDef {
  return defineOp({
    type: 'GatherND',
    opset,
    attributes: ndAttributes,
    inputs: [2, 2],
    strings: true,
    infer: (a, inputs) => [{ type: inputFact(inputs, 0).type, shape: gatherNdShape(a.batch_dims, joined, inputs) }],
    evaluate: (a, [x, indices]) => [gatherNd(a.batch_dims, joined, x!, indices!)],
    lower: (a, node, context) => lowerGather(node, context, slicesOf(a.batch_dims, node)),
    canLower: (a, node) => canPick(node, slicesOf(a.batch_dims, node)),
    runtime: gatherRuntime,
  });
}

export const gatherNd5 = defineNd('opset5', true);
export const gatherNd8 = defineNd('opset8', false);
