// Functions of two elements with broadcasting as native kernel calls.
import type { Node } from '../../graph/node.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { elementCount, sameShape } from '../../tensor/shape.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { Layout, LowerContext } from '../lower-context.ts';
import { clampedGrid, roundingOf } from '../quantization/grid.ts';
import {
  type BinaryFunction,
  type BroadcastGeometry,
  broadcastGeometry,
  emitBinary,
  emitIntegers,
  emitRelation,
  type IntegerFunction,
  operandLayout,
  type Relation,
} from './emit-binary.ts';

/** Axes and strides of both operands over the output; undefined when more axes remain than the kernel has. */
function geometryOf(node: Node, layout: Layout): BroadcastGeometry | undefined {
  const [a, b] = [node.source(0)!.fact.shape, node.source(1)!.fact.shape];
  return broadcastGeometry(node.output.fact.shape, a, b, layout);
}

/** Operands of the output's rank may be channels last; others keep the model's order. */
function layoutFor(node: Node, context: LowerContext): Layout {
  const rank = node.output.fact.shape.length;
  const inputs = [0, 1].filter((i) => node.source(i)!.fact.shape.length === rank);
  return inputs.some((i) => context.layoutOf(node, i) === 'channelsLast') ? 'channelsLast' : 'plain';
}

/** Operands whose axes fit the kernels in either layout. */
export function canLowerBinary(_: unknown, node: Node): boolean {
  return geometryOf(node, 'plain') !== undefined && geometryOf(node, 'channelsLast') !== undefined;
}

/** The functions of an operation: of floats, and of whole numbers. */
export interface BinaryKernels {
  readonly floats: BinaryFunction | undefined;
  readonly whole: IntegerFunction | undefined;
}

/** Emits the function on floats or on whole numbers, or a sum of bytes. */
export function lowerBinary(node: Node, context: LowerContext, { floats, whole }: BinaryKernels): void {
  if (floats === 'add' && lowerQuantizedAdd(node, context)) return;
  const layout = layoutFor(node, context);
  const { port, low, high } = context.tail(node);
  const call = { name: node.name, ...operandsOf(node, context, layout), out: context.place(port, layout) };
  if (port.fact.type === 'f32') emitBinary(context, { ...call, function: floats!, low, high });
  else emitIntegers(context, { ...call, function: whole! });
}

function operandsOf(node: Node, context: LowerContext, layout: Layout) {
  const rank = node.output.fact.shape.length;
  const operand = (i: number): number =>
    context.elements(node, i, operandLayout(node.source(i)!.fact.shape, rank, layout));
  return { a: operand(0), b: operand(1), geometry: geometryOf(node, layout)! };
}

/** What the kernels do with the functions besides sums of bytes. */
export function binaryRuntime({ floats, whole }: BinaryKernels): RuntimeTraits {
  const numbers: readonly ElementType[] = [...(floats ? ['f32' as const] : []), ...(whole ? wholeNumbers : [])];
  const runtime: RuntimeTraits =
    floats === 'add' ? addRuntime : { bytes: 'never', epilogue: floats ? 'clamp' : 'none' };
  return { ...runtime, types: { inputs: [numbers], outputs: [numbers] } };
}

const wholeNumbers = ['i32', 'i64'] as const;

/** A relation of two operands of one type, as a kernel call. */
export function nativeRelation(relation: Relation) {
  const types: readonly ElementType[] = ['f32', ...wholeNumbers, 'boolean'];
  return {
    lower: (_: unknown, node: Node, context: LowerContext) => {
      const layout = layoutFor(node, context);
      const call = { name: node.name, ...operandsOf(node, context, layout), out: context.place(node.output, layout) };
      emitRelation(context, { ...call, relation });
    },
    canLower: canLowerBinary,
    runtime: { bytes: 'never', epilogue: 'none', types: { inputs: [types], outputs: [['boolean']] } },
  } as const;
}

/** Bytes are added element by element: operands of one shape. */
const addRuntime: RuntimeTraits = {
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
  const rounding = tail.format && roundingOf(tail.format);
  const scale = rounding?.scale[0] ?? 1;
  const zero = rounding?.zero[0] ?? 0;
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
