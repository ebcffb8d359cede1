// Bags of embeddings whose lists do not fit each other.
import assert from 'node:assert/strict';
import test from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { getOp } from '../../lib/ops/index.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

test('more segments than indices are refused', () => {
  const { evaluate } = getOp('EmbeddingSegmentsSum', 'opset3', 'node');
  const table = tensor('f32', [2, 1], [1, 2]);
  const list = (...values: number[]) => tensor('i32', [values.length], values);
  const count = tensor('i32', [], [2]);
  const run = (segments: number[]) => evaluate!({}, [table, list(0, 1), list(...segments), count], undefined as never);
  assert.deepEqual([...run([0, 1])[0]!.data], [1, 2]);
  assert.throws(
    () => run([0, 1, 1]),
    (e) => e instanceof LowpError && e.code === 'ERR_OP_INPUTS',
  );
});
