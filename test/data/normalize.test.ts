import assert from 'node:assert/strict';
import test from 'node:test';
import { normalizeArray, normalizePixels } from '../../lib/data/normalize.ts';
import { resizeArea } from '../../lib/data/resize-area.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

/** Two pixels side by side, three channels. */
const pixels = Uint8Array.of(10, 20, 30, 40, 50, 60);
const size = { height: 1, width: 2, channels: 3 };

test('x becomes (x - mean) / scale per channel of the model', () => {
  const t = normalizePixels(pixels, size, 'NCHW', { mean: [10, 20, 30], scale: [1, 2, 10] });
  assert.deepEqual(t.shape, [1, 3, 1, 2]);
  assert.deepEqual(t.data, Float32Array.of(0, 30, 0, 15, 0, 3));
});

test('the reversed order of channels applies before mean and scale', () => {
  const t = normalizePixels(pixels, size, 'NHWC', { mean: [30, 0, 0], reverseChannels: true });
  assert.deepEqual(t.shape, [1, 1, 2, 3]);
  assert.deepEqual(t.data, Float32Array.of(0, 20, 10, 30, 50, 40));
});

test('one value serves all channels, another number of values is refused', () => {
  assert.deepEqual(normalizePixels(pixels, size, 'NHWC', { scale: [10] }).data, Float32Array.of(1, 2, 3, 4, 5, 6));
  assert.throws(
    () => normalizePixels(pixels, size, 'NHWC', { mean: [1, 2] }),
    (error) => error instanceof LowpError && error.code === 'ERR_CONFIG_INVALID',
  );
});

test('arrays with channels last become channels first', () => {
  const t = tensor('u8', [1, 1, 2, 3], pixels);
  assert.deepEqual(normalizeArray(t, { channelsLast: true }), {
    type: 'f32',
    shape: [1, 3, 1, 2],
    data: Float32Array.of(10, 40, 20, 50, 30, 60),
  });
});

test('arrays in the order of the model keep it', () => {
  const t = tensor('f32', [1, 3, 1, 2], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(
    normalizeArray(t, { mean: [1, 3, 5], reverseChannels: true }).data,
    Float32Array.of(4, 5, 0, 1, -4, -3),
  );
  assert.equal(normalizeArray(t, {}), t);
  const flat = tensor('f32', [1, 2], [4, 6]);
  assert.deepEqual(normalizeArray(flat, { mean: [2], scale: [2] }).data, Float32Array.of(1, 2));
});

test('resizing by area gives the mean of what each pixel covers', () => {
  const image = Uint8Array.from({ length: 16 }, (_, i) => i * 10);
  const square = { width: 4, height: 4, channels: 1 };
  assert.deepEqual(resizeArea(image, square, 2, 2), Uint8Array.of(25, 45, 105, 125));
  assert.deepEqual(resizeArea(image, square, 4, 4), image);
  assert.deepEqual(
    resizeArea(Uint8Array.of(0, 30, 60), { width: 3, height: 1, channels: 1 }, 2, 1),
    Uint8Array.of(10, 50),
  );
  const colours = Uint8Array.of(0, 100, 20, 200);
  assert.deepEqual(resizeArea(colours, { width: 2, height: 1, channels: 2 }, 1, 1), Uint8Array.of(10, 150));
});
