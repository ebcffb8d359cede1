// The contract of data: samples that can be read again and again in the same order.
import { LowpError } from '../errors/lowp-error.ts';
import { convert, integerRange, toFloat64 } from '../tensor/convert.ts';
import { type ElementType, isFloat, isInteger } from '../tensor/element-type.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** How the pixels of an image became those of the model's input: `x' = x · scaleX + left`. */
export interface Geometry {
  /** Of the image as it was. */
  readonly width: number;
  readonly height: number;
  readonly inputWidth: number;
  readonly inputHeight: number;
  readonly scaleX: number;
  readonly scaleY: number;
  /** Negative where something was cropped. */
  readonly left: number;
  readonly top: number;
}

/** One item of data, batch 1: tensors by input name. */
export interface Sample {
  /** Where it comes from: a file name or `file.npy[17]`. */
  readonly id: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** Of images only. */
  readonly geometry?: Geometry;
}

/** Samples in a fixed order; iterating again starts again. */
export interface Dataset extends AsyncIterable<Sample> {
  /** For messages. */
  readonly name: string;
  readonly length: number;
  /** One sample, for datasets that can read it without those before. */
  at?(index: number): Promise<Sample>;
}

/** The first samples of a dataset, at most `count`. */
export function firstSamples<D extends Dataset>(data: D, count: number): D {
  if (count >= data.length) return data;
  return {
    ...data,
    length: count,
    async *[Symbol.asyncIterator]() {
      let left = count;
      if (left === 0) return;
      for await (const sample of data) {
        yield sample;
        if (--left === 0) return;
      }
    },
  };
}

/** A model input as data has to fit it. */
export interface InputInfo {
  readonly name: string;
  readonly type: ElementType;
  /** -1 fits any size. */
  readonly shape: Shape;
}

/** What a float input takes without losing what the values mean: floats, and integers that count no further than 65535. */
const floatSources = new Set<ElementType>(['f32', 'f16', 'f64', 'bf16', 'u8', 'i8', 'u16', 'i16']);

/**
 * The tensor as the input takes it. Floats take floats and integers up to 16 bits (values are kept); integers take
 * integers that fit; nothing else is converted.
 *
 * @param id  names the sample in messages
 * @throws {LowpError} `ERR_DATA_SHAPE`, `ERR_DATA_TYPE`, `ERR_DATA_NOT_FINITE`
 */
export function fitInput(t: Tensor, input: InputInfo, id: string): Tensor {
  requireShape(t, input, id);
  const from = `${id}: the sample`;
  const allowed = isFloat(input.type)
    ? floatSources.has(t.type)
    : t.type === input.type || (isInteger(input.type) && isInteger(t.type));
  if (!allowed) {
    throw new LowpError('ERR_DATA_TYPE', `${from} has type ${t.type}, input '${input.name}' takes ${input.type}`);
  }
  if (t.type !== input.type && isInteger(input.type)) {
    const [low, high] = integerRange(input.type) ?? [input.type === 'u64' ? 0 : -Infinity, Infinity];
    const bad = toFloat64(t).find((v) => v < low || v > high);
    if (bad !== undefined)
      throw new LowpError('ERR_DATA_TYPE', `${from} contains ${bad}, input '${input.name}' takes ${input.type}`);
  }
  const fitted = convert(t, input.type);
  if (isFloat(input.type)) requireFinite(fitted, `${from} for input '${input.name}'`);
  return fitted;
}

function requireFinite(t: Tensor, what: string): void {
  const values = t.data instanceof Float32Array ? t.data : toFloat64(t);
  const bad = values.find((v) => !Number.isFinite(v));
  if (bad !== undefined) throw new LowpError('ERR_DATA_NOT_FINITE', `${what} contains ${bad} as ${t.type}`);
}

function requireShape(t: Tensor, input: InputInfo, id: string): void {
  const fits =
    t.shape.length === input.shape.length && t.shape.every((d, i) => input.shape[i]! < 0 || input.shape[i] === d);
  if (fits) return;
  throw new LowpError(
    'ERR_DATA_SHAPE',
    `${id}: the sample has shape ${formatShape(t.shape)}, input '${input.name}' takes ${formatShape(input.shape)}`,
    { help: 'Images are resized with --resize and --crop; the first axis of an array counts samples.' },
  );
}
