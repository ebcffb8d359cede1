// Transpose: permutes axes.
import { LowpError } from '../../errors/lowp-error.ts';
import { type Shape, stridesOf } from '../../tensor/shape.ts';
import { noAttributes } from '../attribute.ts';
import { stridedOffsets } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact, knownIntegers } from '../fact.ts';
import { lowerTranspose, moveRuntime } from './lower.ts';
import { take } from './take.ts';

/**
 * The input axis of each output axis; an empty order reverses.
 *
 * @throws {LowpError} `ERR_SHAPE_MISMATCH` when it is not a permutation
 */
export function permutation(order: readonly number[], shape: Shape): number[] {
  const axes = order.length === 0 ? shape.map((_, i) => shape.length - 1 - i) : [...order];
  const sorted = [...axes].sort((a, b) => a - b);
  if (axes.length !== shape.length || sorted.some((a, i) => a !== i)) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `the order ${order.join(',')} does not permute ${shape.length} axes`);
  }
  return axes;
}

function infer(inputs: Facts) {
  const x = inputFact(inputs, 0);
  const order = knownIntegers(inputFact(inputs, 1));
  if (!order) return [{ type: x.type, shape: x.shape.map(() => -1) }];
  return [{ type: x.type, shape: permutation(order, x.shape).map((axis) => x.shape[axis]!) }];
}

/** Output axis i is input axis order[i]. */
export const transpose = defineOp({
  type: 'Transpose',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [2, 2],
  infer: (_, inputs) => infer(inputs),
  evaluate: (_, [x, order]) => {
    const list = knownIntegers({ type: order!.type, shape: order!.shape, value: order! })!;
    const axes = permutation(list, x!.shape);
    const strides = stridesOf(x!.shape);
    const shape = axes.map((axis) => x!.shape[axis]!);
    const source = stridedOffsets(
      shape,
      axes.map((axis) => strides[axis]!),
    );
    return [take(x!, shape, source)];
  },
  lower: (_, node, context) => {
    const order = knownIntegers(node.source(1)?.fact) ?? [];
    lowerTranspose(node, context, permutation(order, node.source(0)!.fact.shape));
  },
  canLower: (_, node) => knownIntegers(node.source(1)?.fact) !== undefined,
  runtime: {
    ...moveRuntime,
    permutes: (node) => {
      const order = knownIntegers(node.source(1)?.fact);
      return order && permutation(order, node.source(0)!.fact.shape);
    },
  },
  quantization: { ascend: 'first' },
});
