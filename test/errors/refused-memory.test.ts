// Arrays that cannot be had are an error of lowp, other errors stay what they are.
import assert from 'node:assert/strict';
import test from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { withinMemory } from '../../lib/errors/refused-memory.ts';
import { zeros } from '../../lib/tensor/tensor.ts';

const isLimit = (error: unknown): boolean => error instanceof LowpError && error.code === 'ERR_LIMIT_SIZE';

test('arrays longer than any can be', () => {
  assert.throws(() => withinMemory(() => new Float32Array(2 ** 40)), isLimit);
  assert.throws(() => withinMemory(() => new ArrayBuffer(2 ** 52)), isLimit);
  assert.throws(() => withinMemory(() => new Array(2 ** 33)), isLimit);
  assert.throws(() => zeros('f32', [2 ** 40]), isLimit);
});

test('other errors, and results, pass', () => {
  assert.throws(() => withinMemory(() => (1).toFixed(1000)), RangeError);
  assert.equal(
    withinMemory(() => 3),
    3,
  );
});
