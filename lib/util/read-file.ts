// Reads regular files whole; pipes and devices, which could block or never end, are refused.
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';

/** The content of a file, or why there is none, as the end of a sentence that begins with its path. */
export type FileContent =
  | { readonly bytes: Uint8Array }
  | {
      readonly bytes: undefined;
      readonly isMissing: boolean;
      /** It has more bytes than were allowed. */
      readonly isTooLarge?: true;
      readonly reason: string;
      readonly cause?: unknown;
    };

/** How to read a file. */
export interface ReadFileOptions {
  /** Aborted: gives no content, with the abort as the cause. */
  readonly signal?: AbortSignal | undefined;
  /** Most bytes that are read; a larger file is not touched. */
  readonly most?: number;
}

/** What one call of the system reads at most, and Node.js with it. */
const mostAtOnce = 2 ** 30;

/** Without waiting for the other end of a pipe, where the system has pipes. */
const readFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Reads a regular file. Nothing is thrown: the caller knows what the file is for.
 */
export async function readRegularFile(path: string, options: ReadFileOptions = {}): Promise<FileContent> {
  const { signal, most = Number.POSITIVE_INFINITY } = options;
  let file: FileHandle | undefined;
  try {
    file = await open(path, readFlags);
    const stat = await file.stat();
    if (!stat.isFile()) {
      const reason = stat.isDirectory() ? 'is a folder' : 'is not a regular file';
      return { bytes: undefined, isMissing: false, reason };
    }
    if (stat.size > most) {
      const reason = `has ${stat.size} bytes; at most ${most} are read`;
      return { bytes: undefined, isMissing: false, isTooLarge: true, reason };
    }
    if (stat.size > mostAtOnce) return { bytes: await readParts(file, stat.size, signal) };
    const bytes = await readFile(file, signal ? { signal } : {});
    return { bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    const detail = code === 'EACCES' ? 'no permission' : cause instanceof Error ? cause.message : String(cause);
    return { bytes: undefined, isMissing, reason: isMissing ? 'does not exist' : `cannot be read: ${detail}`, cause };
  } finally {
    await file?.close();
  }
}

/** A file that Node.js does not read at once. */
async function readParts(file: FileHandle, size: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let done = 0;
  while (done < size) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(bytes, done, Math.min(mostAtOnce, size - done), done);
    if (bytesRead === 0) throw new Error('it became shorter while it was read');
    done += bytesRead;
  }
  return bytes;
}
