/** TensorProto to Tensor: checks of the declared shape and type against the data, views where possible. */
import { limits } from '../../errors/limits.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import {
  allocate,
  bitsOf,
  byteLengthOf,
  type ElementType,
  elementTypes,
  viewBytes,
} from '../../tensor/element-type.ts';
import { lazyTensor } from '../../tensor/lazy.ts';
import { elementCount, formatShape } from '../../tensor/shape.ts';
import { stringTensor } from '../../tensor/strings.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { elementTypeOf } from './data-types.ts';
import { locateExternalData } from './external-data.ts';
import type { TensorProto } from './onnx_pb.ts';

/** Largest rank of a tensor that is read. */
export const maxRank = limits.rank.value;

/** Types of at most 32 bits share one field; packed ones are bytes there. */
const narrowTypes = elementTypes.filter((t) => bitsOf(t) <= 32 && !['f32', 'u32', 'string'].includes(t));

/** Element types that each typed data field may carry. */
const fields: readonly (readonly [TypedField, readonly ElementType[]])[] = [
  ['floatData', ['f32']],
  ['int32Data', narrowTypes],
  ['int64Data', ['i64']],
  ['doubleData', ['f64']],
  ['uint64Data', ['u64', 'u32']],
];

/** External tensors from this size on are read when their elements are used. */
const lazyFrom = 2 ** 16;

type TypedField = 'floatData' | 'int32Data' | 'int64Data' | 'doubleData' | 'uint64Data';

/**
 * Dimensions of a message as a shape.
 *
 * @throws {LowpError} `ERR_ONNX_TENSOR`, `ERR_SHAPE_RANK`
 */
function shapeOf(dims: readonly bigint[], where: string): number[] {
  if (dims.length > maxRank) {
    throw new LowpError('ERR_SHAPE_RANK', `${where} has rank ${dims.length}; lowp reads tensors up to rank ${maxRank}`);
  }
  return dims.map((d) => {
    if (d < 0n) throw new LowpError('ERR_ONNX_TENSOR', `${where} has the negative dimension ${d}`);
    return Number(d);
  });
}

/**
 * The tensor that a message declares. Bytes in `raw_data` stay a view of the file when they are aligned; large external
 * ones are read from their file when they are used.
 *
 * @param modelPath  path of the model, for external data
 * @throws {LowpError} `ERR_ONNX_TENSOR`, `ERR_ONNX_EXTERNAL_DATA`, `ERR_TYPE_UNSUPPORTED`, `ERR_SHAPE_*`
 */
export function readTensor(proto: TensorProto, modelPath: string | undefined, name = proto.name): Tensor {
  const where = `tensor '${name}'`;
  const type = elementTypeOf(proto.dataType, where);
  const shape = shapeOf(proto.dims, where);
  const count = elementCount(shape);
  const bytes = byteLengthOf(type, count);
  const external = proto.dataLocation === 1;
  const given = [
    ...(proto.rawData !== undefined && proto.rawData.length > 0 ? ['raw_data'] : []),
    ...fields.filter(([field]) => proto[field].length > 0).map(([field]) => field),
    ...(proto.stringData.length > 0 ? ['string_data'] : []),
    ...(external ? ['external_data'] : []),
  ];
  if (given.length > 1) {
    throw new LowpError('ERR_ONNX_TENSOR', `${where} has data in several places: ${given.join(', ')}`);
  }
  if (type === 'string') {
    const strings = given.length === 0 || given[0] === 'string_data';
    if (strings && proto.stringData.length === count) return stringTensor(shape, proto.stringData);
    const text = strings ? `${proto.stringData.length} strings, expected ${count}` : `strings in ${given[0]}`;
    throw new LowpError('ERR_ONNX_TENSOR', `${where} has ${text}`);
  }
  if (external) {
    const found = locateExternalData(proto.externalData, bytes, name, modelPath);
    const read = () => viewBytes(type, found.read(), 0, count);
    return bytes < lazyFrom ? { type, shape, data: read() } : lazyTensor(type, shape, read);
  }
  const field = fields.find(([key]) => proto[key].length > 0);
  if (field) return { type, shape, data: fromField(proto, field, type, count, where) };
  const raw = proto.rawData ?? new Uint8Array(0);
  if (raw.length !== bytes) {
    const wanted = `${formatShape(shape)} of ${type} needs ${bytes} bytes`;
    throw new LowpError('ERR_ONNX_TENSOR', `${where} has ${raw.length} bytes of data; ${wanted}`);
  }
  return { type, shape, data: viewBytes(type, raw, 0, count) };
}

/** Bytes of a length-delimited field in front of its content, for content of at least `leastMoved` bytes. */
const headerBytes = 3;
const leastMoved = 128;

/**
 * Moves raw data down over its own field header, to a multiple of 4 bytes, so that it can be read in place: a copy of
 * weights would touch as many pages of new memory. The message must not be decoded again.
 */
export function moveToAlignment(proto: TensorProto): void {
  const { rawData } = proto;
  const excess = (rawData?.byteOffset ?? 0) % 4;
  if (!rawData || excess === 0 || excess > headerBytes || rawData.length < leastMoved) return;
  const target = new Uint8Array(rawData.buffer, rawData.byteOffset - excess, rawData.length);
  target.set(rawData);
  proto.rawData = target;
}

function fromField(
  proto: TensorProto,
  [key, types]: readonly [TypedField, readonly ElementType[]],
  type: ElementType,
  count: number,
  where: string,
): Tensor['data'] {
  if (!types.includes(type)) {
    throw new LowpError('ERR_ONNX_TENSOR', `${where} has the type ${type}, its data is in ${key}`);
  }
  const source = proto[key];
  const expected = bitsOf(type) < 8 ? byteLengthOf(type, count) : count;
  if (source.length !== expected) {
    throw new LowpError('ERR_ONNX_TENSOR', `${where} has ${source.length} elements in ${key}, expected ${expected}`);
  }
  const data = allocate(type, count);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < expected; i++) data[i] = BigInt(source[i]!);
  } else {
    for (let i = 0; i < expected; i++) data[i] = Number(source[i]!);
  }
  return data;
}
