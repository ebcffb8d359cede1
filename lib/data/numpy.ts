// Datasets in .npy and .npz files: the first axis counts samples.
import { LowpError } from '../errors/lowp-error.ts';
import { byteLengthOf, type ElementType, type TensorData } from '../tensor/element-type.ts';
import { maxNpyHeaderBytes, npyElements, readNpy, readNpyHeader, readNpz } from '../tensor/npy.ts';
import { elementCount, formatShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type FileContent, type ReadFileOptions, readRegularFile } from '../util/read-file.ts';
import { type Dataset, fitInput, type InputInfo, type Sample } from './dataset.ts';
import { type Normalization, normalizeArray } from './normalize.ts';

/** Arrays whose first axis counts samples, in memory or in a file. */
interface ArraySource {
  readonly type: ElementType;
  readonly shape: Shape;
  /** The elements of sample `i`, of size `shape[0]` that there are. */
  elements(i: number): TensorData | Promise<TensorData>;
}

/**
 * Opens `FILE.npy` for a model with one input, `NAME=FILE.npy,NAME=FILE.npy` or one `.npz` for several. Samples of `.npy`
 * files are read while they are asked for, so that the size of the file does not matter; archives are unpacked in memory.
 *
 * @throws {LowpError} `ERR_IO_NOT_FOUND`, `ERR_DATA_FORMAT`, `ERR_DATA_INPUT`, `ERR_DATA_LABELS` when lengths differ,
 *   `ERR_DATA_EMPTY`
 */
export async function openNumpy(
  spec: string,
  inputs: readonly InputInfo[],
  normalization: Normalization = {},
): Promise<Dataset> {
  const arrays = new Map<string, ArraySource>();
  if (spec.endsWith('.npz') && !spec.includes('=')) {
    for (const [name, array] of Object.entries(readNpz(await readBytes(spec), spec))) arrays.set(name, inMemory(array));
  } else if (!spec.includes('=')) {
    if (inputs.length !== 1) {
      const names = inputs.map((i) => i.name).join(', ');
      throw new LowpError(
        'ERR_DATA_INPUT',
        `${spec}: the model has the inputs ${names}; give NAME=FILE.npy for each, or one .npz`,
      );
    }
    arrays.set(inputs[0]!.name, await openNpyFile(spec));
  } else {
    for (const part of spec.split(',')) {
      const at = part.indexOf('=');
      arrays.set(part.slice(0, at), await openNpyFile(part.slice(at + 1)));
    }
  }
  return fromSources(spec, arrays, inputs, normalization);
}

/** A dataset over arrays in memory; the first axis counts samples. */
export function fromArrays(
  name: string,
  arrays: ReadonlyMap<string, Tensor>,
  inputs: readonly InputInfo[],
  normalization: Normalization = {},
): Dataset {
  const sources = [...arrays].map(([key, array]) => [key, inMemory(array)] as const);
  return fromSources(name, new Map(sources), inputs, normalization);
}

function inMemory({ type, shape, data }: Tensor): ArraySource {
  const size = data.length / (shape[0] ?? 1);
  return { type, shape, elements: (i) => data.subarray(i * size, (i + 1) * size) };
}

/** Bytes that are read at once where samples are smaller. */
const partBytes = 2 ** 16;

/** Samples of a file, read in parts of some samples of which the last one is kept. */
async function openNpyFile(path: string): Promise<ArraySource> {
  const start = await readContent(path, { part: { at: 0, length: maxNpyHeaderBytes } });
  const header = readNpyHeader(start.bytes, start.size, path);
  // In Fortran order every sample lies all over the file.
  if (header.fortran) return inMemory(readNpy(await readBytes(path), path));
  const { type, shape, dataAt } = header;
  const count = elementCount(shape.slice(1));
  const bytes = byteLengthOf(type, count);
  const together = Math.max(1, Math.floor(partBytes / Math.max(1, bytes)));
  let kept: { readonly begin: number; readonly data: Promise<TensorData> } | undefined;
  const read = async (begin: number): Promise<TensorData> => {
    const samples = Math.min(together, shape[0]! - begin);
    const part = { at: dataAt + begin * bytes, length: samples * bytes };
    const content = await readContent(path, { part });
    if (content.bytes.length < part.length)
      throw new LowpError('ERR_IO_READ', `'${path}' became shorter while it was read`, { path });
    return npyElements(header, content.bytes, 0, samples * count);
  };
  const elements = async (i: number): Promise<TensorData> => {
    const begin = i - (i % together);
    if (kept?.begin !== begin) kept = { begin, data: read(begin) };
    const data = await kept.data;
    return data.subarray((i - begin) * count, (i - begin + 1) * count);
  };
  return { type, shape, elements };
}

function fromSources(
  name: string,
  arrays: ReadonlyMap<string, ArraySource>,
  inputs: readonly InputInfo[],
  normalization: Normalization,
): Dataset {
  for (const key of arrays.keys()) {
    if (!inputs.some((i) => i.name === key)) {
      throw new LowpError(
        'ERR_DATA_INPUT',
        `${name}: the model has no input '${key}'; its inputs are ${inputs.map((i) => i.name).join(', ')}`,
      );
    }
  }
  const columns = inputs.map((input) => {
    const array = arrays.get(input.name);
    if (!array) throw new LowpError('ERR_DATA_INPUT', `${name}: there is no data for input '${input.name}'`);
    if (array.shape.length === 0) throw new LowpError('ERR_DATA_SHAPE', `${name}: a scalar has no samples`);
    return { input, array };
  });
  const length = columns[0]?.array.shape[0] ?? 0;
  for (const { input, array } of columns) {
    if (array.shape[0] !== length) {
      throw new LowpError(
        'ERR_DATA_SHAPE',
        `${name}: input '${input.name}' has ${array.shape[0]} samples, '${columns[0]!.input.name}' has ${length}`,
      );
    }
  }
  if (length === 0)
    throw new LowpError(
      'ERR_DATA_EMPTY',
      `${name} has no samples (shape ${formatShape(columns[0]?.array.shape ?? [])})`,
    );
  const sample = async (i: number): Promise<Sample> => {
    const id = `${name}[${i}]`;
    const tensors: [string, Tensor][] = [];
    for (const { input, array } of columns) {
      const t = item(array, await array.elements(i), input.shape.length);
      tensors.push([input.name, fitInput(normalizeArray(t, normalization), input, id)]);
    }
    return { id, inputs: Object.fromEntries(tensors) };
  };
  return {
    name,
    length,
    at: sample,
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < length; i++) yield await sample(i);
    },
  };
}

/** A sample with a batch axis of 1; one of a higher rank than the input holds batches. */
function item({ type, shape }: ArraySource, data: TensorData, rank: number): Tensor {
  const rest = shape.slice(1);
  return { type, shape: rest.length === rank ? rest : [1, ...rest], data };
}

/** @throws {LowpError} `ERR_IO_NOT_FOUND` or `ERR_IO_READ` */
export async function readBytes(path: string): Promise<Uint8Array> {
  return (await readContent(path)).bytes;
}

async function readContent(
  path: string,
  options?: ReadFileOptions,
): Promise<Extract<FileContent, { readonly bytes: Uint8Array }>> {
  const content = await readRegularFile(path, options);
  if (content.bytes) return content;
  const { isMissing, reason, cause } = content;
  throw new LowpError(isMissing ? 'ERR_IO_NOT_FOUND' : 'ERR_IO_READ', `'${path}' ${reason}`, { path, cause });
}
