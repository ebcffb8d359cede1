// Reshape: the same elements under another shape.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { elementCount, formatShape, isStatic, type Shape, unknownRank, unknownShape } from '../../tensor/shape.ts';
import { bool } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, knownIntegers } from '../fact.ts';
import { lowerReshape, moveRuntime } from './lower.ts';
import { withShape } from './take.ts';

const attributes = z.object({
  /** 0 in the target means: the size of the same axis of the input. */
  special_zero: bool.default(false),
});

type Attributes = z.infer<typeof attributes>;

function targetShape(a: Attributes, from: Shape, target: readonly number[]): number[] {
  const wrong = target.find((d) => d < -1) ?? (target.filter((d) => d === -1).length > 1 ? -1 : undefined);
  if (wrong !== undefined) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `the target shape ${target.join(',')} cannot be read`);
  }
  const copied = (d: number, i: number): boolean => a.special_zero && d === 0 && i < from.length;
  const shape = target.map((d, i) => (copied(d, i) ? from[i]! : d));
  const open = target.indexOf(-1);
  if (!isStatic(from)) {
    // Copied axes cancel out, so that -1 is known when every other axis of the input is.
    const rest = from.filter((_, i) => !(i < target.length && copied(target[i]!, i)));
    const others = shape.filter((_, i) => i !== open && !copied(target[i]!, i));
    if (open >= 0 && isStatic(rest) && isStatic(others)) shape[open] = elementCount(rest) / elementCount(others);
    return shape;
  }
  const count = elementCount(from);
  if (open >= 0) {
    const others = elementCount(shape.filter((_, i) => i !== open));
    shape[open] = others === 0 ? 0 : count / others;
  }
  if (!shape.every(Number.isInteger) || elementCount(shape) !== count) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `${formatShape(from)} cannot be reshaped to [${target.join(',')}]`);
  }
  return shape;
}

function infer(a: Attributes, inputs: Facts) {
  const [x, target] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  const values = knownIntegers(target);
  if (values) return [{ type: x.type, shape: targetShape(a, x.shape, values) }];
  const rank = target.shape[0] ?? 1;
  return [{ type: x.type, shape: rank < 0 ? unknownRank : unknownShape(rank) }];
}

/**
 * A constant target `[1, 85, -1]` behind a batch of 1 means one sample; with two, -1 would take both in, and the elements of
 * one sample would follow those of the other. A dynamic batch has no size of its own: there the target tells what it is
 * for when it repeats the axes behind the batch, as far as -1. `[1, -1]` repeats none, and may be meant to join samples.
 */
function refusesShapes(a: Attributes, [old]: Facts, [x, target]: Facts): string | undefined {
  const values = knownIntegers(target);
  const [before, now] = [old?.shape[0] ?? 0, x?.shape[0] ?? -1];
  const [meant, open] = [values?.[0] ?? -1, values?.indexOf(-1) ?? -1];
  if (!values || !x || before === 0 || now < 0 || now === before || now === meant || meant < 1 || open < 1)
    return undefined;
  const repeats = (i: number): boolean => values[i] === x.shape[i] || (a.special_zero && values[i] === 0);
  const isMeant = before > 0 ? meant === before : open > 1 && values.slice(1, open).every((_, i) => repeats(i + 1));
  if (!isMeant) return undefined;
  return `the target shape [${values.join(',')}] is for a batch of ${meant}; with ${now} it would mix samples`;
}

/** Inputs: data, target shape; one -1 in it takes what is left. */
export const reshape = defineOp({
  type: 'Reshape',
  opset: 'opset1',
  attributes,
  inputs: [2, 2],
  strings: true,
  infer,
  refusesShapes,
  evaluate: (a, [x, target]) => [withShape(x!, infer(a, factsOf([x, target]))[0]!.shape)],
  lower: lowerReshape,
  runtime: moveRuntime,
  quantization: { ascend: 'first' },
});
