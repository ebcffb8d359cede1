// Golden texts: expectations in files, written anew with UPDATE_GOLDEN=1 and reviewed in the diff.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from './shared-folder.ts';

/** Compares a text with the file `test/golden/<name>`, `.txt` without an extension. */
export function assertGolden(name: string, text: string): void {
  const file = path.join(repositoryRoot(), 'test/golden', path.extname(name) === '' ? `${name}.txt` : name);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'), `${name} differs; UPDATE_GOLDEN=1 writes it anew`);
}
