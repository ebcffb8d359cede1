import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import type { InputInfo } from '../../lib/data/dataset.ts';
import { imageDecoder } from '../../lib/data/decode-image.ts';
import { type ImageOptions, openImages } from '../../lib/data/image-folder.ts';
import { listFiles } from '../../lib/data/list-files.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';

/** The images that a folder, a glob or a list names. */
const openListed = async (spec: string, inputs: readonly InputInfo[], options: ImageOptions) =>
  openImages(spec, await listFiles(spec), inputs, options);

const folder = mkdtempSync(path.join(tmpdir(), 'lowp-images-'));
after(() => rmSync(folder, { recursive: true }));

/** 4×2 pixels: red grows to the right, green downwards, blue is 50. */
const pixels = Uint8Array.from({ length: 24 }, (_, i) => {
  const [x, y] = [Math.floor(i / 3) % 4, Math.floor(i / 12)];
  return [x * 40, y * 100, 50][i % 3]!;
});

function input(...shape: number[]): InputInfo {
  return { name: 'x', type: 'f32', shape };
}

async function first(spec: string, shape: number[], options: ImageOptions = {}): Promise<Tensor> {
  for await (const sample of await openListed(path.join(folder, spec), [input(...shape)], options))
    return sample.inputs.x!;
  return assert.fail('no sample');
}

const code = (wanted: string) => (error: unknown) => error instanceof LowpError && error.code === wanted;
const values = (t: Tensor): number[] => Array.from(t.data, Number);

describe('images', () => {
  before(async () => {
    const image = () => sharp(pixels, { raw: { width: 4, height: 2, channels: 3 } });
    await image().png().toFile(path.join(folder, 'b.png'));
    await image().ensureAlpha(0.5).png().toFile(path.join(folder, 'a.PNG'));
    await image()
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toFile(path.join(folder, 'turned.jpg'));
    writeFileSync(path.join(folder, 'broken.jpg'), 'no image');
    writeFileSync(path.join(folder, 'labels.txt'), 'no image either');
  });

  it('a folder gives its images by name, other files are left out', async () => {
    const data = await openListed(folder, [input(1, 3, 2, 4)], {});
    assert.deepEqual(data.files, ['a.PNG', 'b.png', 'broken.jpg', 'turned.jpg']);
    assert.equal(data.length, 4);
    assert.deepEqual((await openListed(path.join(folder, '?.p*'), [input(1, 3, 2, 4)], {})).files, ['b.png']);
  });

  it('channels come first or last, in either order, without transparency', async () => {
    const planes = await first('b.png', [1, 3, 2, 4]);
    assert.deepEqual(values(planes), [
      ...[0, 40, 80, 120, 0, 40, 80, 120],
      ...[0, 0, 0, 0, 100, 100, 100, 100],
      ...new Array<number>(8).fill(50),
    ]);
    assert.deepEqual(values(await first('a.PNG', [1, 3, 2, 4])), values(planes));
    assert.deepEqual(values(await first('b.png', [1, 2, 4, 3], { layout: 'NHWC' })), Array.from(pixels));
    const reversed = await first('b.png', [1, 2, 4, 3], { layout: 'NHWC', color: 'bgr', mean: [50, 0, 0] });
    assert.deepEqual(values(reversed).slice(9, 12), [0, 0, 120]);
    assert.deepEqual((await first('b.png', [1, 1, 2, 4], { color: 'gray' })).shape, [1, 1, 2, 4]);
  });

  it('the crop is the centre', async () => {
    assert.deepEqual(values(await first('b.png', [1, 3, 1, 2], { crop: '2x1' })), [40, 80, 0, 0, 50, 50]);
    await assert.rejects(first('b.png', [1, 3, 1, 2], { crop: '5x1' }), code('ERR_DATA_SHAPE'));
  });

  it('sizes are exact, or keep the ratio with short:N', async () => {
    for (const interpolation of ['linear', 'cubic', 'nearest', 'area'] as const) {
      assert.deepEqual((await first('b.png', [-1, -1, -1, -1], { resize: '3x5', interpolation })).shape, [1, 3, 5, 3]);
      assert.deepEqual(
        (await first('b.png', [-1, -1, -1, -1], { resize: 'short:3', interpolation })).shape,
        [1, 3, 3, 6],
      );
    }
    const area = await first('b.png', [1, 3, 1, 2], { resize: '2x1', interpolation: 'area' });
    assert.deepEqual(values(area), [20, 100, 50, 50, 50, 50]);
  });

  it('the orientation that a camera recorded is applied', async () => {
    assert.deepEqual((await first('turned.jpg', [-1, -1, -1, -1])).shape, [1, 3, 4, 2]);
  });

  it('a file that is no image is named, sizes that are none are refused before anything is read', async () => {
    await assert.rejects(first('broken.jpg', [1, 3, 2, 4]), code('ERR_DATA_FORMAT'));
    for (const resize of ['3', '3x', 'short:', 'short:0', '0x3', '-1x3', '1000000x1000000'])
      await assert.rejects(openListed(folder, [input(1, 3, 2, 4)], { resize }), code('ERR_CONFIG_INVALID'), resize);
    await assert.rejects(openListed(folder, [input(1, 3, 2, 4)], { crop: 'short:3' }), code('ERR_CONFIG_INVALID'));
  });

  it('images feed models with one input', async () => {
    await assert.rejects(openListed(folder, [input(1), input(2)], {}), code('ERR_DATA_INPUT'));
    await assert.rejects(openListed(path.join(folder, 'nowhere'), [input(1)], {}), code('ERR_IO_NOT_FOUND'));
  });

  it('the decoder tells its version', async () => {
    assert.match((await imageDecoder()).version ?? '', /^\d+\.\d+/);
  });
});
