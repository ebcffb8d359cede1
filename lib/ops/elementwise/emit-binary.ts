// Calls of the kernels that broadcast operands to an output: functions, relations, and a choice between two.
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

/** Functions of whole numbers, by their number in the kernel `integer_eltwise`. */
const integerFunctions = {
  add: 0,
  subtract: 1,
  multiply: 2,
  maximum: 3,
  minimum: 4,
  divide: 5,
  divideTowardZero: 6,
  remainder: 7,
  floorRemainder: 8,
  and: 9,
  or: 10,
  xor: 11,
  shiftLeft: 12,
  shiftRight: 13,
} as const;

/** Relations, by their number in the kernel `compare`; the last two are of booleans. */
const relations = {
  equal: 0,
  notEqual: 1,
  less: 2,
  lessEqual: 3,
  greater: 4,
  greaterEqual: 5,
  and: 6,
  or: 7,
} as const;

/** Name of a function of the `eltwise` kernel. */
export type BinaryFunction = keyof typeof functions;

/** Name of a function of the `integer_eltwise` kernel. */
export type IntegerFunction = keyof typeof integerFunctions;

/** Name of a relation of the `compare` kernel. */
export type Relation = keyof typeof relations;

/** Axes that the kernels iterate over. */
const kernelAxes = 4;

/** Sizes of the output, and strides of both operands over it: 0 where they are broadcast. */
export interface BroadcastGeometry {
  readonly dims: readonly number[];
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** The geometry of operands for an output in a layout; undefined when more axes remain than the kernel has. */
export function broadcastGeometry(out: Shape, a: Shape, b: Shape, layout: Layout): BroadcastGeometry | undefined {
  const found = broadcastAll(out, [a, b], layout);
  return found && { dims: found.dims, a: found.strides[0]!, b: found.strides[1]! };
}

/** Sizes of the output, and strides of each operand over it. */
interface Broadcasting {
  readonly dims: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

function broadcastAll(out: Shape, shapes: readonly Shape[], layout: Layout): Broadcasting | undefined {
  const operands = shapes.map((shape) => broadcastStrides(shape, out.length, layout));
  const merged = mergeAxes(out, [memoryStrides(out, layout), ...operands]);
  if (merged.dims.length > kernelAxes) return undefined;
  const pad = (values: readonly number[], fill: number): number[] => [
    ...new Array<number>(kernelAxes - values.length).fill(fill),
    ...values,
  ];
  return { dims: pad(merged.dims, 1), strides: merged.strides.slice(1).map((s) => pad(s, 0)) };
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

/** The function of whole numbers that is called as one of floats. */
export function integersOf(name: BinaryFunction): IntegerFunction | undefined {
  return name in integerFunctions ? (name as IntegerFunction) : undefined;
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
export function emitIntegers(
  context: LowerContext,
  call: Omit<BinaryCall, 'low' | 'high' | 'function'> & { readonly function: IntegerFunction },
): void {
  const params = { op: integerFunctions[call.function], ...geometryParams(call.geometry) };
  context.builder.call('integer_eltwise', params, { name: call.name, in: [call.a, call.b], out: [call.out] });
}

/** Emits the call for a boolean result. */
export function emitRelation(
  context: LowerContext,
  call: Omit<BinaryCall, 'low' | 'high' | 'function'> & { readonly relation: Relation },
): void {
  const params = { op: relations[call.relation], ...geometryParams(call.geometry) };
  context.builder.call('compare', params, { name: call.name, in: [call.a, call.b], out: [call.out] });
}

/** The parameters of a `select` of a condition and two operands; undefined when more axes remain than the kernel has. */
export function selectParams(out: Shape, shapes: readonly [Shape, Shape, Shape], layout: Layout) {
  const found = broadcastAll(out, shapes, layout);
  if (!found) return undefined;
  const [condition, a, b] = found.strides;
  const [cStride0, cStride1, cStride2, cStride3] = condition as [number, number, number, number];
  return { ...geometryParams({ dims: found.dims, a: a!, b: b! }), cStride0, cStride1, cStride2, cStride3 };
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
