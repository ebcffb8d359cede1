// Datasets in .npy and .npz files: the first axis counts samples.
import { LowpError } from '../errors/lowp-error.ts';
import { readNpy, readNpz } from '../tensor/npy.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { readRegularFile } from '../util/read-file.ts';
import { type Dataset, fitInput, type InputInfo, type Sample } from './dataset.ts';
import { type Normalization, normalizeArray } from './normalize.ts';

/**
 * Opens `FILE.npy` for a model with one input, `NAME=FILE.npy,NAME=FILE.npy` or one `.npz` for several.
 *
 * @throws {LowpError} `ERR_IO_NOT_FOUND`, `ERR_DATA_FORMAT`, `ERR_DATA_INPUT`, `ERR_DATA_LABELS` when lengths differ,
 *   `ERR_DATA_EMPTY`
 */
export async function openNumpy(
  spec: string,
  inputs: readonly InputInfo[],
  normalization: Normalization = {},
): Promise<Dataset> {
  const arrays = new Map<string, Tensor>();
  if (spec.endsWith('.npz') && !spec.includes('=')) {
    for (const [name, array] of Object.entries(readNpz(await readBytes(spec), spec))) arrays.set(name, array);
  } else if (!spec.includes('=')) {
    if (inputs.length !== 1) {
      const names = inputs.map((i) => i.name).join(', ');
      throw new LowpError(
        'ERR_DATA_INPUT',
        `${spec}: the model has the inputs ${names}; give NAME=FILE.npy for each, or one .npz`,
      );
    }
    arrays.set(inputs[0]!.name, readNpy(await readBytes(spec), spec));
  } else {
    for (const part of spec.split(',')) {
      const at = part.indexOf('=');
      const file = part.slice(at + 1);
      arrays.set(part.slice(0, at), readNpy(await readBytes(file), file));
    }
  }
  return fromArrays(spec, arrays, inputs, normalization);
}

/** A dataset over arrays in memory; the first axis counts samples. */
export function fromArrays(
  name: string,
  arrays: ReadonlyMap<string, Tensor>,
  inputs: readonly InputInfo[],
  normalization: Normalization = {},
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
  const sample = (i: number): Sample => {
    const id = `${name}[${i}]`;
    return {
      id,
      inputs: Object.fromEntries(
        columns.map(({ input, array }) => [
          input.name,
          fitInput(normalizeArray(item(array, i, input.shape.length), normalization), input, id),
        ]),
      ),
    };
  };
  return {
    name,
    length,
    at: async (index) => sample(index),
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < length; i++) yield sample(i);
    },
  };
}

/** Sample `i` of an array, with a batch axis of 1; one of a higher rank than the input holds batches. */
function item(array: Tensor, i: number, rank: number): Tensor {
  const size = array.data.length / array.shape[0]!;
  const rest = array.shape.slice(1);
  return {
    type: array.type,
    shape: rest.length === rank ? rest : [1, ...rest],
    data: array.data.subarray(i * size, (i + 1) * size),
  };
}

/** @throws {LowpError} `ERR_IO_NOT_FOUND` or `ERR_IO_READ` */
export async function readBytes(path: string): Promise<Uint8Array> {
  const content = await readRegularFile(path);
  if (content.bytes) return content.bytes;
  const { isMissing, reason, cause } = content;
  throw new LowpError(isMissing ? 'ERR_IO_NOT_FOUND' : 'ERR_IO_READ', `'${path}' ${reason}`, { path, cause });
}
