import assert from 'node:assert/strict';
import test from 'node:test';
import { axes, cliffs, deepestFall, suspects } from '../../bench/sweep/axes.ts';

const points = (...gops: number[]) => gops.map((g, i) => ({ value: i + 1, gops: g }));

test('a cliff is a point under 0.7 of the mean of its neighbours', () => {
  assert.deepEqual(cliffs(points(10, 10, 6, 10, 10)), [{ value: 3, gops: 6, share: 0.6 }]);
  assert.deepEqual(cliffs(points(10, 10, 7.1, 10, 10)), []);
  // Slow growth and the ends are none.
  assert.deepEqual(cliffs(points(1, 2, 3, 4, 5)), []);
  assert.deepEqual(cliffs(points(1, 10)), []);
});

test('the deepest fall is against the best smaller size', () => {
  assert.deepEqual(deepestFall(points(10, 20, 12, 15, 40, 30)), { value: 3, gops: 12, share: 0.6 });
  assert.equal(deepestFall(points(1, 2, 3))?.share, 1);
  assert.equal(deepestFall([]), undefined);
});

test('what is far below its neighbours or a smaller size is suspect', () => {
  assert.deepEqual(suspects(points(10, 10, 7, 10, 10)), [3]);
  assert.deepEqual(suspects(points(10, 9, 8.5, 7.9)), [4]);
  assert.deepEqual(suspects(points(1, 2, 3)), []);
});

test('axes rise and meet every tile width on both sides', () => {
  for (const axis of axes) {
    assert.deepEqual(
      axis.values,
      [...axis.values].sort((a, b) => a - b),
    );
    assert.equal(new Set(axis.values).size, axis.values.length, axis.name);
    for (const tile of [16, 32, 64]) for (const d of [-1, 0, 1]) assert.ok(axis.values.includes(tile + d), axis.name);
    for (const value of axis.values) {
      const layer = axis.layer(value);
      assert.ok(layer.kind === 'gemm' || layer.ic % layer.groups === 0);
    }
  }
});
