import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { closestNames, editDistance } from '../../lib/util/closest.ts';

describe('closestNames', () => {
  it('finds a name with a slip, without regard to case', () => {
    assert.deepEqual(closestNames('imput', ['output', 'Input', 'x']), ['Input']);
  });

  it('finds nothing when nothing is near', () => {
    assert.deepEqual(closestNames('convolution', ['relu', 'pool']), []);
  });

  it('counts edits', () => {
    assert.equal(editDistance('kitten', 'sitting'), 3);
    assert.equal(editDistance('', 'abc'), 3);
  });
});
