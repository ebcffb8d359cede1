// Writing files so that a reader sees the old content or the new one, never a part.
import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LowpError } from '../errors/lowp-error.ts';

/** A file to write. */
export interface PendingFile {
  readonly path: string;
  readonly content: string | Uint8Array;
}

interface Staged {
  /** Where the content goes: a symbolic link is followed. */
  readonly target: string;
  readonly temporary: string;
  /** A second name of what was there before. */
  backup?: string;
}

/**
 * Writes all files or none: into temporary files of the same folders, which are flushed to the disk and renamed. Missing
 * folders are made.
 *
 * @throws {LowpError} `ERR_IO_WRITE`; the files are then what they were, and no temporary file remains
 */
export async function writeFilesAtomically(files: readonly PendingFile[]): Promise<void> {
  const staged: Staged[] = [];
  let done = 0;
  let current = '';
  try {
    for (const file of files) {
      current = file.path;
      const target = await realpath(file.path).catch(() => file.path);
      const temporary = join(dirname(target), `.${shortName(target)}.${randomBytes(6).toString('hex')}.tmp`);
      staged.push({ target, temporary });
      await mkdir(dirname(target), { recursive: true });
      await writeFlushed(temporary, file.content);
    }
    for (const stage of staged) {
      current = stage.target;
      await keepOld(stage);
    }
    for (const stage of staged) {
      current = stage.target;
      await rename(stage.temporary, stage.target);
      done++;
    }
  } catch (cause) {
    await undo(staged, done);
    throw new LowpError('ERR_IO_WRITE', `cannot write '${current}': ${reasonOf(cause)}`, { path: current, cause });
  } finally {
    for (const { backup } of staged) if (backup) await rm(backup, { force: true });
  }
  await flushFolders(staged);
}

/** File names have at most 255 bytes on common systems; the temporary one needs room for its own parts. */
function shortName(path: string): string {
  return basename(path).slice(0, 40);
}

async function writeFlushed(path: string, content: string | Uint8Array): Promise<void> {
  const file: FileHandle = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Gives the present file a second name, so that it can come back; file systems without links go without. */
async function keepOld(stage: Staged): Promise<void> {
  const backup = `${stage.temporary}.old`;
  try {
    await link(stage.target, backup);
    stage.backup = backup;
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'ENOENT' && code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error;
  }
}

/** Brings back the first `done` targets and removes every temporary file. */
async function undo(staged: readonly Staged[], done: number): Promise<void> {
  for (const [i, stage] of staged.entries()) {
    if (i < done) {
      if (stage.backup) await rename(stage.backup, stage.target).catch(() => undefined);
      else await rm(stage.target, { force: true }).catch(() => undefined);
    }
    await rm(stage.temporary, { force: true }).catch(() => undefined);
  }
}

/** Makes the renames durable where folders can be opened. */
async function flushFolders(staged: readonly Staged[]): Promise<void> {
  for (const folder of new Set(staged.map((s) => dirname(s.target)))) {
    const handle = await open(folder, 'r').catch(() => undefined);
    if (!handle) continue;
    await handle.sync().catch(() => undefined);
    await handle.close();
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'a folder has that name',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ENAMETOOLONG: 'the name is too long',
};

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return (code && reasons[code]) ?? (error instanceof Error ? error.message : String(error));
}
