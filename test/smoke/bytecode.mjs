// The packed package brings bytecode for the Node.js that packed it, and V8 takes it; without it everything works too.
import assert from 'node:assert/strict';
import { readdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const bundle = fileURLToPath(new URL('dist/bundle/', import.meta.resolve('lowp/package.json')));
const load = path.join(bundle, 'load.js');
const { script } = await import(load);
assert.equal(script.cachedDataRejected, false);

const name = readdirSync(bundle).find((file) => file.endsWith('.bytecode'));
assert.ok(name.includes(process.version));
const hidden = path.join(bundle, 'hidden');
renameSync(path.join(bundle, name), hidden);
try {
  const without = await import(`${load}?without`);
  assert.equal(without.script, undefined);
  assert.deepEqual(Object.keys(without.index).sort(), Object.keys(await import('lowp')).sort());
} finally {
  renameSync(hidden, path.join(bundle, name));
}
