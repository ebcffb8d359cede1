// The files that a folder, a glob or a list names.
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { LowpError } from '../errors/lowp-error.ts';
import { arrayExtensions } from './array-files.ts';
import { readBytes } from './numpy.ts';

const imageExtensions = new Set([
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

const endingOf = (name: string): string => path.extname(name).toLowerCase();

/**
 * The files of samples in a folder (its images; where there are none, its `.npy` and `.npz` files) or of a glob
 * (`photos/*.jpg`, sorted by name), those that a `.txt` names in their order, or a file itself.
 *
 * @throws {LowpError} `ERR_IO_NOT_FOUND`, `ERR_IO_READ`, `ERR_DATA_EMPTY`
 */
export async function listFiles(spec: string): Promise<string[]> {
  const star = spec.indexOf('*');
  const folder = star < 0 ? spec : path.dirname(spec.slice(0, star + 1));
  const info = await stat(folder).catch(() => undefined);
  if (!info) throw new LowpError('ERR_IO_NOT_FOUND', `${folder} does not exist`, { path: folder });
  if (star < 0 && info.isFile()) return endingOf(spec) === '.txt' ? listed(spec) : [folder];
  const pattern = star < 0 ? undefined : globPattern(path.basename(spec));
  const names = await readdir(folder).catch((cause) => {
    throw new LowpError('ERR_IO_READ', `${folder} cannot be listed: ${String(cause)}`, { path: folder, cause });
  });
  const wanted = names.filter((n) => pattern?.test(n) ?? true).sort();
  const kinds = [imageExtensions, arrayExtensions].map((known) => wanted.filter((n) => known.has(endingOf(n))));
  const files = kinds.find((list) => list.length > 0);
  if (!files) {
    throw new LowpError('ERR_DATA_EMPTY', `${spec} contains no images and no .npy or .npz files`, { path: spec });
  }
  return files.map((n) => path.join(folder, n));
}

/** The paths in a text file, one a line and relative to it, in their order. */
async function listed(list: string): Promise<string[]> {
  const text = new TextDecoder().decode(await readBytes(list));
  const names = text
    .split('\n')
    .map((line) => line.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new LowpError('ERR_DATA_EMPTY', `${list} names no files`, { path: list });
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
