// FirstRows: as many rows of a tensor as a computed number says.
import { LowpError } from '../../errors/lowp-error.ts';
import { toIntegers } from '../../tensor/convert.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact, requireRank } from '../fact.ts';
import { ownSet } from '../registry.ts';

function infer(inputs: Facts) {
  const { type, shape } = inputFact(inputs, 0);
  requireRank(shape, 1, Number.POSITIVE_INFINITY, 'the data');
  return [{ type, shape: [-1, ...shape.slice(1)] }];
}

function evaluate(data: Tensor, count: Tensor): Tensor[] {
  const rows = toIntegers(count)[0]!;
  if (rows < 0 || rows > data.shape[0]!) {
    throw new LowpError('ERR_OP_INPUTS', `${rows} rows are asked for, the data has ${data.shape[0]}`);
  }
  const shape = [rows, ...data.shape.slice(1)];
  return [{ type: data.type, shape, data: data.data.slice(0, elementCount(shape)) }];
}

/**
 * `y = x[:count]`. What follows an operation whose kernel fills as many rows as there may be, and counts those that it
 * found.
 */
export const firstRows = defineOp({
  type: 'FirstRows',
  opset: ownSet,
  attributes: noAttributes,
  inputs: [2, 2],
  infer: (_, inputs) => infer(inputs),
  evaluate: (_, [data, count]) => evaluate(data!, count!),
});
