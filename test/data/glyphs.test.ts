import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { glyphClasses, glyphSample, glyphSize } from '../../lib/data/glyphs.ts';

test('the first images of seed 1 are the same on every machine', () => {
  const hash = createHash('sha256');
  const labels: number[] = [];
  for (let i = 0; i < 40; i++) {
    const { image, label } = glyphSample(1, i);
    hash.update(Uint8Array.from(image, (v) => Math.round(v * 255)));
    labels.push(label);
  }
  assert.equal(hash.digest('hex'), 'b1f6d98928642dc6cb7106a377a0ff825d8b7747a445b48017ea69d7bf9b8040');
  assert.deepEqual(labels.slice(0, 10), [8, 18, 19, 0, 9, 7, 4, 2, 17, 16]);
});

test('values are steps of 1 / 255 in [0, 1] and use most of the range', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(1e6), (seed, index) => {
      const { image, label } = glyphSample(seed, index);
      assert.equal(image.length, glyphSize * glyphSize);
      assert.ok(label >= 0 && label < glyphClasses.length);
      for (const v of image) assert.equal(v, Math.fround(Math.round(v * 255) / 255));
      assert.ok(Math.max(...image) <= 1 && Math.min(...image) >= 0);
      assert.ok(Math.max(...image) - Math.min(...image) > 0.15);
    }),
    { numRuns: 50, seed: 3 },
  );
});

test('every block of 20 samples holds each class once, in an order of its own', () => {
  const orders = new Set<string>();
  for (let block = 0; block < 25; block++) {
    const labels = Array.from({ length: 20 }, (_, i) => glyphSample(7, block * 20 + i).label);
    assert.equal(new Set(labels).size, glyphClasses.length);
    orders.add(labels.join());
  }
  assert.equal(orders.size, 25);
});

test('other seeds and other indices give other images', () => {
  const image = (seed: number, index: number) => glyphSample(seed, index).image.join();
  const images = [image(1, 0), image(1, 1), image(2, 0), image(1, 2 ** 32), image(1, 20)];
  assert.equal(new Set(images).size, images.length);
  assert.equal(image(1, 0), images[0]);
});

test('a negative or fractional index is refused', () => {
  for (const index of [-1, 0.5, Number.NaN]) assert.throws(() => glyphSample(1, index), { code: 'ERR_CONFIG_INVALID' });
});
