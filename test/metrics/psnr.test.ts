import assert from 'node:assert/strict';
import test from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { findMetric } from '../../lib/metrics/index.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';

function psnr(metric: string, found: Tensor, real: Tensor): number {
  const run = findMetric(metric).create();
  run.update({ y: found }, real);
  return run.value();
}

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-4, `${actual}, expected ${expected}`);
const image = (channels: number, side: number, value: number | ((i: number) => number)): Tensor =>
  tensor(
    'f32',
    [1, channels, side, side],
    Float32Array.from({ length: channels * side * side }, (_, i) => (typeof value === 'number' ? value : value(i))),
  );

test('an error of 1 % of the peak is 40 dB', () => {
  near(psnr('psnr', image(1, 2, 0.51), image(1, 2, 0.5)), 40);
  near(psnr('psnr:peak=255', image(1, 2, 102.55), image(1, 2, 100)), 40);
  assert.equal(psnr('psnr', image(1, 2, 0.5), image(1, 2, 0.5)), Number.POSITIVE_INFINITY);
});

test('predictions are clamped and, when asked for, rounded', () => {
  assert.equal(psnr('psnr', image(1, 2, 1.7), image(1, 2, 1)), Number.POSITIVE_INFINITY);
  assert.equal(psnr('psnr:levels=2', image(1, 2, 0.6), image(1, 2, 0.5)), Number.POSITIVE_INFINITY);
});

test('the border does not count', () => {
  const spoiled = image(1, 4, (i) => (i % 4 === 0 ? 1 : 0.6));
  near(psnr('psnr:border=1', spoiled, image(1, 4, 0.5)), 20);
});

test('the luma of white and black lies 219 steps of 255 apart', () => {
  near(psnr('psnr:channel=y', image(3, 2, 1), image(3, 2, 0)), 20 * Math.log10(255 / 219));
  // Green alone: 128.553 steps.
  const green = image(3, 2, (i) => (i >= 4 && i < 8 ? 1 : 0));
  near(psnr('psnr:channel=y', green, image(3, 2, 0)), 20 * Math.log10(255 / 128.553));
});

test('images that do not fit are refused', () => {
  const refused = (error: unknown) => error instanceof LowpError && error.code === 'ERR_DATA_LABELS';
  assert.throws(() => psnr('psnr', image(1, 2, 0), image(1, 3, 0)), refused);
  assert.throws(() => psnr('psnr:border=1', image(1, 2, 0), image(1, 2, 0)), refused);
  assert.throws(() => psnr('psnr:channel=y', image(1, 2, 0), image(1, 2, 0)), refused);
});
