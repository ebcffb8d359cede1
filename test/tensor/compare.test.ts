import assert from 'node:assert/strict';
import test from 'node:test';
import { bitEqual, cosine, maxAbsError, maxRelativeToRange, sqnr } from '../../lib/tensor/compare.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

const t = (...values: number[]) => tensor('f32', [values.length], values);

test('maxAbsError is the largest difference, and infinite when only one side is NaN', () => {
  assert.equal(maxAbsError(t(1, 2, 3), t(1, 2.5, 2)), 1);
  assert.equal(maxAbsError(t(NaN, Infinity, 0), t(NaN, Infinity, -0)), 0);
  assert.equal(maxAbsError(t(NaN), t(1)), Infinity);
  assert.equal(maxAbsError(t(1), t(NaN)), Infinity);
  assert.equal(maxAbsError(t(), t()), 0);
});

test('tensors of different shapes are not compared', () => {
  assert.throws(() => maxAbsError(t(1), t(1, 2)), { code: 'ERR_SHAPE_MISMATCH' });
});

test('maxRelativeToRange divides by the range of the reference', () => {
  assert.equal(maxRelativeToRange(t(0, 5), t(0, 4)), 0.25);
  assert.equal(maxRelativeToRange(t(3, 3), t(3, 3)), 0);
  assert.equal(maxRelativeToRange(t(3, 4), t(3, 3)), Infinity);
});

test('sqnr is in decibels of power', () => {
  assert.ok(Math.abs(sqnr(t(9, 0), t(10, 0)) - 20) < 1e-12);
  assert.equal(sqnr(t(1, 2), t(1, 2)), Infinity);
  assert.equal(sqnr(t(1), t(0)), -Infinity);
});

test('cosine is 1 for parallel, 0 for orthogonal and -1 for opposite tensors', () => {
  assert.ok(Math.abs(cosine(t(1, 2), t(2, 4)) - 1) < 1e-15);
  assert.equal(cosine(t(1, 0), t(0, 1)), 0);
  assert.equal(cosine(t(1, 0), t(-1, 0)), -1);
  assert.equal(cosine(t(0), t(0)), 1);
  assert.equal(cosine(t(0), t(1)), 0);
});

test('bitEqual sees the sign of zero, the type and the shape', () => {
  assert.ok(bitEqual(t(1, NaN), t(1, NaN)));
  assert.ok(!bitEqual(t(0), t(-0)));
  assert.ok(!bitEqual(tensor('i8', [1], [1]), tensor('u8', [1], [1])));
  assert.ok(!bitEqual(tensor('f32', [1, 2], [1, 2]), t(1, 2)));
});
