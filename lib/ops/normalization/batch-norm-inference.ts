// BatchNormInference, both revisions: normalisation with stored statistics.
import * as z from 'zod';
import { constantOf, type Node, type OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, isStatic } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { float } from '../attribute.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { commonType, type Facts, factsOfNode, inputFact, mergeSizes, requireRank } from '../fact.ts';

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

/** Statistics that are computed; what is constant becomes one product and one sum elsewhere. */
function expand(order: Order, epsilon: number, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const [x, ...parameters] = order.map((i) => node.source(i)!);
  const { type, shape } = x!.fact;
  if (type !== 'f32' || !isStatic(shape) || parameters.every((p) => constantOf(p))) return undefined;
  const perChannel = shape.slice(1).map((d, i) => (i === 0 ? d : 1));
  const [gamma, beta, mean, variance] = parameters.map((p, i) => e.reshape(p, perChannel, `parameter_${i}`));
  const sum = e.add('Add', [variance, e.constant('f32', [], [epsilon], 'epsilon')], {}, 'limited');
  const scale = e.add('Divide', [gamma, e.add('Sqrt', [sum], {}, 'deviation')], {}, 'scale');
  const scaled = e.add('Multiply', [e.add('Subtract', [x, mean], {}, 'centred'), scale], {}, 'scaled');
  return [e.add('Add', [scaled, beta], {}, 'shifted')];
}

function define(opset: string, orderOf: (inputs: Facts) => Order): OpDef {
  return defineOp({
    type: 'BatchNormInference',
    opset,
    attributes,
    inputs: [5, 5],
    infer: (_, inputs) => infer(orderOf(inputs), inputs),
    evaluate: (a, inputs) => [evaluate(orderOf(inputs), a.epsilon, inputs)],
    expand: (a, node, e) => expand(orderOf(factsOfNode(node)), a.epsilon, node, e),
  });
}

/**
 * gamma · (x − mean) / √(variance + epsilon) + beta per channel; inputs gamma, beta, data, mean, variance, or in the
 * order of revision 5.
 */
export const batchNormInference1 = define('opset1', dataByRank);

/** The same; inputs data, gamma, beta, mean, variance. */
export const batchNormInference5 = define('opset5', () => dataFirst);
