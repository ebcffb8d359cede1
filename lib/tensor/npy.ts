// NumPy's .npy arrays and .npz archives, read and written.
import { createRequire } from 'node:module';
import { limits } from '../errors/limits.ts';
import { type ErrorDetails, LowpError } from '../errors/lowp-error.ts';
import { allocate, bitsOf, byteLengthOf, type ElementType, viewBytes } from './element-type.ts';
import { elementCount, formatShape, type Shape, stridesOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

const require = createRequire(import.meta.url);

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

const typeOfDescriptor: Readonly<Record<string, ElementType>> = {
  f4: 'f32',
  f2: 'f16',
  f8: 'f64',
  i1: 'i8',
  u1: 'u8',
  i2: 'i16',
  u2: 'u16',
  i4: 'i32',
  u4: 'u32',
  i8: 'i64',
  u8: 'u64',
  b1: 'boolean',
};

/** What an .npy file says in front of its data. */
export interface NpyHeader {
  readonly type: ElementType;
  readonly shape: Shape;
  /** The first axis is the one whose elements are neighbours. */
  readonly fortran: boolean;
  readonly bigEndian: boolean;
  /** Bytes in front of the data. */
  readonly dataAt: number;
}

/** The longest header that is read, with what is in front of it, in bytes. */
export const maxNpyHeaderBytes = 12 + 65536;

/**
 * Reads the header of an .npy file (format 1 to 3).
 *
 * @param bytes  the beginning of the file, `maxNpyHeaderBytes` of it where it has so many
 * @param size   of the whole file, in bytes
 * @throws {LowpError} `ERR_DATA_FORMAT` for anything else, object arrays (pickles) and files that are too short included
 */
export function readNpyHeader(bytes: Uint8Array, size: number, path?: string): NpyHeader {
  const details: ErrorDetails = path === undefined ? {} : { path };
  const fail = (text: string): never => {
    throw new LowpError('ERR_DATA_FORMAT', `${path ?? 'the array'} ${text}`, details);
  };
  if (bytes.length < 10 || magic.some((b, i) => bytes[i] !== b)) fail('is not a NumPy .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6]! >= 2;
  const headerAt = wide ? 12 : 10;
  if (bytes.length < headerAt) fail('ends inside its header');
  const dataAt = headerAt + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  if (dataAt > bytes.length || dataAt > maxNpyHeaderBytes) fail('ends inside its header');
  const header = new TextDecoder('latin1').decode(bytes.subarray(headerAt, dataAt));
  const descriptor = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? fail('has a structured or missing type description');
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? fail('has no shape');
  const type =
    typeOfDescriptor[descriptor.slice(1)] ?? fail(`has the type '${descriptor}', which is not a plain number type`);
  const shape = shapeText.split(',').flatMap((d) => (d.trim() === '' ? [] : [Number(d)]));
  if (shape.some((d) => !Number.isSafeInteger(d) || d < 0)) fail(`has the shape (${shapeText})`);
  const needed = byteLengthOf(type, elementCount(shape));
  if (size - dataAt < needed) {
    fail(`is too short: shape ${formatShape(shape)} of ${type} takes ${needed} bytes, ${size - dataAt} are there`);
  }
  const fortran = /'fortran_order':\s*True/.test(header);
  return { type, shape, fortran, bigEndian: descriptor.startsWith('>'), dataAt };
}

/**
 * Reads an .npy array (format 1 to 3). Little-endian C order is a view of `bytes` where alignment allows;
 * Fortran order and big-endian data are converted.
 *
 * @throws {LowpError} `ERR_DATA_FORMAT` for anything else, object arrays (pickles) included
 */
export function readNpy(bytes: Uint8Array, path?: string): Tensor {
  const header = readNpyHeader(bytes, bytes.length, path);
  const { type, shape, fortran, dataAt } = header;
  const data = npyElements(header, bytes, dataAt, elementCount(shape));
  return fortran ? reverseAxes({ type, shape: shape.toReversed(), data }) : { type, shape, data };
}

/** `count` elements of a file's data that begin at byte `offset` of `bytes`, in the byte order of this machine. */
export function npyElements(
  { type, bigEndian }: NpyHeader,
  bytes: Uint8Array,
  offset: number,
  count: number,
): Tensor['data'] {
  if (!bigEndian) return viewBytes(type, bytes, offset, count);
  return swapped(type, bytes.subarray(offset, offset + byteLengthOf(type, count)), count);
}

/**
 * Reads the arrays of an .npz archive, by name.
 *
 * @throws {LowpError} `ERR_DATA_FORMAT` for a broken archive, `ERR_LIMIT_SIZE` for an entry over 4 GiB
 */
export function readNpz(bytes: Uint8Array, path?: string): Record<string, Tensor> {
  const arrays: Record<string, Tensor> = {};
  const filter = (file: { name: string; originalSize: number }): boolean => {
    if (file.originalSize > limits.archiveEntryBytes.value) {
      throw new LowpError(
        'ERR_LIMIT_SIZE',
        `${path ?? 'the archive'}: '${file.name}' unpacks to more than 4 GiB`,
        path ? { path } : {},
      );
    }
    return file.name.endsWith('.npy');
  };
  let files: Record<string, Uint8Array>;
  try {
    const fflate: typeof import('fflate') = require('fflate'); // loaded when there is an archive
    files = fflate.unzipSync(bytes, { filter });
  } catch (error) {
    if (error instanceof LowpError) throw error;
    throw new LowpError('ERR_DATA_FORMAT', `${path ?? 'the archive'} is not a readable .npz archive`, {
      ...(path ? { path } : {}),
      cause: error,
    });
  }
  for (const [name, content] of Object.entries(files))
    arrays[name.replace(/\.npy$/, '')] = readNpy(content, `${path ?? ''}[${name}]`);
  return arrays;
}

/**
 * Writes an .npy array of format 1, C order.
 *
 * @throws {LowpError} `ERR_TYPE_UNSUPPORTED` for types that NumPy does not have
 */
export function writeNpy(t: Tensor): Uint8Array {
  const descriptor = Object.entries(typeOfDescriptor).find(([, type]) => type === t.type)?.[0];
  if (!descriptor) throw new LowpError('ERR_TYPE_UNSUPPORTED', `an .npy file cannot hold elements of type ${t.type}`);
  const order = bitsOf(t.type) === 8 ? '|' : '<';
  const shape = t.shape.length === 1 ? `(${t.shape[0]},)` : `(${t.shape.join(', ')})`;
  const text = `{'descr': '${order}${descriptor}', 'fortran_order': False, 'shape': ${shape}, }`;
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const out = new Uint8Array(10 + padded.length + t.data.byteLength);
  out.set([...magic, 1, 0, padded.length & 255, padded.length >> 8]);
  out.set(new TextEncoder().encode(padded), 10);
  out.set(new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength), 10 + padded.length);
  return out;
}

function swapped(type: ElementType, bytes: Uint8Array, count: number): Tensor['data'] {
  const width = bitsOf(type) / 8;
  const copy = bytes.slice();
  for (let at = 0; at < copy.length; at += width) copy.subarray(at, at + width).reverse();
  return viewBytes(type, copy, 0, count);
}

/** The tensor with its axes in reverse order. */
function reverseAxes(t: Tensor): Tensor {
  const shape = t.shape.toReversed();
  const data = allocate(t.type, t.data.length);
  const strides = stridesOf(t.shape).toReversed();
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let i = 0; i < data.length; i++) {
    data[i] = t.data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return { type: t.type, shape, data };
}
