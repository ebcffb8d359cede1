import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { accuracyAt, findMetric } from '../../lib/metrics/index.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

function accuracy(k: number, samples: readonly (readonly [scores: readonly number[], label: number])[]): number {
  const run = accuracyAt(k).create();
  for (const [scores, label] of samples) run.update({ y: tensor('f32', [1, scores.length], scores) }, label);
  return run.value();
}

test('counts the samples whose class has the highest score', () => {
  const samples = [
    [[0.1, 0.7, 0.2], 1],
    [[0.1, 0.7, 0.2], 2],
    [[0.1, 0.3, 0.6], 2],
    [[0.5, 0.3, 0.2], 0],
  ] as const;
  assert.equal(accuracy(1, samples), 0.75);
  assert.equal(accuracy(2, samples), 1);
});

test('equal scores count for the class that comes first', () => {
  assert.equal(accuracy(1, [[[0.5, 0.5], 0]]), 1);
  assert.equal(accuracy(1, [[[0.5, 0.5], 1]]), 0);
  assert.equal(accuracy(2, [[[0.5, 0.5], 1]]), 1);
});

test('NaN is never a hit, and no samples give NaN', () => {
  assert.equal(accuracy(1, [[[Number.NaN, 0], 0]]), 0);
  assert.ok(Number.isNaN(accuracyAt(1).create().value()));
});

test('a label beyond the classes is an error', () => {
  assert.throws(
    () => accuracy(1, [[[0.5, 0.5], 2]]),
    (error) => error instanceof LowpError && error.code === 'ERR_DATA_LABELS',
  );
});

test('the rank of a class is its place in the sorted scores', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 12 }),
      fc.nat(),
      fc.integer({ min: 1, max: 12 }),
      (scores, pick, k) => {
        const label = pick % scores.length;
        const rank = scores.toSorted((a, b) => b - a).indexOf(scores[label]!);
        assert.equal(accuracy(k, [[scores, label]]), rank < k ? 1 : 0);
      },
    ),
    { seed: 11 },
  );
});

test('names give metrics, or an error that lists them', () => {
  assert.equal(findMetric('accuracy').name, 'accuracy@1');
  assert.equal(findMetric('accuracy@5').name, 'accuracy@5');
  for (const name of ['accuracy@0', 'accuracy@', 'precision', 'toString', ''])
    assert.throws(
      () => findMetric(name),
      (error) => error instanceof LowpError && error.code === 'ERR_METRIC_UNKNOWN' && /accuracy@K/.test(error.message),
    );
});
