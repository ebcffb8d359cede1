// Split and VariadicSplit: cut a tensor along one axis.
import * as z from 'zod';
import { limits } from '../../errors/limits.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node } from '../../graph/node.ts';
import { elementCount, normalizeAxis } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { int, noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, knownIntegers, requiredIntegers } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { lowerSlices, moveRuntime } from './lower.ts';
import { sequence, takeByAxes } from './take.ts';

const splitAttributes = z.object({ num_splits: int.refine((n) => n > 0, 'at least one part is expected') });

function pieces(x: Fact, axis: number, lengths: readonly number[]): Fact[] {
  return lengths.map((length) => ({ type: x.type, shape: x.shape.map((d, i) => (i === axis ? length : d)) }));
}

function equalPieces(x: Fact, axis: number, count: number, length: number): Fact[] {
  if (count > limits.nodeOutputs.value) {
    throw new LowpError('ERR_LIMIT_SIZE', `${count} parts; at most ${limits.nodeOutputs.value} are read`);
  }
  return pieces(x, axis, new Array<number>(count).fill(length));
}

function inferSplit(a: z.infer<typeof splitAttributes>, inputs: Facts): Fact[] {
  const x = inputFact(inputs, 0);
  const axis = normalizeAxis(requiredIntegers(inputs, 1, 'axis')[0] ?? 0, x.shape.length);
  const size = x.shape[axis]!;
  if (size >= 0 && size % a.num_splits !== 0) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `axis ${axis} has ${size} elements, not a multiple of ${a.num_splits}`);
  }
  return equalPieces(x, axis, a.num_splits, size < 0 ? -1 : size / a.num_splits);
}

function inferVariadic(inputs: Facts): Fact[] {
  const x = inputFact(inputs, 0);
  const axis = normalizeAxis(requiredIntegers(inputs, 1, 'axis')[0] ?? 0, x.shape.length);
  const lengths = knownIntegers(inputs[2]);
  if (!lengths) return equalPieces(x, axis, elementCount(inputFact(inputs, 2).shape), -1);
  const size = x.shape[axis]!;
  const given = lengths.reduce((sum, l) => sum + Math.max(l, 0), 0);
  const open = lengths.filter((l) => l < 0).length;
  if (open > 1 || (size >= 0 && (open === 0 ? given !== size : given > size))) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `parts of ${lengths.join(',')} do not cut an axis of ${size} elements`);
  }
  return pieces(
    x,
    axis,
    lengths.map((l) => (l >= 0 ? l : size < 0 ? -1 : size - given)),
  );
}

function cut(x: Tensor, axis: number, facts: readonly Fact[]): Tensor[] {
  const at = normalizeAxis(axis, x.shape.length);
  let from = 0;
  return facts.map(({ shape }) => {
    const part = takeByAxes(
      x,
      shape.map((d, i) => sequence(d, i === at ? from : 0)),
    );
    from += shape[at]!;
    return part;
  });
}

function lowerParts(node: Node, context: LowerContext): void {
  const axis = normalizeAxis(
    requiredIntegers([undefined, node.source(1)!.fact], 1, 'axis')[0] ?? 0,
    node.source(0)!.fact.shape.length,
  );
  let from = 0;
  const boxes = node.outputs.map((port) => {
    const { shape } = port.fact;
    const begin = shape.map((_, i) => (i === axis ? from : 0));
    from += shape[axis]!;
    return { port, begin, step: shape.map(() => 1), kept: shape.map((_, i) => i) };
  });
  lowerSlices(
    node,
    context,
    boxes.filter((b) => b.port.consumers.size > 0),
  );
}

/** `num_splits` equal parts along the axis at input 1. */
export const split = defineOp({
  type: 'Split',
  opset: 'opset1',
  attributes: splitAttributes,
  inputs: [2, 2],
  strings: true,
  infer: inferSplit,
  evaluate: (a, [x, axis]) => cut(x!, Number(axis!.data[0]), inferSplit(a, factsOf([x, axis]))),
  lower: (_, node: Node, context: LowerContext) => lowerParts(node, context),
  runtime: moveRuntime,
  quantization: { ascend: 'first' },
});

/** Parts of the lengths at input 2 along the axis at input 1; one length may be -1 and takes what is left. */
export const variadicSplit = defineOp({
  type: 'VariadicSplit',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [3, 3],
  strings: true,
  infer: (_, inputs) => inferVariadic(inputs),
  evaluate: (_, [x, axis, lengths]) => cut(x!, Number(axis!.data[0]), inferVariadic(factsOf([x, axis, lengths]))),
  lower: (_, node: Node, context: LowerContext) => lowerParts(node, context),
  runtime: moveRuntime,
  quantization: { ascend: 'first' },
});
