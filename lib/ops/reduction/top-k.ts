// TopK, all revisions: the largest or smallest elements along an axis, and where they are.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { type ElementType, isFloat, type TensorData } from '../../tensor/element-type.ts';
import { normalizeAxis } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, elementType, enumeration, int } from '../attribute.ts';
import { viewAround } from '../axes.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { type Facts, factsOf, inputFact, knownIntegers } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { take } from '../movement/take.ts';

const attributes = z.object({
  axis: int,
  mode: enumeration(['max', 'min']),
  sort: enumeration(['value', 'index', 'none']),
  index_element_type: elementType.default('i32'),
  stable: bool.default(false),
});

type Attributes = z.infer<typeof attributes>;

function infer(a: Attributes, inputs: Facts) {
  const x = inputFact(inputs, 0);
  const axis = normalizeAxis(a.axis, x.shape.length);
  const k = knownIntegers(inputFact(inputs, 1));
  if (k && (k.length !== 1 || k[0]! < 0)) throw new LowpError('ERR_OP_INPUTS', `k is ${k}, expected one number`);
  const size = x.shape[axis]!;
  if (k && size >= 0 && k[0]! > size) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `k is ${k[0]}, axis ${axis} has ${size} elements`);
  }
  const shape = x.shape.with(axis, k?.[0] ?? -1);
  return [
    { type: x.type, shape },
    { type: a.index_element_type, shape },
  ];
}

type Line = Float64Array | BigInt64Array | BigUint64Array;

/** The order of the positions of a line by value, equal ones by position. */
type Order = (line: Line) => readonly number[] | Float64Array;

/** Positions fill the low bits of a key, 32-bit values the others: keys are exact doubles, and sort without a callback. */
const positionBits = 21;
const keyed = new Set<ElementType>(['f32', 'f16', 'bf16', 'i32', 'i16', 'i8', 'u8', 'u16']);

/** A whole number below 2^32 in the order of the value; -0 is 0, NaN lies above Infinity. */
function rankOf(value: number, isInteger: boolean, bits: DataView): number {
  if (isInteger) return value + 2 ** 31;
  bits.setFloat32(0, value + 0);
  const word = bits.getUint32(0);
  return word < 2 ** 31 ? word + 2 ** 31 : 2 ** 32 - 1 - word;
}

function orderOf(type: ElementType, size: number, isLargest: boolean): Order {
  if (!keyed.has(type) || size > 2 ** positionBits) {
    return (line) =>
      Array.from(line.keys()).sort((p, q) => {
        const [x, y] = [line[p]!, line[q]!];
        return x === y ? p - q : x > y === isLargest ? -1 : 1;
      });
  }
  const [isInteger, bits] = [!isFloat(type), new DataView(new ArrayBuffer(4))];
  return (line) => {
    const keys = (line as Float64Array).map((value, position) => {
      const rank = rankOf(value, isInteger, bits);
      return (isLargest ? 2 ** 32 - 1 - rank : rank) * 2 ** positionBits + position;
    });
    return keys.sort().map((key) => key % 2 ** positionBits);
  };
}

/** Whole numbers that doubles do not tell apart. */
function isWide(data: TensorData): data is BigInt64Array | BigUint64Array {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}

function evaluate(a: Attributes, x: Tensor, k: Tensor): Tensor[] {
  const { shape } = infer(a, factsOf([x, k]))[0]!;
  const { outer, size, inner } = viewAround(x.shape, a.axis);
  const values: Line = isWide(x.data) ? x.data : toFloat64(x);
  const count = shape[normalizeAxis(a.axis, shape.length)]!;
  const source = new Int32Array(outer * count * inner);
  const indices = new Float64Array(source.length);
  const order = orderOf(x.type, size, a.mode === 'max');
  const line = values.slice(0, size);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = (position: number): number => (o * size + position) * inner + i;
      for (let p = 0; p < size; p++) line[p] = values[at(p)]!;
      const chosen = order(line).slice(0, count);
      if (a.sort === 'index') chosen.sort((p, q) => p - q);
      for (const [n, position] of chosen.entries()) {
        const to = (o * count + n) * inner + i;
        source[to] = at(position);
        indices[to] = position;
      }
    }
  }
  return [take(x, shape, source), fromFloat64(indices, shape, a.index_element_type)];
}

/** Types that the kernel sorts. */
const sorted: readonly ElementType[] = ['f32', 'i32', 'i64'];

/** A known number of elements, one at least, of lines that the kernel can count. */
function canLower(node: Node): boolean {
  const [k] = knownIntegers(node.source(1)?.fact) ?? [];
  return k !== undefined && k >= 1 && sorted.includes(node.source(0)!.fact.type);
}

function lower(a: Attributes, node: Node, context: LowerContext): void {
  const { outer, size, inner } = viewAround(node.source(0)!.fact.shape, a.axis);
  const [values, indices] = [node.outputs[0]!, node.outputs[1]!];
  const k = values.fact.shape[normalizeAxis(a.axis, values.fact.shape.length)]!;
  context.builder.call(
    'top_k',
    { outer, size, inner, k, largest: a.mode === 'max' ? 1 : 0, byIndex: a.sort === 'index' ? 1 : 0 },
    {
      name: node.name,
      in: [context.elements(node, 0, 'plain')],
      out: [context.place(values, 'plain'), context.place(indices, 'plain')],
    },
  );
}

/**
 * Inputs: data, k (a scalar). Outputs: the k largest (`max`) or smallest elements of each line, and their indices; in
 * order of value, of index, or any order (`none`: of value). Of equal elements the one with the lower index comes first.
 */
function define(opset: string): OpDef {
  return defineOp({
    type: 'TopK',
    opset,
    attributes,
    inputs: [2, 2],
    infer,
    evaluate: (a, [x, k]) => evaluate(a, x!, k!),
    lower: (a, node, context) => lower(a, node, context),
    canLower: (_, node) => canLower(node),
    runtime: {
      bytes: 'never',
      epilogue: 'none',
      types: { inputs: [sorted], outputs: [sorted, ['i32', 'i64']] },
    },
  });
}

export const topK: readonly OpDef[] = ['opset1', 'opset3', 'opset11'].map(define);
