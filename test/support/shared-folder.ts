// Real models and data beside the repository; absent in a user's clone.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that has package.json, whether the test runs from sources or from a build folder. */
export function repositoryRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json')) && path.dirname(folder) !== folder)
    folder = path.dirname(folder);
  return folder;
}

/** A folder of `../shared`, and the reason to skip a test when it is not there. */
export function sharedFolder(name: string): { readonly path: string; readonly skip: string | false } {
  const folder = path.resolve(repositoryRoot(), '../shared', name);
  return { path: folder, skip: existsSync(folder) ? false : `../shared/${name} is not there` };
}
