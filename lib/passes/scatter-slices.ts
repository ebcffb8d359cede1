// Scatter slices: a scatter that overwrites a known range of one axis becomes a Concat of what stays and what is new.
import { addConstant } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import { constantOf, type Node, type OutputPort } from '../graph/node.ts';
import { takeOver } from '../graph/take-over.ts';
import { createNode } from '../ops/create-node.ts';
import { toIntegers } from '../tensor/convert.ts';
import { type Shape, sameShape } from '../tensor/shape.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { definePass } from './pass.ts';

/**
 * `ScatterNDUpdate(x, indices, updates)` whose constant indices name `x[…, begin : end, …]` in order becomes
 * `Concat(x[…, : begin], updates, x[…, end :])`, and a Reshape behind it that keeps the axes from there on is done with
 * each part. Parts that are quantized apart, as those of temporal shifts of channels are, then lie side by side along the
 * channels, where products take each with its own scale.
 */
export const scatterSlices = definePass({
  name: 'scatter-slices',
  run: (model) => model.nodes().filter((node) => replace(model, node)).length,
});

function replace(model: Model, node: Node): boolean {
  if (node.type !== 'ScatterNDUpdate' || (node.attributes.reduction ?? 'none') !== 'none') return false;
  const [x, updates] = [node.source(0)!, node.source(2)!];
  const indices = constantOf(node.source(1));
  const range = indices && updatedRange(x.fact.shape, indices);
  if (!range) return false;
  const { axis, begin, end } = range;
  const size = x.fact.shape[axis]!;
  const expected = x.fact.shape.map((d, i) => (i === axis ? end - begin : d));
  if (updates.fact.type !== x.fact.type || !sameShape(updates.fact.shape, expected)) return false;
  const parts = [
    ...(begin > 0 ? [sliceOf(model, node, x, [axis, 0, begin])] : []),
    updates,
    ...(end < size ? [sliceOf(model, node, x, [axis, end, size])] : []),
  ];
  const [reader, ...others] = node.output.consumers;
  const reshape = reader && others.length === 0 && reader.index === 0 ? reader.node : undefined;
  const reshapedAxis = reshape && axisBehind(reshape, axis);
  if (reshape && reshapedAxis !== undefined) {
    const reshaped = parts.map((part) => reshapeOf(model, reshape, part, reshapedAxis, part.fact.shape[axis]!));
    takeOver(reshape.output, join(model, reshape, reshaped, reshapedAxis));
  } else takeOver(node.output, join(model, node, parts, axis));
  return true;
}

/** The only axis of which not all is named, and which part of it is. */
interface Range {
  readonly axis: number;
  readonly begin: number;
  readonly end: number;
}

/**
 * The range that indices `[d0, …, dk−1, k]` name of the first k axes in order, all of every axis but one. Undefined for
 * other indices, and where dimensions are not known.
 */
function updatedRange(shape: Shape, indices: Tensor): Range | undefined {
  const counts = indices.shape.slice(0, -1);
  const k = indices.shape.at(-1) ?? 0;
  if (k === 0 || counts.length !== k || k > shape.length || shape.some((d) => d <= 0)) return undefined;
  const partial = counts.flatMap((count, axis) => (count === shape[axis] ? [] : [axis]));
  if (partial.length !== 1 || counts.some((count) => count === 0)) return undefined;
  const axis = partial[0]!;
  const list = toIntegers(indices);
  const positive = (value: number, along: number): number => (value < 0 ? value + shape[along]! : value);
  const begin = positive(list[axis]!, axis);
  const end = begin + counts[axis]!;
  if (begin < 0 || end > shape[axis]!) return undefined;
  const at = new Array<number>(k).fill(0);
  at[axis] = begin;
  for (let i = 0; i < list.length; i += k) {
    for (let j = 0; j < k; j++) if (positive(list[i + j]!, j) !== at[j]) return undefined;
    for (let j = k - 1; j >= 0; j--) {
      const first = j === axis ? begin : 0;
      if (++at[j]! < first + counts[j]!) break;
      at[j] = first;
    }
  }
  return { axis, begin, end };
}

/** Where `axis` is behind a Reshape that only joins or cuts the axes in front of it; undefined for other operations. */
function axisBehind(node: Node, axis: number): number | undefined {
  if (node.type !== 'Reshape') return undefined;
  const [before, after] = [node.source(0)!.fact.shape, node.output.fact.shape];
  const behind = after.length - (before.length - axis);
  if (behind < 0 || [...before, ...after].some((d) => d <= 0)) return undefined;
  return sameShape(before.slice(axis), after.slice(behind)) ? behind : undefined;
}

function sliceOf(
  model: Model,
  owner: Node,
  port: OutputPort,
  [axis, from, to]: readonly [axis: number, from: number, to: number],
): OutputPort {
  const numbers = [from, to, 1, axis].map((v) => integers(model, owner, [v]));
  const notes = { opset: 'opset8' };
  return createNode(model, { type: 'Slice', name: `${owner.name}/kept`, inputs: [port, ...numbers], notes }).output;
}

/** The part of a Reshape that has `size` elements along an axis of its output. */
function reshapeOf(model: Model, reshape: Node, part: OutputPort, axis: number, size: number): OutputPort {
  const shape = reshape.output.fact.shape.map((d, i) => (i === axis ? size : d));
  const inputs = [part, integers(model, reshape, shape)];
  const attributes = { special_zero: false };
  return createNode(model, { type: 'Reshape', name: `${reshape.name}/part`, attributes, inputs }).output;
}

function join(model: Model, owner: Node, parts: readonly OutputPort[], axis: number): OutputPort {
  return createNode(model, { type: 'Concat', name: `${owner.name}/Concat`, attributes: { axis }, inputs: parts })
    .output;
}

function integers(model: Model, owner: Node, values: readonly number[]): OutputPort {
  return addConstant(model, `${owner.name}/numbers`, tensor('i64', [values.length], values)).output;
}
