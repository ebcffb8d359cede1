// Functions of two elements with broadcasting as native kernel calls.
import type { Node } from '../../graph/node.ts';
import { elementCount, sameShape } from '../../tensor/shape.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { Layout, LowerContext } from '../lower-context.ts';
import { memoryStrides, mergeAxes } from '../memory-layout.ts';
import { clampedGrid } from '../quantization/grid.ts';

/** Functions that the `eltwise` kernel has, by their number there. */
const functions = {
  add: 0,
  subtract: 1,
  multiply: 2,
  divide: 3,
  maximum: 4,
  minimum: 5,
  squaredDifference: 6,
} as const;

export type BinaryFunction = keyof typeof functions;

/** Axes that the kernel iterates over. */
const kernelAxes = 4;

interface Geometry {
  readonly layout: Layout;
  readonly dims: readonly number[];
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** Axes and strides of both operands over the output; undefined when more axes remain than the kernel has. */
function geometryOf(node: Node, layout: Layout): Geometry | undefined {
  const out = node.output.fact.shape;
  const merged = mergeAxes(out, [memoryStrides(out, layout), strides(node, 0, layout), strides(node, 1, layout)]);
  if (merged.dims.length > kernelAxes) return undefined;
  const pad = (values: readonly number[], fill: number): number[] => [
    ...new Array<number>(kernelAxes - values.length).fill(fill),
    ...values,
  ];
  return { layout, dims: pad(merged.dims, 1), a: pad(merged.strides[1]!, 0), b: pad(merged.strides[2]!, 0) };
}

/** Strides of an operand over the axes of the output, 0 where it is broadcast. */
function strides(node: Node, input: number, layout: Layout): number[] {
  const { shape } = node.source(input)!.fact;
  const missing = new Array<number>(node.output.fact.shape.length - shape.length).fill(0);
  const own = memoryStrides(shape, operandLayout(node, input, layout));
  return [...missing, ...own.map((s, i) => (shape[i] === 1 ? 0 : s))];
}

/** Operands of a lower rank than the output keep the model's order: their axes are others. */
function operandLayout(node: Node, input: number, layout: Layout): Layout {
  return node.source(input)!.fact.shape.length === node.output.fact.shape.length ? layout : 'plain';
}

/** Operands of the output's rank may be channels last; others keep the model's order. */
function layoutFor(node: Node, context: LowerContext): Layout {
  const rank = node.output.fact.shape.length;
  const inputs = [0, 1].filter((i) => node.source(i)!.fact.shape.length === rank);
  return inputs.some((i) => context.layoutOf(node, i) === 'channelsLast') ? 'channelsLast' : 'plain';
}

/** Float operands whose axes fit the kernel in either layout. */
export function canLowerBinary(_: unknown, node: Node): boolean {
  return (
    geometryOf(node, 'plain') !== undefined &&
    geometryOf(node, 'channelsLast') !== undefined &&
    node.output.fact.type !== 'boolean'
  );
}

export function lowerBinary(node: Node, context: LowerContext, name: BinaryFunction): void {
  if (name === 'add' && lowerQuantizedAdd(node, context)) return;
  const { layout, dims, a, b } = geometryOf(node, layoutFor(node, context))!;
  const operand = (i: number): number => context.float(node, i, operandLayout(node, i, layout));
  const tail = context.tail(node);
  const place = context.placeFloat(tail.port, layout);
  const [d0, d1, d2, d3] = dims;
  context.builder.call(
    'eltwise',
    {
      op: functions[name],
      d0: d0!,
      d1: d1!,
      d2: d2!,
      d3: d3!,
      aStride0: a[0]!,
      aStride1: a[1]!,
      aStride2: a[2]!,
      aStride3: a[3]!,
      bStride0: b[0]!,
      bStride1: b[1]!,
      bStride2: b[2]!,
      bStride3: b[3]!,
      low: tail.low,
      high: tail.high,
    },
    { name: node.name, in: [operand(0), operand(1)], out: [place.buffer] },
  );
}

/** Bytes are added element by element: operands of one shape. */
export const addRuntime: RuntimeTraits = {
  bytes: 'combine',
  epilogue: 'clamp',
  refuses: (node) =>
    sameShape(node.source(0)!.fact.shape, node.source(1)!.fact.shape) ? undefined : 'its inputs have different shapes',
};

/** `v = a · sa/s + b · sb/s + (z − za · sa/s − zb · sb/s)` on bytes of one shape. False when the node runs on floats. */
function lowerQuantizedAdd(node: Node, context: LowerContext): boolean {
  const layout = layoutFor(node, context);
  const a = context.quantized(node, 0, layout);
  const b = context.quantized(node, 1, layout);
  if (!a || !b) return false;
  const tail = context.tail(node);
  const scale = tail.format?.scale[0] ?? 1;
  const zero = tail.format?.zero[0] ?? 0;
  const scaleA = a.format.scale[0]! / scale;
  const scaleB = b.format.scale[0]! / scale;
  const place = tail.format
    ? context.placeQuantized(tail.port, layout, tail.format)
    : context.placeFloat(tail.port, layout);
  const [low, high] = tail.format ? clampedGrid(tail.format, tail, 0) : [0, 255];
  context.builder.call(
    'quantized_add',
    {
      elements: elementCount(node.output.fact.shape),
      low,
      high,
      scaleA,
      scaleB,
      bias: zero - a.format.zero[0]! * scaleA - b.format.zero[0]! * scaleB,
      floatLow: tail.low,
      floatHigh: tail.high,
    },
    { name: node.name, in: [a.buffer, b.buffer], out: [place.buffer] },
  );
  return true;
}
