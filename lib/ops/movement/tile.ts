// Tile: repeats a tensor along its axes.
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { type Shape, unknownRank, unknownShape } from '../../tensor/shape.ts';
import { noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, knownIntegers } from '../fact.ts';
import { moveRuntime } from './lower.ts';
import { fitsCopy, lowerSplitCopy } from './lower-split.ts';
import { takeByAxes, withShape } from './take.ts';

/** Data shape and repeats of equal length, filled with ones in front. */
function align(shape: Shape, repeats: readonly number[]): { from: number[]; repeats: number[] } {
  if (repeats.some((r) => r < 0)) throw new LowpError('ERR_OP_INPUTS', `repeats ${repeats.join(',')} are negative`);
  const rank = Math.max(shape.length, repeats.length);
  const fill = (list: readonly number[]): number[] => [...new Array<number>(rank - list.length).fill(1), ...list];
  return { from: fill(shape), repeats: fill(repeats) };
}

function infer(inputs: Facts) {
  const x = inputFact(inputs, 0);
  const repeats = inputFact(inputs, 1);
  const list = knownIntegers(repeats);
  if (!list) {
    const count = repeats.shape[0] ?? 1;
    return [{ type: x.type, shape: count < 0 ? unknownRank : unknownShape(Math.max(x.shape.length, count)) }];
  }
  const aligned = align(x.shape, list);
  return [{ type: x.type, shape: aligned.from.map((d, i) => (d < 0 ? -1 : d * aligned.repeats[i]!)) }];
}

/** The aligned shape and repeats of a node with constant repeats. */
function alignedOf(node: Node): ReturnType<typeof align> | undefined {
  const list = knownIntegers(node.source(1)?.fact);
  return list && align(node.source(0)!.fact.shape, list);
}

/** Axis i is repeated `repeats[i]` times, as a whole. */
export const tile = defineOp({
  type: 'Tile',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [2, 2],
  strings: true,
  infer: (_, inputs) => infer(inputs),
  evaluate: (_, [x, repeats]) => {
    const facts = factsOf([x, repeats]);
    const aligned = align(x!.shape, knownIntegers(facts[1])!);
    const positions = aligned.from.map((d, i) => Array.from({ length: d * aligned.repeats[i]! }, (_, at) => at % d));
    return [takeByAxes(withShape(x!, aligned.from), positions)];
  },
  lower: (_, node, context) => {
    const { from: shape, repeats } = alignedOf(node)!;
    const split = (from: readonly number[], to: readonly number[]) =>
      shape.flatMap((size, i) => [
        { size: repeats[i]!, from: 0, to: to[i]! * size },
        { size, from: from[i]!, to: to[i]! },
      ]);
    lowerSplitCopy(node, context, split, shape);
  },
  canLower: (_, node) => {
    const aligned = alignedOf(node);
    const longer = (list: readonly number[]): number => list.filter((n) => n > 1).length;
    return aligned !== undefined && fitsCopy(longer(aligned.from) + longer(aligned.repeats));
  },
  runtime: moveRuntime,
  quantization: { ascend: 'first' },
});
