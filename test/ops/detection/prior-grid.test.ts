// Grids of default boxes whose sizes are extreme.
import assert from 'node:assert/strict';
import test from 'node:test';
import { writePriors } from '../../../lib/ops/detection/prior-grid.ts';

const grid = {
  boxes: [{ dx: 0, dy: 0, halfWidth: 1, halfHeight: 2 }],
  start: [1, 1] as const,
  step: [2, 4] as const,
  clip: false,
  variance: [],
};

test('lines without cells take no time, however many there are', () => {
  assert.deepEqual(writePriors(grid, { grid: [2 ** 52, 0], image: [8, 8] }).shape, [2, 0]);
  assert.deepEqual(writePriors(grid, { grid: [0, 2 ** 52], image: [8, 8] }).shape, [2, 0]);
});

test('cells go line by line', () => {
  const { shape, data } = writePriors(grid, { grid: [2, 2], image: [8, 8] });
  assert.deepEqual(shape, [2, 16]);
  const centers = [0, 4, 8, 12].map((i) => [
    ((data as Float32Array)[i]! + (data as Float32Array)[i + 2]!) * 4,
    ((data as Float32Array)[i + 1]! + (data as Float32Array)[i + 3]!) * 4,
  ]);
  assert.deepEqual(centers, [
    [1, 1],
    [3, 1],
    [1, 5],
    [3, 5],
  ]);
});
