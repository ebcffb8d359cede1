import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { findMetric } from '../../lib/metrics/index.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

const map = (values: readonly number[]) => tensor('i32', [1, values.length], values);

function measure(metric: string, samples: readonly (readonly [found: number[], real: number[]])[]) {
  const run = findMetric(metric).create();
  for (const [found, real] of samples) run.update({ classes: map(found) }, map(real));
  return { value: run.value(), perSample: run.perSample!() };
}

// Class 0: both 2, predicted 3, real 2. Class 1: both 1, predicted 2, real 2. Class 2: both 0, predicted 0, real 1.
const found = [0, 0, 0, 1, 1];
const real = [0, 0, 1, 1, 2];

test('counts of a small map by hand', () => {
  assert.equal(measure('miou', [[found, real]]).value, (2 / 3 + 1 / 3 + 0) / 3);
  assert.equal(measure('pixel-accuracy', [[found, real]]).value, 3 / 5);
  assert.equal(measure('dice', [[found, real]]).value, (4 / 5 + 2 / 4 + 0) / 3);
  assert.equal(measure('dice:class=1', [[found, real]]).value, 1 / 2);
});

test('elements of the ignored class do not count, and it has no value', () => {
  assert.equal(measure('miou:ignore=2', [[found, real]]).value, (2 / 3 + 1 / 2) / 2);
  assert.equal(measure('pixel-accuracy:ignore=2', [[found, real]]).value, 3 / 4);
  assert.equal(
    measure('miou:ignore=1', [
      [
        [1, 0],
        [0, 0],
      ],
    ]).value,
    1 / 2,
  );
});

test('a class that occurs nowhere has no value; counts are summed over samples', () => {
  assert.equal(
    measure('miou', [
      [
        [0, 3],
        [0, 3],
      ],
    ]).value,
    1,
  );
  const { value, perSample } = measure('miou', [
    [
      [0, 0],
      [0, 1],
    ],
    [[1], [1]],
  ]);
  assert.equal(value, (1 / 2 + 1 / 2) / 2);
  assert.deepEqual(perSample, [1 / 4, 1]);
});

test('Dice is 2·IoU / (1 + IoU) of every class', () => {
  const classes = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 4, maxLength: 20 });
  fc.assert(
    fc.property(classes, classes, (a, b) => {
      const length = Math.min(a.length, b.length);
      const pair = [[a.slice(0, length), b.slice(0, length)]] as const;
      const both = pair[0][0].filter((v, i) => v === 1 && pair[0][1][i] === 1).length;
      const either = pair[0][0].filter((v, i) => v === 1 || pair[0][1][i] === 1).length;
      fc.pre(either > 0);
      const iou = both / either;
      assert.ok(Math.abs(measure('dice:class=1', pair).value - (2 * iou) / (1 + iou)) < 1e-12);
    }),
    { seed: 3 },
  );
});

test('maps of other sizes and values that are no classes are refused', () => {
  const refused = (error: unknown) => error instanceof LowpError && error.code === 'ERR_DATA_LABELS';
  assert.throws(() => measure('miou', [[[0], [0, 1]]]), refused);
  const run = findMetric('miou').create();
  assert.throws(() => run.update({ y: tensor('f32', [2], [0.5, 1]) }, map([0, 1])), refused);
  assert.throws(() => run.update({ y: map([0]) }, 0), refused);
  assert.ok(Number.isNaN(run.value()));
});
