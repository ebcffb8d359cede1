// Functions of one element as native kernel calls.
import type { Node } from '../../graph/node.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { LowerContext, QuantFormat } from '../lower-context.ts';
import { storingParams } from '../quantization/grid.ts';

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
  hardSigmoid: 16,
  roundEven: 17,
  floor: 18,
  ceiling: 19,
  sign: 20,
  mish: 21,
  softSign: 22,
  selu: 23,
  log: 24,
  sin: 25,
  cos: 26,
  roundAway: 27,
  tan: 28,
  asin: 29,
  acos: 30,
  atan: 31,
  sinh: 32,
  cosh: 33,
  asinh: 34,
  acosh: 35,
  atanh: 36,
} as const;

/** Name of a function of the `unary` kernel. */
export type UnaryFunction = keyof typeof functions;

/**
 * Emits the function over all elements, times a number, plus a number, in the layout in which the input exists, as floats
 * or rounded to bytes.
 */
export function lowerUnary(node: Node, context: LowerContext, name: UnaryFunction, alpha = 0, beta = 0): void {
  const layout = context.layoutOf(node, 0);
  const input = context.float(node, 0, layout);
  const { port, format, scale, bias } = context.tail(node);
  const place = format ? context.placeQuantized(port, layout, format) : context.placeFloat(port, layout);
  const elements = elementCount(node.output.fact.shape);
  context.builder.call(
    'unary',
    { op: functions[name], elements, alpha, beta, ...storing(format, scale?.[0] ?? 1, bias?.[0] ?? 0) },
    { name: node.name, in: [input], out: [place.buffer] },
  );
}

/** How `factor · r + addend` is stored, for a result `r`. */
function storing(format: QuantFormat | undefined, factor: number, addend: number) {
  if (!format) return { invScale: factor, shift: addend };
  const { invScale, shift, ...ends } = storingParams(format);
  return { invScale: factor * invScale, shift: addend * invScale + shift, ...ends };
}
