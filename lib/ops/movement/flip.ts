// Reverse and Roll: elements of an axis in another order.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { constantOf, type Node } from '../../graph/node.ts';
import { toFloat64, toIntegers } from '../../tensor/convert.ts';
import { normalizeAxis, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { enumeration, noAttributes } from '../attribute.ts';
import { normalizeAxes } from '../axes.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { moveRuntime } from './lower.ts';
import { canLowerRuns, lowerRuns } from './lower-runs.ts';
import { sequence, takeByAxes } from './take.ts';

function inferSame(inputs: Facts) {
  const { type, shape } = inputFact(inputs, 0);
  return [{ type, shape }];
}

/** What an operation takes of every axis. */
type Positions = readonly (readonly number[])[];

/** The runtime of an operation whose positions are known when its other inputs are. */
function lowering(positionsOf: (a: never, shape: Shape, others: readonly Tensor[]) => Positions) {
  const known = (a: unknown, node: Node): Positions | undefined => {
    const others = node.inputs.slice(1).map((i) => constantOf(i.source));
    return others.some((t) => !t) ? undefined : positionsOf(a as never, node.source(0)!.fact.shape, others as Tensor[]);
  };
  return {
    lower: (a: unknown, node: Node, context: LowerContext): void => lowerRuns(node, context, known(a, node)!),
    canLower: (a: unknown, node: Node): boolean => {
      const positions = known(a, node);
      return positions !== undefined && canLowerRuns(positions);
    },
    runtime: moveRuntime,
  };
}

interface ReverseAttributes {
  readonly mode: 'index' | 'mask';
}

function reversedPositions(a: ReverseAttributes, shape: Shape, [chosen]: readonly Tensor[]): Positions {
  const rank = shape.length;
  const mask = Array.from(toFloat64(chosen!));
  if (a.mode === 'mask' && mask.length !== rank) {
    throw new LowpError('ERR_OP_INPUTS', `the mask has ${mask.length} elements for ${rank} axes`);
  }
  const listed = a.mode === 'mask' ? mask.flatMap((m, i) => (m !== 0 ? [i] : [])) : toIntegers(chosen!);
  const axes = new Set(normalizeAxes(listed, rank));
  return shape.map((d, i) => (axes.has(i) ? sequence(d, d - 1, -1) : sequence(d)));
}

/** Turns the axes round that input 1 lists (`index`) or marks, one truth value for each axis (`mask`). */
export const reverse = defineOp({
  type: 'Reverse',
  opset: 'opset1',
  attributes: z.object({ mode: enumeration(['index', 'mask']).default('index') }),
  inputs: [2, 2],
  infer: (_, inputs) => inferSame(inputs),
  evaluate: (a, [x, ...others]) => [takeByAxes(x!, reversedPositions(a, x!.shape, others))],
  ...lowering(reversedPositions),
});

function rolledPositions(_: unknown, shape: Shape, [by, along]: readonly Tensor[]): Positions {
  const axes = toIntegers(along!);
  const shifts = toIntegers(by!);
  if (shifts.length !== 1 && shifts.length !== axes.length) {
    throw new LowpError('ERR_OP_INPUTS', `there are ${shifts.length} shifts for ${axes.length} axes`);
  }
  const total = new Array<number>(shape.length).fill(0);
  for (const [i, axis] of axes.entries()) {
    total[normalizeAxis(axis, shape.length)]! += shifts[shifts.length === 1 ? 0 : i]!;
  }
  const wrapped = (i: number, d: number): number => ((i % d) + d) % d;
  return shape.map((d, axis) => sequence(d).map((i) => wrapped(i - total[axis]!, d)));
}

/** Moves elements by `shift` (input 1) along the axes (input 2); what leaves at the end enters at the beginning. */
export const roll = defineOp({
  type: 'Roll',
  opset: 'opset7',
  attributes: noAttributes,
  inputs: [3, 3],
  infer: (_, inputs) => inferSame(inputs),
  evaluate: (a, [x, ...others]) => [takeByAxes(x!, rolledPositions(a, x!.shape, others))],
  ...lowering(rolledPositions),
});
