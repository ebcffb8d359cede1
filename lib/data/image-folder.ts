// Datasets made of image files: a folder or a glob.
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { LowpError } from '../errors/lowp-error.ts';
import { type Dataset, fitInput, type InputInfo, type Sample } from './dataset.ts';
import { decodeImage, decodingOf, type ImageOptions } from './decode-image.ts';

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
 * Opens a folder (its image files, sorted by name) or a glob (`photos/*.jpg`).
 *
 * @throws {LowpError} `ERR_DATA_IMAGES` when sharp cannot be loaded, `ERR_CONFIG_INVALID` for sizes, `ERR_IO_NOT_FOUND`,
 *   `ERR_DATA_EMPTY`
 */
export async function openImages(
  spec: string,
  inputs: readonly InputInfo[],
  options: ImageOptions,
): Promise<Dataset & { readonly files: readonly string[] }> {
  if (inputs.length !== 1)
    throw new LowpError('ERR_DATA_INPUT', `${spec}: images feed a model with one input, this one has ${inputs.length}`);
  const files = await listImages(spec);
  const decoding = await decodingOf(options);
  const input = inputs[0]!;
  return {
    name: spec,
    length: files.length,
    files: files.map((f) => path.basename(f)),
    async *[Symbol.asyncIterator](): AsyncGenerator<Sample> {
      for (const [i, file] of files.entries()) {
        const { tensor, geometry } = await decodeImage(file, i, decoding);
        yield { id: file, inputs: { [input.name]: fitInput(tensor, input, file) }, geometry };
      }
    },
  };
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
  if (star < 0 && info.isFile()) return [folder];
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

/** `*` and `?` of a file name as a regular expression. */
function globPattern(glob: string): RegExp {
  const text = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${text}$`);
}
