// CumSum: running sums along an axis.
import * as z from 'zod';
import type { Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64, toIntegers } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { bool } from '../attribute.ts';
import { viewAround } from '../axes.ts';
import { defineOp } from '../define-op.ts';
import { inputFact, knownIntegers } from '../fact.ts';

const summed: readonly ElementType[] = ['f32', 'i32', 'i64'];

/** The axis of a node; undefined when it is computed. */
function axisOf(node: Node): number | undefined {
  const axis = node.source(1);
  return axis ? knownIntegers(axis.fact)?.[0] : 0;
}

/**
 * `y[i] = Σ_{j ≤ i} x[j]` along the axis of input 1; `exclusive` leaves x[i] out, `reverse` sums from the end.
 */
export const cumSum = defineOp({
  type: 'CumSum',
  opset: 'opset3',
  attributes: z.object({ exclusive: bool.default(false), reverse: bool.default(false) }),
  inputs: [1, 2],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    return [{ type, shape }];
  },
  evaluate: (a, [x, axis]) => {
    const { outer, size, inner } = viewAround(x!.shape, axis ? toIntegers(axis)[0]! : 0);
    const values = toFloat64(x!);
    const out = new Float64Array(values.length);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let n = 0; n < size; n++) {
          const at = (o * size + (a.reverse ? size - 1 - n : n)) * inner + i;
          const next = sum + values[at]!;
          out[at] = a.exclusive ? sum : next;
          sum = next;
        }
      }
    }
    return [fromFloat64(out, x!.shape, x!.type)];
  },
  lower: (a, node, context) => {
    const { outer, size, inner } = viewAround(node.output.fact.shape, axisOf(node)!);
    context.builder.call(
      'cum_sum',
      { outer, size, inner, exclusive: a.exclusive ? 1 : 0, reverse: a.reverse ? 1 : 0 },
      { name: node.name, in: [context.elements(node, 0, 'plain')], out: [context.place(node.output, 'plain')] },
    );
  },
  canLower: (_, node) => axisOf(node) !== undefined && node.output.fact.shape.length > 0,
  runtime: { bytes: 'never', epilogue: 'none', types: { inputs: [summed], outputs: [summed] } },
});
