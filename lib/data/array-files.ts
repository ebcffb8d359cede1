// Datasets of array files, one sample a file: shapes may change from sample to sample.
import path from 'node:path';
import { LowpError } from '../errors/lowp-error.ts';
import { readNpy, readNpz } from '../tensor/npy.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Dataset, fitInput, type InputInfo, type Sample } from './dataset.ts';
import { type Normalization, normalizeArray } from './normalize.ts';
import { readBytes } from './numpy.ts';

/** Endings of files of arrays. */
export const arrayExtensions: ReadonlySet<string> = new Set(['.npy', '.npz']);

/**
 * A sample of each file: a `.npy` is what the only input takes, a `.npz` holds every input by name. The batch axis may be
 * missing.
 *
 * @throws {LowpError} `ERR_DATA_INPUT` for `.npy` files and a model with several inputs; when a file is read also
 *   `ERR_IO_*`, `ERR_DATA_*`
 */
export function openArrayFiles(
  spec: string,
  files: readonly string[],
  inputs: readonly InputInfo[],
  normalization: Normalization,
): Dataset & { readonly files: readonly string[] } {
  const single = files.find((file) => path.extname(file).toLowerCase() === '.npy');
  if (single !== undefined && inputs.length !== 1) {
    const names = inputs.map((i) => i.name).join(', ');
    throw new LowpError('ERR_DATA_INPUT', `${single}: the model has the inputs ${names}`, {
      help: 'Give .npz files that hold an array for each input.',
    });
  }
  const at = async (index: number): Promise<Sample> => {
    const file = files[index]!;
    const bytes = await readBytes(file);
    const arrays: Readonly<Record<string, Tensor>> =
      path.extname(file).toLowerCase() === '.npy' ? { [inputs[0]!.name]: readNpy(bytes, file) } : readNpz(bytes, file);
    return sampleOf(arrays, inputs, normalization, file);
  };
  return {
    name: spec,
    length: files.length,
    files: files.map((file) => path.basename(file)),
    at,
    async *[Symbol.asyncIterator](): AsyncGenerator<Sample> {
      for (const i of files.keys()) yield await at(i);
    },
  };
}

function sampleOf(
  arrays: Readonly<Record<string, Tensor>>,
  inputs: readonly InputInfo[],
  normalization: Normalization,
  file: string,
): Sample {
  const unknown = Object.keys(arrays).find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined) {
    const names = inputs.map((i) => i.name).join(', ');
    throw new LowpError('ERR_DATA_INPUT', `${file}: the model has no input '${unknown}'; its inputs are ${names}`);
  }
  const tensors = inputs.map((input): [string, Tensor] => {
    const array = Object.hasOwn(arrays, input.name) ? arrays[input.name] : undefined;
    if (!array) throw new LowpError('ERR_DATA_INPUT', `${file}: there is no array for input '${input.name}'`);
    const whole = array.shape.length === input.shape.length - 1 ? { ...array, shape: [1, ...array.shape] } : array;
    return [input.name, fitInput(normalizeArray(whole, normalization), input, file)];
  });
  return { id: file, inputs: Object.fromEntries(tensors) };
}
