// Pieces of attribute schemas: each accepts the text of an IR file and the plain value alike.
import * as z from 'zod';
import { type ElementType, isElementType } from '../tensor/element-type.ts';

/** Text or bigint → number; anything else passes unchanged and is judged by the schema behind. */
function toNumber(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string' || value.trim() === '') return value;
  const number = Number(value);
  if (!Number.isNaN(number)) return number;
  const word = value.trim().toLowerCase();
  if (/^[+-]?inf(inity)?$/.test(word))
    return word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return value;
}

function toList(value: unknown): unknown {
  if (typeof value === 'string') return value.trim() === '' ? [] : value.split(',').map(toNumber);
  if (typeof value === 'number' || typeof value === 'bigint') return [toNumber(value)];
  if (value instanceof BigInt64Array || value instanceof Int32Array) return Array.from(value, Number);
  return Array.isArray(value) ? value.map(toNumber) : value;
}

/** An integer: `3`, `"3"`, `"3.0"`. */
export const int = z.preprocess(toNumber, z.number().int());

/** A number, infinities included: `0.5`, `"1e-5"`, `"inf"`. */
export const float = z.preprocess(
  toNumber,
  z.custom<number>((v) => typeof v === 'number' && !Number.isNaN(v), 'a number is expected'),
);

/** A list of integers: `[1, 1]`, `"1, 1"`, `"1.0,1.0"`, `""`, or a single number. */
export const intList = z.preprocess(toList, z.array(z.number().int()));

/** A list of numbers, in the same spellings. */
export const floatList = z.preprocess(toList, z.array(z.number()));

/** A list of words: `["sigmoid", "tanh"]`, `"sigmoid, tanh"`, `""`. */
export const wordList = z.preprocess(
  (v) =>
    typeof v !== 'string'
      ? v
      : v
          .split(',')
          .map((word) => word.trim())
          .filter((word) => word !== ''),
  z.array(z.string()),
);

const truth: Readonly<Record<string, boolean>> = { true: true, false: false, '1': true, '0': false };

/** A truth value: `true`, `"True"`, `"1"`, `1`. */
export const bool = z.preprocess((v) => {
  if (typeof v === 'boolean') return v;
  return truth[String(v).trim().toLowerCase()] ?? v;
}, z.boolean());

/** One of the given lower-case words, compared without case. */
export function enumeration<const T extends readonly [string, ...string[]]>(words: T) {
  return z.preprocess((v) => (typeof v === 'string' ? v.trim().toLowerCase() : v), z.enum(words));
}

const portSpellings: Readonly<Record<string, ElementType>> = {
  fp64: 'f64',
  fp32: 'f32',
  fp16: 'f16',
  bool: 'boolean',
  bin: 'u1',
};

/** An element type: `f32`, and the spelling of IR ports, `FP32`. */
export const elementType = z.preprocess(
  (v) => {
    if (typeof v !== 'string') return v;
    const word = v.trim().toLowerCase();
    return portSpellings[word] ?? word;
  },
  z.custom<ElementType>((v) => typeof v === 'string' && isElementType(v), 'an element type is expected'),
);

/** Padding rule of windows; `notset` is an older word for `explicit`. */
export const autoPad = enumeration(['explicit', 'notset', 'same_upper', 'same_lower', 'valid']).default('explicit');

/** How the shapes of two operands meet. */
export const autoBroadcast = enumeration(['numpy', 'none', 'explicit', 'pdpd']).default('numpy');

/** No attributes. */
export const noAttributes = z.object({});
