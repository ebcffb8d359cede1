// Datasets made of image files.
import path from 'node:path';
import { LowpError } from '../errors/lowp-error.ts';
import { convert } from '../tensor/convert.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Dataset, fitInput, type InputInfo, type Sample } from './dataset.ts';
import { type Decoding, decodeImage, decodingOf, type ImageOptions } from './decode-image.ts';

export type { ImageOptions } from './decode-image.ts';

/**
 * A sample of each image.
 *
 * @throws {LowpError} `ERR_DATA_IMAGES` when sharp cannot be loaded, `ERR_CONFIG_INVALID` for sizes, `ERR_DATA_INPUT`
 */
export async function openImages(
  spec: string,
  files: readonly string[],
  inputs: readonly InputInfo[],
  options: ImageOptions,
): Promise<Dataset & { readonly files: readonly string[] }> {
  const { input, info } = imageInputs(spec, inputs);
  const decoding = await decodingOf(options);
  const read = async (index: number): Promise<Sample> => {
    const file = files[index]!;
    const { tensor, geometry } = await decodeImage(file, index, decoding);
    const fitted = fitInput(input.shape.length === 3 ? withoutBatch(tensor) : tensor, input, file);
    const size = info ? { [info.name]: sizeOf(tensor, decoding, info) } : {};
    return { id: file, inputs: { [input.name]: fitted, ...size }, geometry };
  };
  return {
    name: spec,
    length: files.length,
    files: files.map((f) => path.basename(f)),
    at: read,
    async *[Symbol.asyncIterator](): AsyncGenerator<Sample> {
      for (const i of files.keys()) yield await read(i);
    },
  };
}

/**
 * The input that takes the image, and one of shape [1, 3] beside it that takes height, width and scale.
 *
 * @throws {LowpError} `ERR_DATA_INPUT`
 */
function imageInputs(spec: string, inputs: readonly InputInfo[]): { input: InputInfo; info?: InputInfo } {
  const [first, second] = inputs;
  if (first && inputs.length === 1) return { input: first };
  const isInfo = ({ shape }: InputInfo): boolean => shape.length === 2 && Math.abs(shape[0]!) === 1 && shape[1] === 3;
  if (first && second && inputs.length === 2 && isInfo(first) !== isInfo(second)) {
    return isInfo(first) ? { input: second, info: first } : { input: first, info: second };
  }
  throw new LowpError(
    'ERR_DATA_INPUT',
    `${spec}: images feed a model with one input, or one with another of shape [1,3] for their size; this one has ${inputs.length}`,
    { help: 'Give NAME=FILE.npy for each input, or one .npz.' },
  );
}

function withoutBatch(image: Tensor): Tensor {
  return { ...image, shape: image.shape.slice(1) };
}

/** `[height, width, 1]` of the image as it is fed. */
function sizeOf({ shape }: Tensor, { layout = 'NCHW' }: Decoding, info: InputInfo): Tensor {
  const [height, width] = layout === 'NCHW' ? shape.slice(2) : shape.slice(1);
  return convert({ type: 'f32', shape: [1, 3], data: Float32Array.of(height!, width!, 1) }, info.type);
}
