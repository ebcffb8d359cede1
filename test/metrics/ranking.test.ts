import assert from 'node:assert/strict';
import test from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { findMetric } from '../../lib/metrics/index.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

function measure(metric: string, ...samples: (readonly [scores: number[], label: number])[]): number {
  const run = findMetric(metric).create();
  for (const [scores, label] of samples) run.update({ y: tensor('f32', [scores.length, 1], scores) }, label);
  return run.value();
}

test('the rank of the right candidate decides', () => {
  const scores = [0.9, 0.1, 0.5];
  assert.equal(measure('hr@2', [scores, 0], [scores, 2], [scores, 1]), 2 / 3);
  const gain = measure('ndcg@2', [scores, 0], [scores, 2], [scores, 1]);
  assert.ok(Math.abs(gain - (1 + 1 / Math.log2(3)) / 3) < 1e-12);
});

test('ties count as asked for', () => {
  // Three others are equal: ranks 0, 1.5 and 3.
  const tied = [[0.5, 0.5, 0.5, 0.5], 0] as [number[], number];
  assert.equal(measure('hr@1:ties=favour', tied), 1);
  assert.equal(measure('hr@1', tied), 0);
  assert.equal(measure('hr@2', tied), 1);
  assert.equal(measure('hr@2:ties=against', tied), 0);
  assert.ok(Math.abs(measure('ndcg@2:ties=half', tied) - 1 / Math.log2(3.5)) < 1e-12);
});

test('a label that is no candidate is refused, NaN never hits', () => {
  const refused = (error: unknown) => error instanceof LowpError && error.code === 'ERR_DATA_LABELS';
  assert.throws(() => measure('hr@1', [[0.5], 1]), refused);
  assert.equal(measure('hr@5', [[Number.NaN, 1], 0]), 0);
});
