import assert from 'node:assert/strict';
import test from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { overlap } from '../../lib/metrics/boxes.ts';
import { findMetric } from '../../lib/metrics/index.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

const boxes = (columns: number, ...rows: number[][]) => tensor('f32', [rows.length, columns], rows.flat());

/** Value over the samples, and of each alone. */
function measure(metric: string, samples: readonly (readonly [found: number[][], real: number[][]])[]) {
  const run = findMetric(metric).create();
  for (const [found, real] of samples) run.update({ boxes: boxes(6, ...found) }, boxes(5, ...real));
  return { value: run.value(), perSample: run.perSample!() };
}

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, expected ${expected}`);

test('the overlap of two boxes is the common area over the whole one', () => {
  const a = { x1: 0, y1: 0, x2: 2, y2: 2 };
  near(overlap(a, { x1: 1, y1: 0, x2: 3, y2: 2 }), 2 / 6);
  assert.equal(overlap(a, a), 1);
  assert.equal(overlap(a, { x1: 2, y1: 0, x2: 4, y2: 2 }), 0);
  assert.equal(overlap({ x1: 1, y1: 1, x2: 1, y2: 1 }, { x1: 1, y1: 1, x2: 1, y2: 1 }), 0);
});

test('average precision: hit, miss, hit over two true boxes', () => {
  // Precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1; made monotone 1, 2/3, 2/3. Recalls 0 … 0.50 are 51 points of 1, the
  // other 50 have 2/3.
  const found = [
    [0, 0, 10, 10, 0.9, 3],
    [50, 50, 60, 60, 0.8, 3],
    [20, 20, 30, 30, 0.7, 3],
  ];
  const real = [
    [0, 0, 10, 10, 3],
    [20, 20, 30, 30, 3],
  ];
  near(measure('map@0.5', [[found, real]]).value, (51 + (50 * 2) / 3) / 101);
  near(measure('map', [[found, real]]).value, (51 + (50 * 2) / 3) / 101);
});

test('a box counts as far as it overlaps, and one true box is found once', () => {
  // IoU 80/100: a hit at 0.50 … 0.80, seven of ten thresholds.
  near(measure('map', [[[[0, 0, 8, 10, 1, 0]], [[0, 0, 10, 10, 0]]]]).value, 0.7);
  const twice = [
    [0, 0, 10, 10, 0.9, 0],
    [0, 0, 10, 10, 0.8, 0],
  ];
  const real = [
    [0, 0, 10, 10, 0],
    [40, 0, 50, 10, 0],
  ];
  near(measure('map@0.5', [[twice, real]]).value, 51 / 101);
});

test('the mean is over classes that occur; scores order detections over images', () => {
  // Class 0: found in image 2 with a better score than a wrong one in image 1. Class 1: not found. Class 2: never there.
  const first = [[[0, 0, 9, 9, 0.3, 0]], [[100, 0, 110, 10, 1]]] as [number[][], number[][]];
  const second = [
    [
      [0, 0, 10, 10, 0.8, 0],
      [0, 0, 10, 10, 0.9, 2],
    ],
    [[0, 0, 10, 10, 0]],
  ] as [number[][], number[][]];
  const { value, perSample } = measure('map', [first, second]);
  near(value, 0.5);
  assert.deepEqual(perSample, [0, 1]);
});

test('only so many detections of an image and a class count', () => {
  const found = [
    [50, 50, 60, 60, 0.9, 0],
    [0, 0, 10, 10, 0.8, 0],
  ];
  near(measure('map@0.5', [[found, [[0, 0, 10, 10, 0]]]]).value, 0.5);
  assert.equal(measure('map@0.5:detections=1', [[found, [[0, 0, 10, 10, 0]]]]).value, 0);
});

test('F1 is twice the hits over all boxes', () => {
  const found = [
    [0, 0, 10, 10, 0.9, 1],
    [0, 0, 10, 10, 0.8, 2],
    [20, 0, 30, 10, 0.7, 1],
  ];
  const real = [
    [0, 0, 10, 12, 1],
    [20, 0, 28, 10, 1],
  ];
  const { value, perSample } = measure('f1', [
    [found, real],
    [[], []],
  ]);
  near(value, 4 / 5);
  assert.deepEqual(perSample, [4 / 5, 1]);
  near(measure('f1:iou=0.82', [[found, real]]).value, 2 / 5);
});

test('what is no list of boxes is refused', () => {
  const refused = (error: unknown) => error instanceof LowpError && error.code === 'ERR_DATA_LABELS';
  for (const metric of ['map', 'f1']) {
    const run = findMetric(metric).create();
    assert.throws(() => run.update({ y: tensor('f32', [1, 85], new Float32Array(85)) }, boxes(5)), refused);
    assert.throws(() => run.update({ y: boxes(6) }, 3), refused);
    assert.throws(() => run.update({}, boxes(5)), refused);
  }
  assert.ok(Number.isNaN(findMetric('map').create().value()));
  assert.ok(Number.isNaN(findMetric('f1').create().value()));
});
