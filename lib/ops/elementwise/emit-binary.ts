// One call of the `eltwise` kernel: a function of two float operands, each broadcast to the output.
import type { BufferId } from '../../program/program.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { Layout, LowerContext } from '../lower-context.ts';
import { memoryStrides, mergeAxes } from '../memory-layout.ts';

/** Functions that the kernel has, by their number there. */
const functions = {
  add: 0,
  subtract: 1,
  multiply: 2,
  divide: 3,
  maximum: 4,
  minimum: 5,
  squaredDifference: 6,
  prelu: 7,
} as const;

/** Those that whole numbers have, by their number in the kernel `integer_eltwise`. */
const integerFunctions: Partial<Record<BinaryFunction, number>> = {
  add: 0,
  subtract: 1,
  multiply: 2,
  maximum: 3,
  minimum: 4,
};

/** Name of a function of the `eltwise` kernel. */
export type BinaryFunction = keyof typeof functions;

/** Axes that the kernel iterates over. */
const kernelAxes = 4;

/** Sizes of the output, and strides of both operands over it: 0 where they are broadcast. */
export interface BroadcastGeometry {
  readonly dims: readonly number[];
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** The geometry of operands for an output in a layout; undefined when more axes remain than the kernel has. */
export function broadcastGeometry(out: Shape, a: Shape, b: Shape, layout: Layout): BroadcastGeometry | undefined {
  const operands = [a, b].map((shape) => broadcastStrides(shape, out.length, layout));
  const merged = mergeAxes(out, [memoryStrides(out, layout), ...operands]);
  if (merged.dims.length > kernelAxes) return undefined;
  const pad = (values: readonly number[], fill: number): number[] => [
    ...new Array<number>(kernelAxes - values.length).fill(fill),
    ...values,
  ];
  return { dims: pad(merged.dims, 1), a: pad(merged.strides[1]!, 0), b: pad(merged.strides[2]!, 0) };
}

function broadcastStrides(shape: Shape, rank: number, layout: Layout): number[] {
  const missing = new Array<number>(rank - shape.length).fill(0);
  const own = memoryStrides(shape, operandLayout(shape, rank, layout));
  return [...missing, ...own.map((s, i) => (shape[i] === 1 ? 0 : s))];
}

/** Operands of a lower rank than the output keep the model's order: their axes are others. */
export function operandLayout(shape: Shape, rank: number, layout: Layout): Layout {
  return shape.length === rank ? layout : 'plain';
}

/** Operands and function of a call; `low` and `high` limit the result. */
export interface BinaryCall {
  readonly name: string;
  readonly function: BinaryFunction;
  readonly geometry: BroadcastGeometry;
  readonly a: BufferId;
  readonly b: BufferId;
  readonly out: BufferId;
  readonly low?: number;
  readonly high?: number;
}

/** True for functions that the kernels have for i32 and i64. */
export function hasIntegers(name: BinaryFunction): boolean {
  return integerFunctions[name] !== undefined;
}

/** Emits the call. */
export function emitBinary(context: LowerContext, call: BinaryCall): void {
  const params = {
    op: functions[call.function],
    ...geometryParams(call.geometry),
    low: call.low ?? Number.NEGATIVE_INFINITY,
    high: call.high ?? Number.POSITIVE_INFINITY,
  };
  context.builder.call('eltwise', params, { name: call.name, in: [call.a, call.b], out: [call.out] });
}

/** Emits the call for operands and a result of i32 or i64, which have no limits. */
export function emitIntegers(context: LowerContext, call: Omit<BinaryCall, 'low' | 'high'>): void {
  const params = { op: integerFunctions[call.function]!, ...geometryParams(call.geometry) };
  context.builder.call('integer_eltwise', params, { name: call.name, in: [call.a, call.b], out: [call.out] });
}

function geometryParams({ dims, a, b }: BroadcastGeometry) {
  return {
    d0: dims[0]!,
    d1: dims[1]!,
    d2: dims[2]!,
    d3: dims[3]!,
    aStride0: a[0]!,
    aStride1: a[1]!,
    aStride2: a[2]!,
    aStride3: a[3]!,
    bStride0: b[0]!,
    bStride1: b[1]!,
    bStride2: b[2]!,
    bStride3: b[3]!,
  };
}
