// BatchNormInference, both revisions: normalisation with stored statistics.
import * as z from 'zod';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { float } from '../attribute.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { commonType, type Facts, inputFact, mergeSizes, requireRank } from '../fact.ts';

const attributes = z.object({ epsilon: float });

/** Positions of data, gamma, beta, mean and variance among the inputs. */
type Order = readonly [number, number, number, number, number];

const dataFirst: Order = [0, 1, 2, 3, 4];

/** Revision 1 is written in two orders; the data is the input with more than one axis. */
const dataByRank = (inputs: Facts): Order => ((inputs[0]?.shape.length ?? 0) > 1 ? dataFirst : [2, 0, 1, 3, 4]);

function infer(order: Order, inputs: Facts) {
  const [x, ...parameters] = order.map((i) => inputFact(inputs, i));
  requireRank(x!.shape, 2, Number.POSITIVE_INFINITY, 'the data');
  const type = commonType(x!, ...parameters);
  const shape = [...x!.shape];
  for (const p of parameters) {
    requireRank(p.shape, 1, 1, 'a parameter');
    shape[1] = mergeSizes(shape[1]!, p.shape[0]!, 'channels');
  }
  return [{ type, shape }];
}

function evaluate(order: Order, epsilon: number, inputs: readonly Tensor[]): Tensor {
  infer(order, inputs);
  const x = inputs[order[0]]!;
  const [, gamma, beta, mean, variance] = order.map((i) => toFloat64(inputs[i]!));
  const data = toFloat64(x);
  const channels = x.shape[1]!;
  const inner = elementCount(x.shape.slice(2));
  for (let at = 0, plane = 0; at < data.length; plane++) {
    const c = plane % channels;
    const scale = gamma![c]! / Math.sqrt(variance![c]! + epsilon);
    for (let i = 0; i < inner; i++, at++) data[at] = (data[at]! - mean![c]!) * scale + beta![c]!;
  }
  return fromFloat64(data, x.shape, x.type);
}

function define(opset: string, orderOf: (inputs: Facts) => Order): OpDef {
  return defineOp({
    type: 'BatchNormInference',
    opset,
    attributes,
    inputs: [5, 5],
    infer: (_, inputs) => infer(orderOf(inputs), inputs),
    evaluate: (a, inputs) => [evaluate(orderOf(inputs), a.epsilon, inputs)],
  });
}

/**
 * gamma · (x − mean) / √(variance + epsilon) + beta per channel; inputs gamma, beta, data, mean, variance, or in the
 * order of revision 5.
 */
export const batchNormInference1 = define('opset1', dataByRank);

/** The same; inputs data, gamma, beta, mean, variance. */
export const batchNormInference5 = define('opset5', () => dataFirst);
