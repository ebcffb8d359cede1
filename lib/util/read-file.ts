// Reads regular files, whole or in part; pipes and devices, which could block or never end, are refused.
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';

/** The content of a file, or why there is none, as the end of a sentence that begins with its path. */
export type FileContent =
  | {
      readonly bytes: Uint8Array;
      /** Of the whole file, in bytes. */
      readonly size: number;
    }
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
  /** Read only these bytes, or as many of them as there are. */
  readonly part?: { readonly at: number; readonly length: number };
}

/** What one call of the system reads; beyond 2 GB it would read less. */
const mostAtOnce = 2 ** 26;

/** Without waiting for the other end of a pipe, where the system has pipes. */
const readFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Reads a regular file. Nothing is thrown: the caller knows what the file is for.
 */
export async function readRegularFile(path: string, options: ReadFileOptions = {}): Promise<FileContent> {
  const { signal, most = Number.POSITIVE_INFINITY, part } = options;
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
    const { size } = stat;
    if (part) {
      const length = Math.max(0, Math.min(part.length, size - part.at));
      return { bytes: await readPieces(file, part.at, length, signal), size };
    }
    if (size > 0) return { bytes: await readPieces(file, 0, size, signal), size };
    // The system makes some files up while they are read.
    const bytes = await readFile(file, signal ? { signal } : {});
    return { bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), size: bytes.length };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    const detail = code === 'EACCES' ? 'no permission' : cause instanceof Error ? cause.message : String(cause);
    return { bytes: undefined, isMissing, reason: isMissing ? 'does not exist' : `cannot be read: ${detail}`, cause };
  } finally {
    await file?.close();
  }
}

/** `length` bytes from `at` on, in few calls: Node.js by itself makes one for every 512 KiB. */
async function readPieces(
  file: FileHandle,
  at: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(bytes, done, Math.min(mostAtOnce, length - done), at + done);
    if (bytesRead === 0) throw new Error('it became shorter while it was read');
    done += bytesRead;
  }
  return bytes;
}
