// Texts of equal and of different contents.
import assert from 'node:assert/strict';
import test from 'node:test';
import { contentText } from '../../lib/util/content-text.ts';

test('equal contents have one text, however they are held', () => {
  const bytes = Uint8Array.of(9, 1, 2, 3).subarray(1);
  assert.equal(contentText({ a: [bytes, 5n] }), contentText({ a: [Uint8Array.of(1, 2, 3), 5n] }));
});

test('different contents have different texts', () => {
  const values = [
    ...[0, -0, Number.NaN, Number.POSITIVE_INFINITY, null, 1, 1n, '1', true, []],
    ...[Uint8Array.of(1), Uint8Array.of(1, 0), Int8Array.of(1), Uint8Array.of(2), Buffer.from([3]), Buffer.from([4])],
  ];
  assert.equal(new Set(values.map((value) => contentText({ value }))).size, values.length);
});

test('the text of a tensor does not grow with it', () => {
  const lengths = [1, 100_000].map((n) =>
    [new Float32Array(n), Buffer.alloc(n)].map((data) => contentText({ data }).length),
  );
  assert.deepEqual(lengths[1], lengths[0]);
});
