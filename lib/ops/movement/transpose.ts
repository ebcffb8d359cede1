// Transpose: permutes axes.
import { LowpError } from '../../errors/lowp-error.ts';
import { allocate } from '../../tensor/element-type.ts';
import { elementCount, type Shape, stridesOf } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
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

function swapsLastAxes(axes: readonly number[]): boolean {
  const last = axes.length - 1;
  return last > 0 && axes.every((axis, i) => axis === (i < last - 1 ? i : 2 * last - 1 - i));
}

/** Matrices turned in blocks that stay in the first-level cache: weights of a MatMul are turned whenever a model is loaded. */
function swapLastAxes(x: Tensor, shape: Shape): Tensor {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const data = allocate(x.type, elementCount(shape));
  const from = new Uint32Array(x.data.buffer, x.data.byteOffset, x.data.length);
  const to = new Uint32Array(data.buffer, 0, data.length);
  const block = 32;
  for (let matrix = 0; matrix < from.length; matrix += rows * columns) {
    for (let top = 0; top < rows; top += block) {
      for (let left = 0; left < columns; left += block) {
        const [bottom, right] = [Math.min(rows, top + block), Math.min(columns, left + block)];
        for (let column = left; column < right; column++) {
          const target = matrix + column * rows;
          for (let row = top; row < bottom; row++) to[target + row] = from[matrix + row * columns + column]!;
        }
      }
    }
  }
  return { type: x.type, shape, data };
}

/** Output axis i is input axis order[i]. */
export const transpose = defineOp({
  type: 'Transpose',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [2, 2],
  strings: true,
  infer: (_, inputs) => infer(inputs),
  evaluate: (_, [x, order]) => {
    const list = knownIntegers({ type: order!.type, shape: order!.shape, value: order! })!;
    const axes = permutation(list, x!.shape);
    const strides = stridesOf(x!.shape);
    const shape = axes.map((axis) => x!.shape[axis]!);
    if (swapsLastAxes(axes) && x!.data.BYTES_PER_ELEMENT === 4) return [swapLastAxes(x!, shape)];
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
