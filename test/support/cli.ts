// Runs the compiled command line as users do: a process of its own, in a folder of its own.
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codes, type ErrorCode } from '../../lib/errors/codes.ts';
import { repositoryRoot } from './shared-folder.ts';

const main = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

/** The network that ships with the package. */
export const demoModel = path.join(repositoryRoot(), 'assets/demo/glyphs.xml');

export interface CliResult {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments for node, in front of the program. */
  readonly node?: readonly string[];
  /** Called with all that stderr holds so far. */
  onStderr?(text: string, child: ChildProcessWithoutNullStreams): void;
}

/** Runs `lowp ...args` to its end. */
export function lowp(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { LOWP_MAX_ISA: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [...(options.node ?? []), main, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: { ...inherited, ...options.env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onStderr?.(stderr, child);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (exit) => resolve({ exit, stdout, stderr }));
  });
}

/** Runs `lowp ...args`, which has to succeed; returns its results. */
export async function lowpOk(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const result = await lowp(args, options);
  assert.equal(result.exit, 0, `lowp ${args.join(' ')}\n${result.stdout}${result.stderr}`);
  return result;
}

/** The document of `--json`, with its version checked. */
export async function lowpJson(args: readonly string[], options: CliOptions = {}): Promise<Record<string, unknown>> {
  const { stdout } = await lowpOk([...args, '--json'], options);
  const document: unknown = JSON.parse(stdout);
  assert.ok(typeof document === 'object' && document !== null && 'schemaVersion' in document, stdout);
  assert.equal(document.schemaVersion, 1);
  return { ...document };
}

/**
 * Runs `lowp ...args` in `folder`, which has to fail with `code`: its exit code, the code and no stack on stderr, nothing
 * on stdout, and no file that was not there before.
 */
export async function lowpFails(args: readonly string[], code: ErrorCode, folder: string): Promise<string> {
  const before = filesBelow(folder);
  const { exit, stdout, stderr } = await lowp(args, { cwd: folder });
  const shown = `lowp ${args.join(' ')}\n${stdout}${stderr}`;
  assert.match(stderr, new RegExp(`\\(${code}\\)`), shown);
  assert.equal(exit, codes[code].exit, shown);
  assert.equal(stdout, '', shown);
  assert.doesNotMatch(stderr, /\n\s+at /, shown);
  assert.deepEqual(filesBelow(folder), before, shown);
  return stderr;
}

/** Every file and folder below a folder, sorted. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map(String).sort();
}

/** A folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'lowp-cli-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
