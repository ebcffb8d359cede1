/** ONNX data type numbers and the element types they stand for. */
import { LowpError } from '../../errors/lowp-error.ts';
import { bitsOf, type ElementType, elementTypes } from '../../tensor/element-type.ts';
import { isMinifloat } from '../../tensor/minifloat.ts';

/** The values of `AttributeProto.type`. */
export const attributeKinds = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

export type AttributeKind = keyof typeof attributeKinds;

const numbers: Partial<Record<ElementType, number>> = {
  f32: 1,
  u8: 2,
  i8: 3,
  u16: 4,
  i16: 5,
  i32: 6,
  i64: 7,
  string: 8,
  boolean: 9,
  f16: 10,
  f64: 11,
  u32: 12,
  u64: 13,
  bf16: 16,
  f8e4m3: 17,
  f8e4m3fnuz: 18,
  f8e5m2: 19,
  f8e5m2fnuz: 20,
  u4: 21,
  i4: 22,
  f4e2m1: 23,
  f8e8m0: 24,
  u2: 25,
  i2: 26,
};

const unsupported: Readonly<Record<number, string>> = {
  14: 'complex64',
  15: 'complex128',
};

const byNumber = new Map<number, ElementType>();
for (const type of elementTypes) {
  const number = numbers[type];
  if (number !== undefined) byNumber.set(number, type);
}

/**
 * The element type of an ONNX data type number.
 *
 * @param where  what the type belongs to, for the message
 * @throws {LowpError} `ERR_TYPE_UNSUPPORTED`, `ERR_ONNX_TENSOR` for a number that ONNX does not define
 */
export function elementTypeOf(number: number, where: string): ElementType {
  const type = byNumber.get(number);
  if (type) return type;
  const name = unsupported[number];
  if (name)
    throw new LowpError('ERR_TYPE_UNSUPPORTED', `${where} has the element type ${name}, which lowp cannot hold`);
  throw new LowpError('ERR_ONNX_TENSOR', `${where} has the data type ${number}, which is not an ONNX data type`);
}

/**
 * The ONNX data type number of an element type.
 *
 * @throws {LowpError} `ERR_FORMAT_UNSUPPORTED` when ONNX has none
 */
export function onnxTypeOf(type: ElementType): number {
  const number = numbers[type];
  if (number !== undefined) return number;
  throw new LowpError('ERR_FORMAT_UNSUPPORTED', `ONNX has no data type for ${type}`);
}

/** True for types that operators of opset 17, which is written, take: nothing narrower than a byte, no floats of 8 bits. */
export function isWritable(type: ElementType): boolean {
  return bitsOf(type) >= 8 && !isMinifloat(type);
}

/**
 * The type in which values of an ONNX type are computed: every float type becomes f32, the rest stays.
 * A float16 model is run in f32, as its weights are.
 */
export function computeType(type: ElementType): ElementType {
  return type === 'f16' || type === 'bf16' || type === 'f64' ? 'f32' : type;
}
