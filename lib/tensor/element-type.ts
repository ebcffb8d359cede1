// Types of elements, and the arrays that hold them.
import { LowpError } from '../errors/lowp-error.ts';
import { withinMemory } from '../errors/refused-memory.ts';

/** Element types of tensors, spelled as OpenVINO does. */
export type ElementType =
  | 'f32'
  | 'f16'
  | 'bf16'
  | 'f64'
  | 'f8e4m3'
  | 'f8e4m3fnuz'
  | 'f8e5m2'
  | 'f8e5m2fnuz'
  | 'f8e8m0'
  | 'f4e2m1'
  | 'nf4'
  | 'i8'
  | 'u8'
  | 'i16'
  | 'u16'
  | 'i32'
  | 'u32'
  | 'i64'
  | 'u64'
  | 'i4'
  | 'i2'
  | 'u2'
  | 'u3'
  | 'u4'
  | 'u6'
  | 'u1'
  | 'boolean'
  | 'string';

/** The array that holds a tensor's elements; `f16`, `bf16` and narrower floats are raw bits, `boolean` is one byte, sub-byte types are packed, strings are as in `packed-strings.ts`. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

interface TypeEntry {
  readonly bits: number;
  readonly array: new (buffer: ArrayBufferLike, offset: number, length: number) => TensorData;
  readonly kind: 'float' | 'signed' | 'unsigned' | 'boolean' | 'text';
}

const types: Record<ElementType, TypeEntry> = {
  f32: { bits: 32, array: Float32Array, kind: 'float' },
  f16: { bits: 16, array: Uint16Array, kind: 'float' },
  bf16: { bits: 16, array: Uint16Array, kind: 'float' },
  f64: { bits: 64, array: Float64Array, kind: 'float' },
  f8e4m3: { bits: 8, array: Uint8Array, kind: 'float' },
  f8e4m3fnuz: { bits: 8, array: Uint8Array, kind: 'float' },
  f8e5m2: { bits: 8, array: Uint8Array, kind: 'float' },
  f8e5m2fnuz: { bits: 8, array: Uint8Array, kind: 'float' },
  f8e8m0: { bits: 8, array: Uint8Array, kind: 'float' },
  f4e2m1: { bits: 4, array: Uint8Array, kind: 'float' },
  nf4: { bits: 4, array: Uint8Array, kind: 'float' },
  i8: { bits: 8, array: Int8Array, kind: 'signed' },
  u8: { bits: 8, array: Uint8Array, kind: 'unsigned' },
  i16: { bits: 16, array: Int16Array, kind: 'signed' },
  u16: { bits: 16, array: Uint16Array, kind: 'unsigned' },
  i32: { bits: 32, array: Int32Array, kind: 'signed' },
  u32: { bits: 32, array: Uint32Array, kind: 'unsigned' },
  i64: { bits: 64, array: BigInt64Array, kind: 'signed' },
  u64: { bits: 64, array: BigUint64Array, kind: 'unsigned' },
  i2: { bits: 2, array: Uint8Array, kind: 'signed' },
  u2: { bits: 2, array: Uint8Array, kind: 'unsigned' },
  u3: { bits: 3, array: Uint8Array, kind: 'unsigned' },
  i4: { bits: 4, array: Uint8Array, kind: 'signed' },
  u4: { bits: 4, array: Uint8Array, kind: 'unsigned' },
  u6: { bits: 6, array: Uint8Array, kind: 'unsigned' },
  u1: { bits: 1, array: Uint8Array, kind: 'unsigned' },
  boolean: { bits: 8, array: Uint8Array, kind: 'boolean' },
  string: { bits: 32, array: Uint8Array, kind: 'text' },
};

export const elementTypes = Object.keys(types) as readonly ElementType[];

export function isElementType(name: string): name is ElementType {
  return Object.hasOwn(types, name);
}

/** Size of one element in bits: 1 to 64; of a string that of the number that says where it ends. */
export function bitsOf(type: ElementType): number {
  return types[type].bits;
}

/** Bytes that `count` packed elements take: `ceil(count · bits / 8)`. */
export function byteLengthOf(type: ElementType, count: number): number {
  return Math.ceil((count * types[type].bits) / 8);
}

/** True for f16, bf16, f32, f64 and the floats of 8 and 4 bits. */
export function isFloat(type: ElementType): boolean {
  return types[type].kind === 'float';
}

/** True for every integer type, `boolean` excluded. */
export function isInteger(type: ElementType): boolean {
  return types[type].kind === 'signed' || types[type].kind === 'unsigned';
}

/**
 * A new zero-filled array for `count` elements.
 *
 * @throws {LowpError} `ERR_LIMIT_SIZE` when there is not so much memory, or an array cannot be so long,
 *   `ERR_TYPE_UNSUPPORTED` for strings
 */
export function allocate(type: ElementType, count: number): TensorData {
  if (type === 'string') throw new LowpError('ERR_TYPE_UNSUPPORTED', 'strings are not computed here');
  const bytes = byteLengthOf(type, count);
  const { array, bits } = types[type];
  return withinMemory(() => new array(new ArrayBuffer(bytes), 0, bits < 8 ? bytes : count));
}

/**
 * The `count` elements that start at byte `offset` of `bytes`: a view where alignment allows, else a copy.
 * The caller has checked the range. Not for strings.
 */
export function viewBytes(type: ElementType, bytes: Uint8Array, offset: number, count: number): TensorData {
  const { array, bits } = types[type];
  const length = bits < 8 ? byteLengthOf(type, count) : count;
  const start = bytes.byteOffset + offset;
  if (bits <= 8 || start % (bits / 8) === 0) return new array(bytes.buffer, start, length);
  const size = byteLengthOf(type, count);
  return new array(new Uint8Array(bytes.subarray(offset, offset + size)).buffer, 0, length);
}
