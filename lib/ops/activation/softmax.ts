// SoftMax and LogSoftmax: exponentials that sum to one along an axis.
import * as z from 'zod';
import type { Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { isStatic, normalizeAxis } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { int } from '../attribute.ts';
import { viewAround } from '../axes.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { inputFact } from '../fact.ts';
import { lowerSoftMax, softMaxRuntime } from './lower-softmax.ts';

const attributes = z.object({ axis: int.default(1) });

/** Applies `finish` to each row along the axis: its elements minus their maximum, and the sum of their exponentials. */
function alongAxis(x: Tensor, axis: number, finish: (shifted: number, sum: number) => number): Tensor {
  const { outer, size, inner } = viewAround(x.shape, axis);
  const data = toFloat64(x);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const first = o * size * inner + i;
      const end = first + size * inner;
      let high = Number.NEGATIVE_INFINITY;
      for (let at = first; at < end; at += inner) high = Math.max(high, data[at]!);
      let sum = 0;
      for (let at = first; at < end; at += inner) sum += Math.exp(data[at]! - high);
      for (let at = first; at < end; at += inner) data[at] = finish(data[at]! - high, sum);
    }
  }
  return fromFloat64(data, x.shape, x.type);
}

function define(
  type: string,
  opset: string,
  finish: (shifted: number, sum: number) => number,
  rest: Pick<OpDef<{ axis: number }>, 'lower' | 'runtime' | 'quantization' | 'expand'> = {},
): OpDef {
  return defineOp({
    type,
    opset,
    attributes,
    ...rest,
    inputs: [1, 1],
    infer: (a, inputs) => {
      const { type: element, shape } = inputFact(inputs, 0);
      normalizeAxis(a.axis, shape.length);
      return [{ type: element, shape }];
    },
    evaluate: (a, [x]) => [alongAxis(x!, a.axis, finish)],
  });
}

function expandLogSoftmax(axis: number, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const x = node.source(0)!;
  const { type, shape } = x.fact;
  if (type !== 'f32' || !isStatic(shape)) return undefined;
  const axes = e.constant('i64', [1], [normalizeAxis(axis, shape.length)], 'axes');
  const high = e.add('ReduceMax', [x, axes], { keep_dims: true }, 'maximum');
  const shifted = e.add('Subtract', [x, high], {}, 'shifted');
  const sum = e.add('ReduceSum', [e.add('Exp', [shifted], {}, 'exponentials'), axes], { keep_dims: true }, 'sum');
  return [e.add('Subtract', [shifted, e.add('Log', [sum], {}, 'logarithm')], {}, 'difference')];
}

/** No device of the tables quantizes the input; a table of one's own may. */
const softMaxTraits = {
  lower: lowerSoftMax,
  runtime: (node: Node) => softMaxRuntime({ axis: Number(node.attributes.axis) }, node),
  quantization: { quantizedPorts: [0] },
};

const normalized = (shifted: number, sum: number): number => Math.exp(shifted) / sum;

/** e^(x − max) / Σ e^(x − max) along `axis`. */
export const softMax1 = define('SoftMax', 'opset1', normalized, softMaxTraits);

/** As SoftMax-1; a negative axis counts from the end. */
export const softMax8 = define('SoftMax', 'opset8', normalized, softMaxTraits);

/** x − max − ln Σ e^(x − max) along `axis`. */
export const logSoftmax = define('LogSoftmax', 'opset5', (shifted, sum) => shifted - Math.log(sum), {
  expand: (a, node, e) => expandLogSoftmax(a.axis, node, e),
});
