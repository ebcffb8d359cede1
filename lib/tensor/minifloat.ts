/** Floats of eight and four bits: a few exponent and mantissa bits, each with its own rule for infinities and NaN; and nf4. */
import type { ElementType } from './element-type.ts';

interface Format {
  readonly bits: 4 | 8;
  readonly mantissaBits: number;
  /** `2^(exponent − bias) · (1 + mantissa / 2^mantissaBits)`; exponent 0 holds subnormals. */
  readonly bias: number;
  readonly signed: boolean;
  /** Codes without the sign bit: the largest finite number, and what stands for infinity. */
  readonly largest: number;
  readonly infinity?: number;
  /** The whole code of NaN. Without one, numbers beyond the largest become the largest, and NaN zero. */
  readonly nan?: number;
}

const formats: Partial<Record<ElementType, Format>> = {
  f8e4m3: { bits: 8, mantissaBits: 3, bias: 7, signed: true, largest: 0x7e, nan: 0x7f },
  f8e4m3fnuz: { bits: 8, mantissaBits: 3, bias: 8, signed: true, largest: 0x7f, nan: 0x80 },
  f8e5m2: { bits: 8, mantissaBits: 2, bias: 15, signed: true, largest: 0x7b, infinity: 0x7c, nan: 0x7e },
  f8e5m2fnuz: { bits: 8, mantissaBits: 2, bias: 16, signed: true, largest: 0x7f, nan: 0x80 },
  f8e8m0: { bits: 8, mantissaBits: 0, bias: 127, signed: false, largest: 0xfe, nan: 0xff },
  f4e2m1: { bits: 4, mantissaBits: 1, bias: 1, signed: true, largest: 0x7 },
};

/**
 * The numbers of nf4 (NormalFloat): quantiles of the normal distribution, scaled to [−1, 1], in f32, as in QLoRA
 * (arXiv 2305.14314, appendix E). Weights are stored as such a number times the scale of their group.
 */
const normalFloats = Float64Array.from(
  [
    -1, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.091050036, 0, 0.0795803, 0.1609302, 0.2461123,
    0.33791524, 0.44070983, 0.562617, 0.72295684, 1,
  ],
  Math.fround,
);

/** Numbers by code, and the finite ones without sign in ascending order, which is the order of their codes. */
interface Codec extends Format {
  readonly values: Float64Array;
  readonly magnitudes: Float64Array;
  /** From here on a number rounds beyond the largest one. */
  readonly limit: number;
}

const codecs = new Map<ElementType, Codec>();

function magnitude(f: Format, code: number): number {
  const mantissa = code & (2 ** f.mantissaBits - 1);
  const exponent = code >> f.mantissaBits;
  // A format of nothing but exponents has no zero and no subnormals.
  if (!f.signed) return 2 ** (exponent - f.bias);
  const fraction = mantissa / 2 ** f.mantissaBits;
  return exponent === 0 ? fraction * 2 ** (1 - f.bias) : (1 + fraction) * 2 ** (exponent - f.bias);
}

function codecOf(type: ElementType): Codec | undefined {
  const known = codecs.get(type);
  const f = formats[type];
  if (known || !f) return known;
  const signBit = f.signed ? 2 ** (f.bits - 1) : 256;
  const values = Float64Array.from({ length: 2 ** f.bits }, (_, code) => {
    const low = code % signBit;
    if (code === f.nan || (low > f.largest && low !== f.infinity)) return Number.NaN;
    const size = low === f.infinity ? Infinity : magnitude(f, low);
    return code >= signBit ? -size : size;
  });
  const magnitudes = Float64Array.from({ length: f.largest + 1 }, (_, code) => magnitude(f, code));
  const step = f.signed ? magnitudes[f.largest]! - magnitudes[f.largest - 1]! : Infinity;
  const codec = { ...f, values, magnitudes, limit: magnitudes[f.largest]! + step / 2 };
  codecs.set(type, codec);
  return codec;
}

/** True for the types of this file. */
export function isMinifloat(type: ElementType): boolean {
  return type === 'nf4' || formats[type] !== undefined;
}

/** The largest finite number of a type of this file. */
export function largestOf(type: ElementType): number {
  if (type === 'nf4') return 1;
  return codecOf(type)!.magnitudes.at(-1)!;
}

/** Code → number, exact. */
export function fromMinifloat(type: ElementType, code: number): number {
  if (type === 'nf4') return normalFloats[code]!;
  return codecOf(type)!.values[code]!;
}

/**
 * Number → code, rounded to nearest even; f8e8m0 rounds up to a power of two, nf4 takes the lower of two that are as
 * near. Beyond the largest number: infinity, else NaN, else the largest number.
 */
export function toMinifloat(type: ElementType, value: number): number {
  if (type === 'nf4') return toNormalFloat(value);
  const c = codecOf(type)!;
  if (Number.isNaN(value)) return c.nan ?? 0;
  const negative = value < 0 || Object.is(value, -0);
  const size = Math.abs(value);
  if (!c.signed && negative && size > 0) return c.nan!;
  const sign = negative && c.signed ? 2 ** (c.bits - 1) : 0;
  if (size >= c.limit) return c.infinity !== undefined ? sign | c.infinity : (c.nan ?? sign | c.largest);
  const code = nearest(c, size);
  // The code of a negative zero is NaN where there is only one zero.
  return (sign | code) === c.nan && code === 0 ? 0 : sign | code;
}

function toNormalFloat(value: number): number {
  if (Number.isNaN(value)) return normalFloats.indexOf(0);
  let code = 0;
  while (code < 15 && value > (normalFloats[code]! + normalFloats[code + 1]!) / 2) code++;
  return code;
}

function nearest({ magnitudes, signed }: Codec, size: number): number {
  let [low, high] = [0, magnitudes.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (magnitudes[middle]! <= size) low = middle;
    else high = middle - 1;
  }
  if (low === magnitudes.length - 1 || size <= magnitudes[low]!) return low;
  if (!signed) return low + 1;
  const [below, above] = [size - magnitudes[low]!, magnitudes[low + 1]! - size];
  return below < above || (below === above && low % 2 === 0) ? low : low + 1;
}
