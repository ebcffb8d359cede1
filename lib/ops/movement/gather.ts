// Gather, all revisions: picks slices along an axis.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { toIntegers } from '../../tensor/convert.ts';
import { elementCount, normalizeAxis, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { int, noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, factsOfNode, inputFact, knownIntegers, mergeSizes, requiredIntegers } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { channelsLastAxis, channelsLastShape } from '../memory-layout.ts';
import { canPick } from './emit-picks.ts';
import { lowerSlices, sliceBox } from './lower.ts';
import { gatherRuntime, lowerGather, slicePicks } from './lower-picks.ts';
import type { Progression } from './slicing.ts';
import { takeBlocks } from './take.ts';

const batchedAttributes = z.object({
  /** Leading axes that data and indices share. */
  batch_dims: int.default(0),
});

interface Layout {
  readonly axis: number;
  readonly batch: number;
  readonly shape: number[];
}

function layoutOf(batchDims: number, inputs: Facts): Layout {
  const [x, indices] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  const axis = normalizeAxis(requiredIntegers(inputs, 2, 'axis')[0] ?? 0, x.shape.length);
  const batch = batchDims < 0 ? batchDims + indices.shape.length : batchDims;
  if (batch < 0 || batch > Math.min(axis, indices.shape.length)) {
    throw new LowpError('ERR_OP_ATTRIBUTE', `batch_dims ${batchDims} does not fit axis ${axis}`);
  }
  const common = x.shape.slice(0, batch).map((d, i) => mergeSizes(d, indices.shape[i]!, `batch axis ${i}`));
  const shape = [...common, ...x.shape.slice(batch, axis), ...indices.shape.slice(batch), ...x.shape.slice(axis + 1)];
  return { axis, batch, shape };
}

function infer(batchDims: number, inputs: Facts) {
  return [{ type: inputFact(inputs, 0).type, shape: layoutOf(batchDims, inputs).shape }];
}

/** Slices of the data, by position; an index outside of the axis picks nothing. */
function pick(x: Shape, indices: readonly number[], perBatch: number, l: Layout): Int32Array {
  const size = x[l.axis]!;
  const batches = elementCount(x.slice(0, l.batch));
  const outer = elementCount(x.slice(l.batch, l.axis));
  const source = new Int32Array(batches * outer * perBatch);
  let out = 0;
  for (let b = 0; b < batches; b++) {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < perBatch; i++) {
        const raw = indices[b * perBatch + i]!;
        const index = raw < 0 ? raw + size : raw;
        source[out++] = index >= 0 && index < size ? (b * outer + o) * size + index : -1;
      }
    }
  }
  return source;
}

function evaluate(batchDims: number, inputs: readonly Tensor[]): Tensor[] {
  const [x, indices] = [inputs[0]!, inputs[1]!];
  const layout = layoutOf(batchDims, factsOf(inputs));
  const perBatch = elementCount(indices.shape.slice(layout.batch));
  const slices = pick(x.shape, toIntegers(indices), perBatch, layout);
  return [takeBlocks(x, layout.shape, slices, elementCount(x.shape.slice(layout.axis + 1)))];
}

/** Positions that are as far apart as those of a slice. */
function progressionOf(indices: readonly number[], size: number): Progression | undefined {
  const list = indices.map((i) => (i < 0 ? i + size : i));
  const [first, second] = list;
  if (first === undefined || list.some((i) => i < 0 || i >= size)) return undefined;
  const step = second === undefined ? 1 : second - first;
  return step !== 0 && list.every((at, i) => at === first + i * step) ? { first, step, count: list.length } : undefined;
}

function lower(batchDims: number, node: Node, context: LowerContext): void {
  const facts = factsOfNode(node);
  const [x, indices] = [inputFact(facts, 0).shape, inputFact(facts, 1)];
  const { axis, batch } = layoutOf(batchDims, facts);
  const known = batch === 0 && indices.shape.length <= 1 ? knownIntegers(indices) : undefined;
  const slice = known && progressionOf(known, x[axis]!);
  if (slice) {
    const axes = x.map((_, i) => i);
    const kept = indices.shape.length === 1 ? axes : axes.filter((i) => i !== axis);
    const taken = axes.map((i) => (i === axis ? slice : undefined));
    lowerSlices(node, context, [sliceBox(node.output, taken, kept)]);
    return;
  }
  const layout = batch === 0 && indices.shape.length === 1 ? context.layoutOf(node, 0) : 'plain';
  const [shape, at] = layout === 'plain' ? [x, axis] : [channelsLastShape(x), channelsLastAxis(axis, x.length)];
  lowerGather(node, context, slicePicks(shape, at, indices.shape, batch), { layout, zeroOutside: true });
}

function canLower(batchDims: number, node: Node): boolean {
  const facts = factsOfNode(node);
  const { axis, batch } = layoutOf(batchDims, facts);
  return canPick(node, slicePicks(inputFact(facts, 0).shape, axis, inputFact(facts, 1).shape, batch));
}

const batched = {
  type: 'Gather',
  attributes: batchedAttributes,
  inputs: [3, 3] as [number, number],
  strings: true as const,
  infer: (a: { batch_dims: number }, inputs: Facts) => infer(a.batch_dims, inputs),
  evaluate: (a: { batch_dims: number }, inputs: readonly Tensor[]) => evaluate(a.batch_dims, inputs),
  lower: (a: { batch_dims: number }, node: Node, context: LowerContext) => lower(a.batch_dims, node, context),
  canLower: (a: { batch_dims: number }, node: Node) => canLower(a.batch_dims, node),
  runtime: gatherRuntime,
  quantization: { ascend: 'first', selects: true } as const,
};

/** Inputs: data, indices, axis. The axis of the data is replaced by the axes of the indices. */
export const gather1 = defineOp({
  type: 'Gather',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [3, 3],
  strings: true,
  infer: (_, inputs) => infer(0, inputs),
  evaluate: (_, inputs) => evaluate(0, inputs),
  lower: (_, node, context) => lower(0, node, context),
  canLower: (_, node) => canLower(0, node),
  runtime: gatherRuntime,
  quantization: { ascend: 'first', selects: true },
});

/** Gather whose first `batch_dims` axes are common to data and indices. */
export const gather7 = defineOp({ ...batched, opset: 'opset7' });

/** Gather-7 with indices that may count from the end; one outside of the axis gives zero. */
export const gather8 = defineOp({ ...batched, opset: 'opset8' });
