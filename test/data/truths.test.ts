import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import type { Sample } from '../../lib/data/dataset.ts';
import { openData } from '../../lib/data/open.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'lowp-truths-'));
after(() => rmSync(folder, { recursive: true }));
const inputs = [{ name: 'x', type: 'f32', shape: [1, -1, -1, -1] }] as const;
const code = (wanted: string) => (error: unknown) => error instanceof LowpError && error.code === wanted;

const write = (name: string, content: string): string => {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
};

async function open(yaml: string): Promise<{ samples: Sample[]; truths: (number | Tensor)[] }> {
  const opened = await openData(write('set.yaml', `data: images\n${yaml}`), inputs);
  const labels = await opened.labels();
  const samples: Sample[] = [];
  const truths: (number | Tensor)[] = [];
  for await (const sample of opened.data) {
    samples.push(sample);
    if (labels) truths.push((await labels.at(samples.length - 1, sample))!);
  }
  return { samples, truths };
}

describe('truth that is more than a class', () => {
  before(async () => {
    for (const part of ['images', 'maps', 'boxes']) mkdirSync(path.join(folder, part));
    // 8 × 4: black on the left, white on the right.
    const pixels = Uint8Array.from({ length: 32 }, (_, i) => (i % 8 < 4 ? 0 : 255));
    for (const name of ['a', 'b']) {
      const image = () => sharp(pixels, { raw: { width: 8, height: 4, channels: 1 } });
      await image()
        .toColourspace('srgb')
        .png()
        .toFile(path.join(folder, 'images', `${name}.png`));
      const classes = sharp(
        pixels.map((v) => (v ? 11 : 2)),
        { raw: { width: 8, height: 4, channels: 1 } },
      );
      await classes
        .toColourspace('b-w')
        .png()
        .toFile(path.join(folder, 'maps', `${name}.png`));
    }
    write('boxes/b.txt', '7 0.5 0.5 0.25 0.5\n');
  });

  it('boxes are in pixels of the image as it was; an image without a file has none', async () => {
    const { truths, samples } = await open('labels: { boxes: boxes }\nresize: 4x4\n');
    assert.deepEqual((truths[0] as Tensor).shape, [0, 5]);
    assert.deepEqual((truths[1] as Tensor).data, Float32Array.of(3, 1, 5, 3, 7));
    assert.deepEqual(samples[1]!.geometry, {
      ...{ width: 8, height: 4, inputWidth: 4, inputHeight: 4 },
      ...{ scaleX: 0.5, scaleY: 1, left: 0, top: 0 },
    });
    write('boxes/a.txt', '7 0.5\n');
    await assert.rejects(open('labels: { boxes: boxes }\n'), code('ERR_DATA_LABELS'));
    await assert.rejects(open('labels: { boxes: maps }\n'), code('ERR_DATA_LABELS'));
  });

  it('gray values of maps are classes', async () => {
    const { truths } = await open('labels: { maps: maps }\n');
    assert.deepEqual((truths[0] as Tensor).shape, [1, 4, 8]);
    assert.deepEqual([...((truths[0] as Tensor).data as Int32Array)].slice(0, 8), [2, 2, 2, 2, 11, 11, 11, 11]);
  });

  it('images are normalized by their own numbers', async () => {
    const { truths, samples } = await open(
      'labels: { images: images, scale: 255 }\nnoise: { sigma: 25 }\ncolor: gray\n',
    );
    assert.deepEqual([...((truths[0] as Tensor).data as Float32Array)].slice(3, 5), [0, 1]);
    const [a, b] = samples.map((s) => s.inputs.x!.data as Float32Array);
    assert.notDeepEqual(a, b, 'other noise for each sample');
    assert.deepEqual(a, (await open('noise: { sigma: 25 }\ncolor: gray\n')).samples[0]!.inputs.x!.data);
    const spread = Math.sqrt(a!.reduce((sum, v, i) => sum + (v - (i % 8 < 4 ? 0 : 255)) ** 2, 0) / a!.length);
    assert.ok(spread > 15 && spread < 35, `${spread}`);
  });

  it('letterbox keeps the ratio and says where the image lies', async () => {
    const { samples } = await open('resize: letterbox:4x6\npad: 114\ninterpolation: nearest\n');
    const { geometry, inputs: fed } = samples[0]!;
    assert.deepEqual([geometry!.scaleX, geometry!.scaleY, geometry!.left, geometry!.top], [0.5, 0.5, 0, 2]);
    assert.deepEqual([...(fed.x!.data as Float32Array)].slice(0, 24), [
      ...new Array<number>(8).fill(114),
      ...[0, 0, 255, 255, 0, 0, 255, 255],
      ...new Array<number>(8).fill(114),
    ]);
    const corner = await open('resize: letterbox:4x6\nalign: top-left\n');
    assert.equal(corner.samples[0]!.geometry!.top, 0);
    assert.deepEqual((await open('resize: factor:0.5\n')).samples[0]!.inputs.x!.shape, [1, 3, 2, 4]);
  });

  it('limit takes the first samples and their labels', async () => {
    assert.equal((await open('labels: { maps: maps }\nlimit: 1\n')).truths.length, 1);
  });

  it('as many pictures as samples, and nothing unknown', async () => {
    await assert.rejects(open('labels: { images: images/a.png }\n'), code('ERR_DATA_LABELS'));
    await assert.rejects(open('labels: { faces: boxes }\n'), code('ERR_CONFIG_INVALID'));
    await assert.rejects(open('resize: factor:0\n'), code('ERR_CONFIG_INVALID'));
    await assert.rejects(open('resize: letterbox:4\n'), code('ERR_CONFIG_INVALID'));
  });
});
