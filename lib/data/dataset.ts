// The contract of data: samples that can be read again and again in the same order.
import { LowpError } from '../errors/lowp-error.ts';
import { convert } from '../tensor/convert.ts';
import type { ElementType } from '../tensor/element-type.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** One item of data, batch 1: tensors by input name. */
export interface Sample {
  /** Where it comes from: a file name or `file.npy[17]`. */
  readonly id: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
}

/** Samples in a fixed order; iterating again starts again. */
export interface Dataset extends AsyncIterable<Sample> {
  /** For messages. */
  readonly name: string;
  readonly length: number;
}

/** A model input as data has to fit it. */
export interface InputInfo {
  readonly name: string;
  readonly type: ElementType;
  /** -1 fits any size. */
  readonly shape: Shape;
}

const floatSources = new Set<ElementType>(['f32', 'f16', 'f64', 'bf16', 'u8', 'i8', 'u16', 'i16']);
const integerTypes = new Set<ElementType>(['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64']);

/**
 * The tensor as the input takes it. Floats take floats and integers up to 16 bits (values are kept); integers take
 * integers; nothing else is converted.
 *
 * @throws {LowpError} `ERR_DATA_SHAPE`, `ERR_DATA_TYPE`, `ERR_DATA_NOT_FINITE`
 */
export function fitInput(t: Tensor, input: InputInfo, id: string): Tensor {
  const fits =
    t.shape.length === input.shape.length && t.shape.every((d, i) => input.shape[i]! < 0 || input.shape[i] === d);
  if (!fits) {
    throw new LowpError(
      'ERR_DATA_SHAPE',
      `${id}: the sample has shape ${formatShape(t.shape)}, input '${input.name}' takes ${formatShape(input.shape)}`,
      {
        help: 'Images are resized with --resize and --crop; the first axis of an array counts samples.',
      },
    );
  }
  const isFloat = input.type === 'f32' || input.type === 'f16';
  const allowed = isFloat
    ? floatSources.has(t.type)
    : t.type === input.type || (integerTypes.has(input.type) && integerTypes.has(t.type));
  if (!allowed) {
    throw new LowpError(
      'ERR_DATA_TYPE',
      `${id}: the sample has type ${t.type}, input '${input.name}' takes ${input.type}`,
    );
  }
  const out = convert(t, input.type);
  if (out.data instanceof Float32Array) {
    for (const v of out.data) {
      if (Number.isFinite(v)) continue;
      throw new LowpError('ERR_DATA_NOT_FINITE', `${id}: the sample for input '${input.name}' contains ${v}`);
    }
  }
  return out;
}
