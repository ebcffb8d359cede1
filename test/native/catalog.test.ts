import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addon } from '../../lib/native/binding.ts';
import { kernelParams } from '../../lib/program/kernels.gen.ts';

function camelCase(name: string): string {
  return name.replace(/_+(\w)/g, (_, letter: string) => letter.toUpperCase());
}

test('the generated parameters are those of the addon', () => {
  const catalog = addon()
    .kernelCatalog()
    .map(({ name, params }) => [name, params.map(([field, kind]) => [camelCase(field), kind])]);
  assert.deepEqual(kernelParams, Object.fromEntries(catalog), 'run node scripts/gen-kernels.mjs');
});
