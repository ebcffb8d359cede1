// Elements from one type to another.
import { LowpError } from '../errors/lowp-error.ts';
import { allocate, bitsOf, type ElementType, isFloat } from './element-type.ts';
import { fromBfloat16, fromHalf, toBfloat16, toHalf } from './f16.ts';
import { fromMinifloat, isMinifloat, toMinifloat } from './minifloat.ts';
import { elementCount } from './shape.ts';
import { stringTensor, toStrings } from './strings.ts';
import type { Tensor } from './tensor.ts';

const integerRanges: Partial<Record<ElementType, readonly [number, number]>> = {
  i2: [-2, 1],
  u2: [0, 3],
  u3: [0, 7],
  i4: [-8, 7],
  u4: [0, 15],
  u6: [0, 63],
  u1: [0, 1],
  i8: [-128, 127],
  u8: [0, 255],
  i16: [-32768, 32767],
  u16: [0, 65535],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
};

/** Smallest and largest value of an integer type up to 32 bits. */
export function integerRange(type: ElementType): readonly [number, number] | undefined {
  return integerRanges[type];
}

/**
 * The elements as doubles. i64 and u64 beyond 2^53 lose precision; types narrower than a byte are packed from the lowest
 * bits up without gaps, so that elements of three and six bits may lie in two bytes; u1 from the highest down.
 *
 * @throws {LowpError} `ERR_TYPE_UNSUPPORTED` for strings, as all functions here
 */
export function toFloat64(t: Tensor): Float64Array {
  if (t.type === 'string') throw new LowpError('ERR_TYPE_UNSUPPORTED', 'strings are no numbers');
  const count = elementCount(t.shape);
  const out = new Float64Array(count);
  const { type, data } = t;
  if (type === 'f16') for (let i = 0; i < count; i++) out[i] = fromHalf(Number(data[i]));
  else if (type === 'bf16') for (let i = 0; i < count; i++) out[i] = fromBfloat16(Number(data[i]));
  else if (bitsOf(type) < 8 || isMinifloat(type)) {
    const value = decoderOf(type);
    for (let i = 0; i < count; i++) out[i] = value(codeAt(data as Uint8Array, type, i));
  } else if (data instanceof BigInt64Array || data instanceof BigUint64Array) readWide(data, out);
  else out.set(data);
  return out;
}

const wordSize = 2 ** 32;

/** By halves, low before high as on every CPU that Node.js runs on: a BigInt per element takes ten times as long. */
function readWide(data: BigInt64Array | BigUint64Array, out: Float64Array): void {
  const low = new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
  const high = data instanceof BigInt64Array ? new Int32Array(data.buffer, data.byteOffset, 2 * data.length) : low;
  for (let i = 0; i < out.length; i++) out[i] = high[2 * i + 1]! * wordSize + low[2 * i]!;
}

/** Whole numbers beyond 2^53 have no exact halves here and go through BigInt. */
function writeWide(data: BigInt64Array | BigUint64Array, values: Float64Array): void {
  const unsigned = data instanceof BigUint64Array;
  const words = new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
  for (let i = 0; i < values.length; i++) {
    const v = Math.trunc(values[i]!);
    if (Math.abs(v) <= Number.MAX_SAFE_INTEGER) {
      const whole = unsigned && v < 0 ? 0 : v;
      const high = Math.floor(whole / wordSize);
      words[2 * i] = whole - high * wordSize;
      words[2 * i + 1] = high;
      continue;
    }
    data[i] = saturated(v, unsigned ? 0n : -(2n ** 63n), unsigned ? 2n ** 64n - 1n : 2n ** 63n - 1n);
  }
}

function saturated(v: number, least: bigint, most: bigint): bigint {
  if (Number.isNaN(v)) return 0n;
  if (v <= Number(least)) return least;
  return v >= Number(most) ? most : BigInt(v);
}

/** The bits of one element of at most eight bits. */
function codeAt(data: Uint8Array, type: ElementType, i: number): number {
  const bits = bitsOf(type);
  const [at, shift] = [Math.floor((i * bits) / 8), shiftOf(type, i)];
  const word = shift + bits > 8 ? data[at]! | (data[at + 1]! << 8) : data[at]!;
  return (word >> shift) & (2 ** bits - 1);
}

/** Puts the bits of one element where zeros are. */
function putCode(data: Uint8Array, type: ElementType, i: number, code: number): void {
  const bits = bitsOf(type);
  const [at, shift] = [Math.floor((i * bits) / 8), shiftOf(type, i)];
  data[at]! |= code << shift;
  if (shift + bits > 8) data[at + 1]! |= code >> (8 - shift);
}

/** How far the bits of an element lie above the lowest bit of their byte. */
function shiftOf(type: ElementType, i: number): number {
  return type === 'u1' ? 7 - (i & 7) : (i * bitsOf(type)) & 7;
}

function decoderOf(type: ElementType): (code: number) => number {
  if (isMinifloat(type)) return (code) => fromMinifloat(type, code);
  const bits = bitsOf(type);
  return integerRanges[type]![0] < 0 ? (code) => (code >= 2 ** (bits - 1) ? code - 2 ** bits : code) : (code) => code;
}

/** The bits of each element of a type of at most eight bits, in a byte of its own. */
export function codesOf(t: Tensor): Uint8Array {
  return Uint8Array.from({ length: elementCount(t.shape) }, (_, i) => codeAt(t.data as Uint8Array, t.type, i));
}

/** The tensor whose elements have these bits: what {@link codesOf} takes apart. */
export function fromCodes(codes: Uint8Array, shape: Tensor['shape'], type: ElementType): Tensor {
  const data = allocate(type, codes.length) as Uint8Array;
  for (const [i, code] of codes.entries()) putCode(data, type, i, code);
  return { type, shape: [...shape], data };
}

/** Whole numbers narrower than a byte as `i8` or `u8`; any other tensor as it is. */
export function asBytes(t: Tensor): Tensor {
  if (bitsOf(t.type) >= 8 || isFloat(t.type)) return t;
  return fromFloat64(toFloat64(t), t.shape, t.type.startsWith('i') ? 'i8' : 'u8');
}

/** The elements as integers of JavaScript: for shapes, axes and sizes. */
export function toIntegers(t: Tensor): number[] {
  return Array.from(toFloat64(t), (v) => Math.trunc(v));
}

/** The elements as 32-bit floats; in place when the tensor is f32 already. */
export function toFloat32(t: Tensor): Float32Array {
  if (t.data instanceof Float32Array) return t.data;
  const count = elementCount(t.shape);
  const out = new Float32Array(count);
  if (t.type === 'f16') for (let i = 0; i < count; i++) out[i] = fromHalf(Number(t.data[i]));
  else out.set(toFloat64(t));
  return out;
}

/** Numbers as the text of Cast of ONNX: decimals with or without an exponent, infinities, NaN. */
const numberText = /^[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?|nan)$/i;

function numberOf(text: string): number {
  const word = text.trim().toLowerCase();
  if (!numberText.test(word))
    throw new LowpError('ERR_TYPE_MISMATCH', `the string ${JSON.stringify(text)} is no number`);
  if (word.endsWith('nan')) return Number.NaN;
  if (!word.includes('inf')) return Number(word);
  return word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Numbers as decimals: floats by the fewest digits that give them back, with an exponent where that is shorter. */
function asText(t: Tensor): Tensor {
  const isWide = t.data instanceof BigInt64Array || t.data instanceof BigUint64Array;
  const text = isFloat(t.type) ? (v: number | bigint) => floatText(Number(v), t.type) : String;
  return stringTensor(t.shape, Array.from<number | bigint, string>(isWide ? t.data : toFloat64(t), text));
}

function floatText(v: number, type: ElementType): string {
  if (!Number.isFinite(v)) return Number.isNaN(v) ? 'NaN' : v > 0 ? 'INF' : '-INF';
  const isSame = (text: string): boolean => toFloat64(fromFloat64(Float64Array.of(Number(text)), [1], type))[0] === v;
  for (let digits = 1; digits < 17; digits++) {
    const text = v.toPrecision(digits);
    if (isSame(text)) return Object.is(v, -0) ? '-0' : String(Number(text));
  }
  return String(v);
}

/**
 * Converts the element type as the Convert operation does: float to integer truncates toward zero and saturates,
 * anything non-zero becomes boolean 1, float to float rounds to nearest even. Strings become the number that they say, numbers
 * the shortest text that says them.
 *
 * @throws {LowpError} `ERR_TYPE_MISMATCH` for a string that says no number
 */
export function convert(t: Tensor, type: ElementType): Tensor {
  if (t.type === type) return t;
  if (t.type === 'string') return fromFloat64(Float64Array.from(toStrings(t), numberOf), t.shape, type);
  if (type === 'string') return asText(t);
  return fromFloat64(toFloat64(t), t.shape, type);
}

/** Doubles as a tensor of `type`, by the rules of {@link convert}. */
export function fromFloat64(values: Float64Array, shape: Tensor['shape'], type: ElementType): Tensor {
  const data = allocate(type, values.length);
  if (type === 'f16') for (let i = 0; i < values.length; i++) data[i] = toHalf(values[i]!);
  else if (type === 'bf16') for (let i = 0; i < values.length; i++) data[i] = toBfloat16(values[i]!);
  else if (type === 'boolean') for (let i = 0; i < values.length; i++) data[i] = values[i] === 0 ? 0 : 1;
  else if (bitsOf(type) < 8 || isMinifloat(type)) encode(data as Uint8Array, values, type);
  else if (isFloat(type)) (data as Float32Array | Float64Array).set(values);
  else if (data instanceof BigInt64Array || data instanceof BigUint64Array) writeWide(data, values);
  else {
    const [low, high] = integerRanges[type]!;
    for (let i = 0; i < values.length; i++) data[i] = Math.min(high, Math.max(low, Math.trunc(values[i]!)));
  }
  return { type, shape: [...shape], data };
}

/** Elements of at most eight bits; whole numbers are truncated and saturate. */
function encode(data: Uint8Array, values: Float64Array, type: ElementType): void {
  const range = integerRanges[type];
  const mask = 2 ** bitsOf(type) - 1;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    const code = range ? Math.min(range[1], Math.max(range[0], Math.trunc(v))) & mask : toMinifloat(type, v);
    putCode(data, type, i, code);
  }
}
