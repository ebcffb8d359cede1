import assert from 'node:assert/strict';
import test from 'node:test';
import { tensor } from '../../lib/tensor/tensor.ts';

test('a tensor of 64-bit integers holds whole numbers of its range only', () => {
  assert.deepEqual([...tensor('i64', [2], [-1, 2n ** 62n]).data], [-1n, 2n ** 62n]);
  for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 63, 2n ** 63n, -(2n ** 63n) - 1n]) {
    assert.throws(() => tensor('i64', [1], [value]), { code: 'ERR_TYPE_MISMATCH', message: /i64 cannot hold/ });
  }
});
