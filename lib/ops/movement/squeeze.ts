// Squeeze and Unsqueeze: remove and insert axes of size one.
import { LowpError } from '../../errors/lowp-error.ts';
import { elementCount, formatShape, isStatic, unknownRank, unknownShape } from '../../tensor/shape.ts';
import { noAttributes } from '../attribute.ts';
import { normalizeAxes } from '../axes.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, knownIntegers } from '../fact.ts';
import { lowerReshape, moveRuntime } from './lower.ts';
import { withShape } from './take.ts';

function inferSqueeze(inputs: Facts) {
  const x = inputFact(inputs, 0);
  if (!inputs[1]) {
    if (!isStatic(x.shape)) return [{ type: x.type, shape: unknownRank }];
    return [{ type: x.type, shape: x.shape.filter((d) => d !== 1) }];
  }
  const list = knownIntegers(inputs[1]);
  if (!list) {
    if (!isStatic(inputs[1].shape)) return [{ type: x.type, shape: unknownRank }];
    const count = elementCount(inputs[1].shape);
    const removable = x.shape.filter((d) => d === 1 || d < 0).length;
    if (count > removable) {
      throw new LowpError('ERR_SHAPE_MISMATCH', `${count} axes of ${formatShape(x.shape)} cannot all have one element`);
    }
    const rank = x.shape.length - count;
    return [{ type: x.type, shape: unknownShape(rank) }];
  }
  const axes = normalizeAxes(list, x.shape.length);
  for (const axis of axes) {
    if (x.shape[axis]! > 1) {
      throw new LowpError('ERR_SHAPE_MISMATCH', `axis ${axis} of ${formatShape(x.shape)} has more than one element`);
    }
  }
  return [{ type: x.type, shape: x.shape.filter((_, i) => !axes.includes(i)) }];
}

function inferUnsqueeze(inputs: Facts) {
  const x = inputFact(inputs, 0);
  const axes = inputFact(inputs, 1);
  const list = knownIntegers(axes);
  if (!list && !isStatic(axes.shape)) return [{ type: x.type, shape: unknownRank }];
  const rank = x.shape.length + (list ? list.length : elementCount(axes.shape));
  if (!list) return [{ type: x.type, shape: unknownShape(rank) }];
  const inserted = normalizeAxes(list, rank);
  if (inserted.length !== list.length)
    throw new LowpError('ERR_OP_INPUTS', `axes ${list.join(',')} name one axis twice`);
  const shape = [...x.shape];
  for (const axis of inserted) shape.splice(axis, 0, 1);
  return [{ type: x.type, shape }];
}

/** Removes the listed axes, which must have size 1; without a list all axes of size 1. */
export const squeeze = defineOp({
  type: 'Squeeze',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [1, 2],
  strings: true,
  infer: (_, inputs) => inferSqueeze(inputs),
  evaluate: (_, [x, axes]) => [withShape(x!, inferSqueeze(factsOf([x, axes]))[0]!.shape)],
  lower: lowerReshape,
  runtime: moveRuntime,
  quantization: { ascend: 'first' },
});

/** Inserts axes of size 1; the listed axes are those of the output. */
export const unsqueeze = defineOp({
  type: 'Unsqueeze',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [2, 2],
  strings: true,
  infer: (_, inputs) => inferUnsqueeze(inputs),
  evaluate: (_, [x, axes]) => [withShape(x!, inferUnsqueeze(factsOf([x, axes]))[0]!.shape)],
  lower: lowerReshape,
  runtime: moveRuntime,
  quantization: { ascend: 'first' },
});
