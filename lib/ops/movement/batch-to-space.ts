// BatchToSpace and SpaceToBatch: blocks of neighbours as samples of the batch, and back.
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node, OutputPort } from '../../graph/node.ts';
import { elementCount, isStatic, type Shape, stridesOf } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, factsOfNode, inputFact, knownIntegers, requiredIntegers } from '../fact.ts';
import { kernelAxes } from './emit-copy.ts';
import { take } from './take.ts';

/** Block sizes, and what is cut or padded at both ends, one for each axis. */
interface Blocks {
  readonly block: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly count: number;
}

function blocksOf(inputs: Facts): Blocks {
  const rank = inputFact(inputs, 0).shape.length;
  const [block, begin, end] = ['block shape', 'begins', 'ends'].map((what, i) => {
    const values = requiredIntegers(inputs, i + 1, what);
    if (values.length === rank) return values;
    throw new LowpError('ERR_OP_INPUTS', `the ${what} have ${values.length} elements for ${rank} axes`);
  }) as [number[], number[], number[]];
  const isRight = block.every((b) => b >= 1) && [...begin, ...end].every((p) => p >= 0);
  if (!isRight || block[0] !== 1 || begin[0] !== 0 || end[0] !== 0) {
    throw new LowpError(
      'ERR_OP_INPUTS',
      `blocks ${block} with ${begin} and ${end}: the batch has no block, sizes are positive`,
    );
  }
  return { block, begin, end, count: block.reduce((p, b) => p * b, 1) };
}

function divided(size: number, by: number, what: string): number {
  if (size < 0) return -1;
  if (size % by === 0) return size / by;
  throw new LowpError('ERR_SHAPE_MISMATCH', `${what} has ${size} elements, no multiple of ${by}`);
}

function inferSpace(inputs: Facts): Fact[] {
  const { type, shape } = inputFact(inputs, 0);
  const { block, begin, end, count } = blocksOf(inputs);
  const sizes = shape.map((d, i) => (d < 0 ? -1 : d * block[i]! - begin[i]! - end[i]!));
  if (sizes.some((d, i) => d < 0 && shape[i]! >= 0))
    throw new LowpError('ERR_SHAPE_MISMATCH', 'it cuts more than there is');
  return [{ type, shape: sizes.with(0, divided(shape[0]!, count, 'the batch')) }];
}

function inferBatch(inputs: Facts): Fact[] {
  const { type, shape } = inputFact(inputs, 0);
  const { block, begin, end, count } = blocksOf(inputs);
  const sizes = shape.map((d, i) =>
    d < 0 ? -1 : divided(d + begin[i]! + end[i]!, block[i]!, `axis ${i} with its padding`),
  );
  return [{ type, shape: sizes.with(0, shape[0]! < 0 ? -1 : shape[0]! * count) }];
}

/** For each position of `shape`, where it comes from; -1 for padding. */
function sources(shape: Shape, from: (position: readonly number[]) => number): Int32Array {
  const strides = stridesOf(shape);
  return Int32Array.from({ length: elementCount(shape) }, (_, flat) =>
    from(strides.map((s, i) => Math.floor(flat / s) % shape[i]!)),
  );
}

/** The blocks of a node of known shape, of so few axes that the copy kernel can turn them. */
function knownBlocks(node: Node): (Blocks & { readonly split: readonly number[] }) | undefined {
  const facts = factsOfNode(node);
  const { shape } = inputFact(facts, 0);
  if (!isStatic(shape) || elementCount(shape) === 0 || [1, 2, 3].some((i) => !knownIntegers(facts[i])))
    return undefined;
  const blocks = blocksOf(facts);
  const split = blocks.block.flatMap((b, axis) => (b > 1 ? [axis] : []));
  return shape.length + split.length <= kernelAxes ? { ...blocks, split } : undefined;
}

function ints(e: Expansion, values: readonly number[], name: string): OutputPort {
  return e.constant('i64', [values.length], values, name);
}

/** [offsets in the block, n, …] → [n, …, offset behind each axis that has blocks], and what is cut of it. */
function expandToSpace(node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const blocks = knownBlocks(node);
  if (!blocks) return undefined;
  const { block, begin, split, count } = blocks;
  const { shape } = node.source(0)!.fact;
  const k = split.length;
  const parts = [...split.map((axis) => block[axis]!), shape[0]! / count, ...shape.slice(1)];
  const order = shape.flatMap((_, axis) => (split.includes(axis) ? [k + axis, split.indexOf(axis)] : [k + axis]));
  const whole = shape.map((d, axis) => (axis === 0 ? d / count : d * block[axis]!));
  const x = e.reshape(node.source(0)!, parts, 'parts');
  const y = e.reshape(e.transpose(x, order, 'turned'), whole, 'whole');
  const out = node.output.fact.shape;
  if (whole.every((d, axis) => d === out[axis])) return [y];
  const ends = begin.map((b, axis) => b + out[axis]!);
  const masks = { begin_mask: [], end_mask: [] };
  return [e.add('StridedSlice', [y, ints(e, begin, 'begin'), ints(e, ends, 'end')], masks, 'cut')];
}

/** Zeros around, then the way of {@link expandToSpace} back. */
function expandToBatch(node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const blocks = knownBlocks(node);
  if (!blocks) return undefined;
  const { block, begin, end, split, count } = blocks;
  const { shape } = node.source(0)!.fact;
  const padded = shape.map((d, axis) => d + begin[axis]! + end[axis]!);
  const isPadded = padded.some((d, axis) => d !== shape[axis]);
  const amounts = [ints(e, begin, 'begin'), ints(e, end, 'end')];
  const whole = isPadded
    ? e.add('Pad', [node.source(0)!, ...amounts], { pad_mode: 'constant' }, 'padded')
    : node.source(0)!;
  const places: number[] = [];
  const parts = padded.flatMap((d, axis) => {
    places.push(places.length === 0 ? 0 : places.at(-1)! + (split.includes(axis - 1) ? 2 : 1));
    return split.includes(axis) ? [d / block[axis]!, block[axis]!] : [d];
  });
  const order = [...split.map((axis) => places[axis]! + 1), ...places];
  const turned = e.transpose(e.reshape(whole, parts, 'parts'), order, 'turned');
  const out = padded.map((d, axis) => (axis === 0 ? d * count : d / block[axis]!));
  return [e.reshape(turned, out, 'batch')];
}

/**
 * Inputs: data, block shape, crops at begin and end. Samples `[offset in block, n]` become the elements of blocks of
 * sample n; the first block size is 1.
 */
export const batchToSpace = defineOp({
  type: 'BatchToSpace',
  opset: 'opset2',
  attributes: noAttributes,
  inputs: [4, 4],
  infer: (_, inputs) => inferSpace(inputs),
  evaluate: (_, inputs) => {
    const [{ shape }] = inferSpace(factsOf(inputs)) as [Fact];
    const { block, begin } = blocksOf(factsOf(inputs));
    const x = inputs[0]!;
    const strides = stridesOf(x.shape);
    const map = sources(shape, (at) => {
      let [sample, inner] = [0, 0];
      for (let i = 1; i < at.length; i++) {
        const p = at[i]! + begin[i]!;
        sample = sample * block[i]! + (p % block[i]!);
        inner += Math.floor(p / block[i]!) * strides[i]!;
      }
      return (sample * shape[0]! + at[0]!) * strides[0]! + inner;
    });
    return [take(x, shape, map)];
  },
  expand: (_, node, e) => expandToSpace(node, e),
});

/** Inputs: data, block shape, zeros to pad at begin and end. The inverse of BatchToSpace. */
export const spaceToBatch = defineOp({
  type: 'SpaceToBatch',
  opset: 'opset2',
  attributes: noAttributes,
  inputs: [4, 4],
  infer: (_, inputs) => inferBatch(inputs),
  evaluate: (_, inputs): Tensor[] => {
    const [{ shape }] = inferBatch(factsOf(inputs)) as [Fact];
    const { block, begin } = blocksOf(factsOf(inputs));
    const x = inputs[0]!;
    const strides = stridesOf(x.shape);
    const map = sources(shape, (at) => {
      let offset = Math.floor(at[0]! / x.shape[0]!);
      let from = (at[0]! % x.shape[0]!) * strides[0]!;
      for (let i = at.length - 1; i >= 1; i--) {
        const p = at[i]! * block[i]! + (offset % block[i]!) - begin[i]!;
        offset = Math.floor(offset / block[i]!);
        if (p < 0 || p >= x.shape[i]!) return -1;
        from += p * strides[i]!;
      }
      return from;
    });
    return [take(x, shape, map)];
  },
  expand: (_, node, e) => expandToBatch(node, e),
});
