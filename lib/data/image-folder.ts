// Datasets made of image files: a folder or a glob.
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { LowpError } from '../errors/lowp-error.ts';
import { convert } from '../tensor/convert.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Dataset, fitInput, type InputInfo, type Sample } from './dataset.ts';
import { type Decoding, decodeImage, decodingOf, type ImageOptions } from './decode-image.ts';
import { readBytes } from './numpy.ts';

export type { ImageOptions } from './decode-image.ts';

const extensions = new Set([
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.bmp',
  '.gif',
  '.tif',
  '.tiff',
  '.avif',
  '.ppm',
  '.pgm',
]);

/**
 * Opens a folder (its image files, sorted by name), a glob (`photos/*.jpg`), or a `.txt` list of image files.
 *
 * @throws {LowpError} `ERR_DATA_IMAGES` when sharp cannot be loaded, `ERR_CONFIG_INVALID` for sizes, `ERR_IO_NOT_FOUND`,
 *   `ERR_DATA_EMPTY`
 */
export async function openImages(
  spec: string,
  inputs: readonly InputInfo[],
  options: ImageOptions,
): Promise<Dataset & { readonly files: readonly string[] }> {
  const { input, info } = imageInputs(spec, inputs);
  const files = await listImages(spec);
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

/**
 * The image files of a folder or glob, sorted.
 *
 * @throws {LowpError} `ERR_IO_NOT_FOUND`, `ERR_IO_READ`, `ERR_DATA_EMPTY`
 */
export async function listImages(spec: string): Promise<string[]> {
  const star = spec.indexOf('*');
  const folder = star < 0 ? spec : path.dirname(spec.slice(0, star + 1));
  const info = await stat(folder).catch(() => undefined);
  if (!info) throw new LowpError('ERR_IO_NOT_FOUND', `${folder} does not exist`, { path: folder });
  if (star < 0 && info.isFile()) return path.extname(spec).toLowerCase() === '.txt' ? listedImages(spec) : [folder];
  const pattern = star < 0 ? undefined : globPattern(path.basename(spec));
  const names = await readdir(folder).catch((cause) => {
    throw new LowpError('ERR_IO_READ', `${folder} cannot be listed: ${String(cause)}`, { path: folder, cause });
  });
  const files = names
    .filter((n) => (pattern ? pattern.test(n) : true) && extensions.has(path.extname(n).toLowerCase()))
    .sort()
    .map((n) => path.join(folder, n));
  if (files.length === 0) throw new LowpError('ERR_DATA_EMPTY', `${spec} contains no images`, { path: spec });
  return files;
}

/** The paths in a text file, one a line and relative to it, in their order. */
async function listedImages(list: string): Promise<string[]> {
  const text = new TextDecoder().decode(await readBytes(list));
  const names = text
    .split('\n')
    .map((line) => line.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new LowpError('ERR_DATA_EMPTY', `${list} names no images`, { path: list });
  return names.map((name) => path.resolve(path.dirname(list), name));
}

/** `*` and `?` of a file name as a regular expression. */
function globPattern(glob: string): RegExp {
  const text = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${text}$`);
}
