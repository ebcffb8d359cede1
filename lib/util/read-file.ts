// Reads regular files whole; pipes and devices, which could block or never end, are refused.
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';

/** The content of a file, or why there is none, as the end of a sentence that begins with its path. */
export type FileContent =
  | { readonly bytes: Uint8Array }
  | { readonly bytes: undefined; readonly isMissing: boolean; readonly reason: string; readonly cause?: unknown };

/** Without waiting for the other end of a pipe, where the system has pipes. */
const readFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Reads a regular file. Nothing is thrown: the caller knows what the file is for.
 *
 * @param signal  aborted: gives no content, with the abort as the cause
 */
export async function readRegularFile(path: string, signal?: AbortSignal): Promise<FileContent> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, readFlags);
    const stat = await file.stat();
    if (!stat.isFile()) {
      const reason = stat.isDirectory() ? 'is a folder' : 'is not a regular file';
      return { bytes: undefined, isMissing: false, reason };
    }
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
