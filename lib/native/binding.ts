// Finds and loads the addon.
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LowpError } from '../errors/lowp-error.ts';
import type { Addon } from './addon.ts';

const require = createRequire(import.meta.url);

/** The nearest folder above this file that holds the package's own package.json. */
function packageRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  return folder;
}

/** Binaries that a development build left, then what was built ahead for this platform. */
function candidates(root: string): { readonly found: readonly string[]; readonly tried: readonly string[] } {
  const tried: string[] = [];
  const found: string[] = [];
  const release = path.join(root, 'build', 'Release');
  tried.push(path.join(release, '*.node'));
  if (existsSync(release)) {
    for (const name of readdirSync(release)) if (name.endsWith('.node')) found.push(path.join(release, name));
  }
  tried.push(path.join(root, 'prebuilds', `${process.platform}-${process.arch}`, '*.node'));
  const prebuilt = resolvePrebuild(root);
  if (prebuilt !== undefined && !found.includes(prebuilt)) found.push(prebuilt);
  return { found, tried };
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
  const { found, tried } = candidates(root);
  const failures: string[] = [];
  let cause: unknown;
  for (const file of found) {
    try {
      return { addon: require(file), path: file };
    } catch (error) {
      cause = error;
      failures.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
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
