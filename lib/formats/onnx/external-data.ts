/** Tensor bytes that an ONNX model keeps in other files of its own folder. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync, type Stats } from 'node:fs';
import path from 'node:path';
import { LowpError } from '../../errors/lowp-error.ts';
import type { StringStringEntryProto } from './onnx_pb.ts';

const knownKeys = new Set(['location', 'offset', 'length', 'checksum']);

/** Bytes in another file that are known to be there. */
export interface ExternalBytes {
  readonly length: number;
  /** Reads them; the file is checked once more. */
  read(): Uint8Array;
}

/**
 * Finds the bytes that an `external_data` list names.
 *
 * The location must be a relative path to a regular file that stays inside the model's folder after symbolic links are
 * resolved, with no second hard link; offset and length must be decimal and lie inside the file.
 *
 * @param expected   bytes that shape and type ask for; exactly as many are read
 * @param modelPath  path of the .onnx file; absent when the model came as bytes
 * @throws {LowpError} `ERR_ONNX_EXTERNAL_DATA`
 */
export function locateExternalData(
  entries: readonly StringStringEntryProto[],
  expected: number,
  tensorName: string,
  modelPath: string | undefined,
): ExternalBytes {
  const fail = (text: string, cause?: unknown): never => {
    throw new LowpError('ERR_ONNX_EXTERNAL_DATA', `external data of tensor '${tensorName}': ${text}`, {
      ...(modelPath === undefined ? {} : { path: modelPath }),
      ...(cause === undefined ? {} : { cause }),
    });
  };
  const fields = new Map<string, string>();
  for (const { key, value } of entries) {
    if (!knownKeys.has(key)) fail(`the key ${JSON.stringify(key)} is not known`);
    if (fields.has(key)) fail(`the key '${key}' appears twice`);
    fields.set(key, value);
  }
  const offset = decimal(fields.get('offset') ?? '0') ?? fail('its offset is not a decimal number');
  const length = decimal(fields.get('length') ?? String(expected)) ?? fail('its length is not a decimal number');
  if (length !== expected) fail(`it has ${length} bytes, its shape and type need ${expected}`);
  if (modelPath === undefined) fail('the model was given as bytes, so there is no folder to look in');
  const file = locate(fields.get('location') ?? '', path.dirname(modelPath ?? ''), fail);
  withFile(file, offset, expected, fail, () => undefined);
  return { length: expected, read: () => withFile(file, offset, expected, fail, readAll) };
}

type Fail = (text: string, cause?: unknown) => never;

function decimal(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The real path of a location, once every rule about it holds. */
function locate(location: string, folder: string, fail: Fail): string {
  const shown = JSON.stringify(location.slice(0, 200));
  const parts = location.split('/');
  if (location === '' || location.includes('\0')) fail(`its location ${shown} is not a path`);
  if (path.posix.isAbsolute(location) || /[\\:]/.test(location)) fail(`its location ${shown} is not a relative path`);
  if (parts.includes('..')) fail(`its location ${shown} leaves the folder of the model`);
  try {
    const root = realpathSync(folder);
    const real = realpathSync(path.join(root, ...parts));
    const inside = path.relative(root, real);
    if (inside === '' || inside.startsWith('..') || path.isAbsolute(inside)) {
      fail(`its location ${shown} leads outside the folder of the model`);
    }
    if (!lstatSync(real).isFile()) fail(`its location ${shown} is not a regular file`);
    return real;
  } catch (error) {
    if (error instanceof LowpError) throw error;
    return fail(`its location ${shown} cannot be read`, error);
  }
}

/** Opens a file, checks it, and uses it. */
function withFile<T>(
  file: string,
  offset: number,
  length: number,
  fail: Fail,
  use: (handle: number, offset: number, length: number, fail: Fail) => T,
): T {
  const name = JSON.stringify(path.basename(file));
  let handle: number | undefined;
  try {
    handle = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    checkFile(fstatSync(handle), name, offset, length, fail);
    return use(handle, offset, length, fail);
  } catch (error) {
    if (error instanceof LowpError) throw error;
    return fail(`the file ${name} cannot be read`, error);
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

function readAll(handle: number, offset: number, length: number, fail: Fail): Uint8Array {
  const out = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const read = readSync(handle, out, done, Math.min(length - done, 2 ** 30), offset + done);
    if (read === 0) fail('the file became shorter while it was read');
    done += read;
  }
  return out;
}

function checkFile(stats: Stats, name: string, offset: number, length: number, fail: Fail): void {
  if (!stats.isFile()) fail(`${name} is not a regular file`);
  if (stats.nlink > 1) fail(`the file ${name} has a second hard link, which may point outside the folder of the model`);
  if (offset + length > stats.size) {
    fail(`bytes ${offset} to ${offset + length} lie outside the file ${name} of ${stats.size} bytes`);
  }
}
