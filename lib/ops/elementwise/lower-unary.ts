// Functions of one element as native kernel calls.
import type { Node } from '../../graph/node.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { LowerContext } from '../lower-context.ts';

/** Functions that the `unary` kernel has, by their number there. */
const functions = {
  clamp: 0,
  leakyRelu: 1,
  sigmoid: 2,
  tanh: 3,
  exp: 4,
  sqrt: 5,
  abs: 6,
  negative: 7,
  hswish: 8,
  hsigmoid: 9,
  elu: 10,
  swish: 11,
  gelu: 12,
  softplus: 13,
  erf: 14,
  geluTanh: 15,
} as const;

/** Name of a function of the `unary` kernel. */
export type UnaryFunction = keyof typeof functions;

/** Emits the function over all elements, in the layout in which the input exists. */
export function lowerUnary(node: Node, context: LowerContext, name: UnaryFunction, alpha = 0, beta = 0): void {
  const layout = context.layoutOf(node, 0);
  const input = context.float(node, 0, layout);
  const tail = context.tail(node);
  const place = context.placeFloat(tail.port, layout);
  context.builder.call(
    'unary',
    { op: functions[name], elements: elementCount(node.output.fact.shape), alpha, beta },
    { name: node.name, in: [input], out: [place.buffer] },
  );
}
