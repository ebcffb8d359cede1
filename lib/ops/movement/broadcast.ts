// Broadcast, both revisions: repeats a tensor to a target shape.
import { z } from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { broadcastShapes, formatShape, normalizeAxis, type Shape } from '../../tensor/shape.ts';
import { enumeration } from '../attribute.ts';
import { expandedStrides, requireOneWay, stridedOffsets } from '../broadcast.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { type Facts, factsOf, inputFact, knownIntegers } from '../fact.ts';
import { take } from './take.ts';

type Mode = 'numpy' | 'explicit' | 'bidirectional';

/** The output shape, and the input's shape with axes of size 1 where `explicit` leaves gaps. */
function resolve(mode: Mode, inputs: Facts): { shape: number[]; from: Shape } | undefined {
  const x = inputFact(inputs, 0);
  const target = knownIntegers(inputFact(inputs, 1));
  if (!target) return undefined;
  if (target.some((d) => d < 0)) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `the target shape ${target.join(',')} has a negative size`);
  }
  if (mode === 'bidirectional') return { shape: broadcastShapes(x.shape, target), from: x.shape };
  if (mode === 'numpy') {
    requireOneWay(x.shape, target);
    return { shape: target, from: x.shape };
  }
  const mapping = knownIntegers(inputFact(inputs, 2));
  if (!mapping) return undefined;
  if (mapping.length !== x.shape.length) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `${mapping.length} axes are mapped of ${formatShape(x.shape)}`);
  }
  const from = new Array<number>(target.length).fill(1);
  for (const [i, axis] of mapping.entries()) from[normalizeAxis(axis, target.length)] = x.shape[i]!;
  requireOneWay(from, target);
  return { shape: target, from };
}

function infer(mode: Mode, inputs: Facts) {
  const x = inputFact(inputs, 0);
  const resolved = resolve(mode, inputs);
  if (resolved) return [{ type: x.type, shape: resolved.shape }];
  const length = inputFact(inputs, 1).shape[0] ?? 1;
  if (length < 0) throw new LowpError('ERR_SHAPE_DYNAMIC', 'the number of target dimensions is not known');
  const rank = mode === 'bidirectional' ? Math.max(length, x.shape.length) : length;
  return [{ type: x.type, shape: new Array<number>(rank).fill(-1) }];
}

function define(opset: string, modes: readonly [Mode, ...Mode[]]): OpDef {
  return defineOp({
    type: 'Broadcast',
    opset,
    attributes: z.object({ mode: enumeration(modes).default('numpy') }),
    inputs: [2, 3],
    infer: (a, inputs) => infer(a.mode, inputs),
    evaluate: (a, inputs) => {
      const { shape, from } = resolve(a.mode, factsOf(inputs))!;
      return [take(inputs[0]!, shape, stridedOffsets(shape, expandedStrides(from, shape)))];
    },
    quantization: { ascend: 'first' },
  });
}

/** Inputs: data, target shape, axes mapping (`explicit`: the output axis of each input axis). */
export const broadcast1 = define('opset1', ['numpy', 'explicit']);

/** With `bidirectional`: data and target shape expand each other. */
export const broadcast3 = define('opset3', ['numpy', 'explicit', 'bidirectional']);
