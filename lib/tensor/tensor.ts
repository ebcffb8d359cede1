// A value: type, shape and elements.
import { LowpError } from '../errors/lowp-error.ts';
import { allocate, bitsOf, byteLengthOf, type ElementType, type TensorData } from './element-type.ts';
import { faultOfStrings, packStrings } from './packed-strings.ts';
import { elementCount, formatShape, type Shape } from './shape.ts';

/** Elements with a type and a shape; never written after creation. */
export interface Tensor {
  readonly type: ElementType;
  readonly shape: Shape;
  readonly data: TensorData;
}

/**
 * Makes a tensor.
 *
 * @param data  a typed array of the type's own kind (used in place), or plain numbers (copied), or strings
 * @throws {LowpError} `ERR_SHAPE_MISMATCH` when the number of elements differs from the shape's,
 *   `ERR_TYPE_MISMATCH` when the array is of another kind, or a number is not whole, or out of range, in a tensor of i64 or u64, or strings and numbers are mixed
 */
export function tensor(
  type: ElementType,
  shape: Shape,
  data: TensorData | readonly (number | bigint)[] | readonly string[],
): Tensor {
  const count = elementCount(shape);
  if (type === 'string') return { type, shape: [...shape], data: ofStrings(shape, data) };
  const expected = bitsOf(type) < 8 ? byteLengthOf(type, count) : count;
  if (data.length !== expected) {
    throw new LowpError(
      'ERR_SHAPE_MISMATCH',
      `a tensor of shape ${formatShape(shape)} and type ${type} needs ${expected} elements, got ${data.length}`,
    );
  }
  if (ArrayBuffer.isView(data)) {
    if (data.constructor !== allocate(type, 0).constructor) {
      throw new LowpError('ERR_TYPE_MISMATCH', `a tensor of type ${type} cannot hold a ${data.constructor.name}`);
    }
    return { type, shape: [...shape], data };
  }
  const array = allocate(type, count);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
    for (let i = 0; i < count; i++) array[i] = wholeNumber(type, data[i]!);
  } else {
    for (let i = 0; i < count; i++) array[i] = plainNumber(type, data[i]!);
  }
  return { type, shape: [...shape], data: array };
}

/** A zero-filled tensor. */
export function zeros(type: ElementType, shape: Shape): Tensor {
  return { type, shape: [...shape], data: allocate(type, elementCount(shape)) };
}

export function scalar(type: ElementType, value: number): Tensor {
  return tensor(type, [], [value]);
}

function ofStrings(shape: Shape, data: Parameters<typeof tensor>[2]): Uint8Array {
  if (!(data instanceof Uint8Array)) {
    const values = Array.from<unknown>(data);
    if (!values.every((v) => typeof v === 'string')) {
      throw new LowpError('ERR_TYPE_MISMATCH', 'a tensor of strings cannot hold numbers');
    }
    return ofStrings(shape, packStrings(values));
  }
  const fault = faultOfStrings(data, elementCount(shape));
  if (fault === undefined) return data;
  throw new LowpError(
    'ERR_SHAPE_MISMATCH',
    `the memory of a tensor of strings of shape ${formatShape(shape)}: ${fault}`,
  );
}

function plainNumber(type: ElementType, value: number | bigint | string): number {
  if (typeof value !== 'string') return Number(value);
  throw new LowpError('ERR_TYPE_MISMATCH', `a tensor of type ${type} cannot hold the string ${JSON.stringify(value)}`);
}

function wholeNumber(type: ElementType, value: number | bigint | string): bigint {
  if (typeof value === 'bigint' || Number.isInteger(value)) {
    const whole = BigInt(value);
    if (whole === (type === 'i64' ? BigInt.asIntN(64, whole) : BigInt.asUintN(64, whole))) return whole;
  }
  throw new LowpError('ERR_TYPE_MISMATCH', `a tensor of type ${type} cannot hold ${value}`);
}
