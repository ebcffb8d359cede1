// Finds and loads the addon.
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { LowpError } from '../errors/lowp-error.ts';
import { packageRoot } from '../util/package-root.ts';
import type { Addon } from './addon.ts';

const require = createRequire(import.meta.url);

/** Binaries that a development build left. */
function builtHere(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => (name.endsWith('.node') ? [path.join(folder, name)] : []));
}

/** Binaries that a development build left, then what was built ahead for this platform, which is looked for last. */
function* candidates(root: string): Generator<string> {
  const built = builtHere(releaseFolder(root));
  yield* built;
  const prebuilt = resolvePrebuild(root);
  if (prebuilt !== undefined && !built.includes(prebuilt)) yield prebuilt;
}

function releaseFolder(root: string): string {
  return path.join(root, 'build', 'Release');
}

/** What node-gyp-build would load (it knows libc and ABI tags); undefined when it finds nothing. */
function resolvePrebuild(root: string): string | undefined {
  const nodeGypBuild: { resolve(folder: string): string } = require('node-gyp-build');
  try {
    return nodeGypBuild.resolve(root);
  } catch {
    return undefined;
  }
}

/** A binary and where it was found. */
export interface LoadedAddon {
  readonly addon: Addon;
  readonly path: string;
}

let loaded: LoadedAddon | undefined;

/**
 * The native addon, loaded at the first call.
 *
 * @throws {LowpError} `ERR_NATIVE_MISSING` with every place that was tried and why it failed
 */
export function addon(): Addon {
  loaded ??= loadFrom(packageRoot());
  return loaded.addon;
}

/** The file that `addon()` loads. */
export function addonPath(): string {
  loaded ??= loadFrom(packageRoot());
  return loaded.path;
}

/** Loads the addon of the package at `root`, every time anew. */
export function loadFrom(root: string): LoadedAddon {
  const failures: string[] = [];
  let cause: unknown;
  for (const file of candidates(root)) {
    try {
      return { addon: require(file), path: file };
    } catch (error) {
      cause = error;
      failures.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const prebuilds = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`);
  const tried = [releaseFolder(root), prebuilds].map((folder) => path.join(folder, '*.node'));
  const what = failures.length > 0 ? failures.join('; ') : `no file at ${tried.join(' or ')}`;
  throw new LowpError(
    'ERR_NATIVE_MISSING',
    `the native addon for ${process.platform}-${process.arch} could not be loaded: ${what}`,
    {
      help: 'Run "npm run build" in the package folder (it needs g++ and cmake), or install a package with prebuilt binaries.',
      cause,
    },
  );
}
