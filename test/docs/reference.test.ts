import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { repositoryRoot } from '../support/shared-folder.ts';

test('the reference pages and the table in the README are what the registries say', () => {
  const script = path.join(repositoryRoot(), 'scripts/gen-docs.mjs');
  const build = fileURLToPath(new URL('../..', import.meta.url));
  const result = spawnSync(process.execPath, [script, '--check', '--from', build], { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
});
