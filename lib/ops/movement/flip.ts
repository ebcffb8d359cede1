// Reverse and Roll: elements of an axis in another order.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { toFloat64, toIntegers } from '../../tensor/convert.ts';
import { normalizeAxis } from '../../tensor/shape.ts';
import { enumeration, noAttributes } from '../attribute.ts';
import { normalizeAxes } from '../axes.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact } from '../fact.ts';
import { sequence, takeByAxes } from './take.ts';

function inferSame(inputs: Facts) {
  const { type, shape } = inputFact(inputs, 0);
  return [{ type, shape }];
}

/** Turns the axes round that input 1 lists (`index`) or marks, one truth value for each axis (`mask`). */
export const reverse = defineOp({
  type: 'Reverse',
  opset: 'opset1',
  attributes: z.object({ mode: enumeration(['index', 'mask']).default('index') }),
  inputs: [2, 2],
  infer: (_, inputs) => inferSame(inputs),
  evaluate: (a, [x, chosen]) => {
    const rank = x!.shape.length;
    const mask = Array.from(toFloat64(chosen!));
    if (a.mode === 'mask' && mask.length !== rank) {
      throw new LowpError('ERR_OP_INPUTS', `the mask has ${mask.length} elements for ${rank} axes`);
    }
    const listed = a.mode === 'mask' ? mask.flatMap((m, i) => (m !== 0 ? [i] : [])) : toIntegers(chosen!);
    const axes = new Set(normalizeAxes(listed, rank));
    const positions = x!.shape.map((d, i) => (axes.has(i) ? sequence(d, d - 1, -1) : sequence(d)));
    return [takeByAxes(x!, positions)];
  },
});

/** Moves elements by `shift` (input 1) along the axes (input 2); what leaves at the end enters at the beginning. */
export const roll = defineOp({
  type: 'Roll',
  opset: 'opset7',
  attributes: noAttributes,
  inputs: [3, 3],
  infer: (_, inputs) => inferSame(inputs),
  evaluate: (_, [x, by, along]) => {
    const axes = toIntegers(along!);
    const shifts = toIntegers(by!);
    if (shifts.length !== 1 && shifts.length !== axes.length) {
      throw new LowpError('ERR_OP_INPUTS', `there are ${shifts.length} shifts for ${axes.length} axes`);
    }
    const total = new Array<number>(x!.shape.length).fill(0);
    for (const [i, axis] of axes.entries()) {
      total[normalizeAxis(axis, x!.shape.length)]! += shifts[shifts.length === 1 ? 0 : i]!;
    }
    const wrapped = (i: number, d: number): number => ((i % d) + d) % d;
    return [
      takeByAxes(
        x!,
        x!.shape.map((d, axis) => sequence(d).map((i) => wrapped(i - total[axis]!, d))),
      ),
    ];
  },
});
