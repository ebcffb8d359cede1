// Shapes, and what stands for one whose rank is not known.
import assert from 'node:assert/strict';
import test from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { commonShape, formatShape, hasRank, isWithin, requireShape, unknownRank } from '../../lib/tensor/shape.ts';

const code = (wanted: string) => (error: unknown) => error instanceof LowpError && error.code === wanted;

test('only a lone -2 is an unknown rank, and only the constant is one unasked', () => {
  assert.equal(hasRank(unknownRank), false);
  assert.equal(hasRank([...unknownRank]), false);
  for (const shape of [[], [2], [-1], [-2, 3], [-2, -2]]) assert.equal(hasRank(shape), true, formatShape(shape));
  requireShape(unknownRank);
  for (const shape of [[-2], [-2, 3], [3, -2], [-3]])
    assert.throws(() => requireShape(shape), code('ERR_SHAPE_OVERFLOW'), `${shape}`);
});

test('what is common to two shapes, each of them has', () => {
  assert.deepEqual(commonShape([1, 2], [1, 3]), [1, -1]);
  assert.equal(commonShape([1, 2], [1]), unknownRank);
  assert.equal(commonShape([3], unknownRank), unknownRank);
  assert.ok(isWithin([1, 2], [1, -1]) && isWithin([1, 2], unknownRank));
  assert.ok(!isWithin([1, 2], [1]) && !isWithin([-1, 2], [1, 2]) && !isWithin(unknownRank, [1]));
});
