import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import type { InputInfo } from '../../lib/data/dataset.ts';
import { imageDefaults } from '../../lib/data/image-defaults.ts';
import { type DataOptions, openData } from '../../lib/data/open.ts';
import type { MetaElement, Model } from '../../lib/graph/model.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { Network } from '../support/network.ts';

function modelFor(shape: Shape, layout?: string): Model {
  const net = new Network();
  const x = net.input('x', shape);
  if (layout !== undefined) x.node.notes = { portRtInfo: { 0: [{ name: 'layout', version: '0', layout }] } };
  net.result(net.op('ReLU', 'relu', [x]));
  return net.model;
}

function element(name: string, children: readonly MetaElement[] = [], attributes = {}): MetaElement {
  return { name, attributes, children };
}

function withInfo(values: Readonly<Record<string, string>>): Model {
  const model = modelFor([1, 3, 8, 8]);
  const entries = Object.entries(values).map(([name, value]) => element(name, [], { value }));
  model.meta = [element('rt_info', [element('model_info', entries)])];
  return model;
}

describe('what a model says about images', () => {
  it('is the size of its input and its layout, noted or guessed', () => {
    assert.deepEqual(imageDefaults(modelFor([1, 3, 20, 30])), { layout: 'NCHW', resize: '30x20' });
    assert.deepEqual(imageDefaults(modelFor([1, 20, 30, 3])), { layout: 'NHWC', resize: '30x20' });
    assert.deepEqual(imageDefaults(modelFor([3, 20, 30])), { layout: 'NCHW', resize: '30x20' });
    assert.deepEqual(imageDefaults(modelFor([20, 30, 3])), { layout: 'NHWC', resize: '30x20' });
    assert.deepEqual(imageDefaults(modelFor([1, 3, 20, 3], '[N,H,W,C]')), { layout: 'NHWC', resize: '20x3' });
    assert.deepEqual(imageDefaults(modelFor([3, 20, 3], 'HWC')), { layout: 'NHWC', resize: '20x3' });
  });

  it('is no size where that is dynamic, and gray for one channel', () => {
    assert.deepEqual(imageDefaults(modelFor([-1, 3, -1, -1])), { layout: 'NCHW' });
    assert.deepEqual(imageDefaults(modelFor([1, 1, 28, 28])), { layout: 'NCHW', resize: '28x28', color: 'gray' });
  });

  it('is nothing when no axis can be colour', () => {
    assert.deepEqual(imageDefaults(modelFor([1, 5, 20, 30])), {});
    assert.deepEqual(imageDefaults(modelFor([1, 7])), {});
  });

  it('holds mean, scale and order of channels that the graph does not apply itself', () => {
    const info = {
      mean_values: '123.7 116.3 103.5',
      scale_values: '[58.4, 57.1, 57.4]',
      reverse_input_channels: 'YES',
    };
    const size = { layout: 'NCHW', resize: '8x8' };
    assert.deepEqual(imageDefaults(withInfo(info)), {
      ...size,
      color: 'bgr',
      mean: [123.7, 116.3, 103.5],
      scale: [58.4, 57.1, 57.4],
    });
    assert.deepEqual(imageDefaults(withInfo({ ...info, embedded_processing: 'True' })), size);
    assert.deepEqual(imageDefaults(withInfo({ mean_values: '()', scale_values: 'x' })), size);
  });

  it('comes from pre-process in old files, which may also name a whole image', () => {
    const model = modelFor([1, 3, 8, 8]);
    const channel = (id: number, mean: MetaElement): MetaElement => element('channel', [mean], { id: String(id) });
    const number = (value: string): MetaElement => element('mean', [], { value });
    model.meta = [element('pre-process', [channel(1, number('2')), channel(0, number('1')), channel(2, number('3'))])];
    assert.deepEqual(imageDefaults(model), { layout: 'NCHW', resize: '8x8', mean: [1, 2, 3] });
    model.meta = [element('pre-process', [channel(0, element('mean', [], { offset: '0', size: '768' }))])];
    assert.throws(() => imageDefaults(model), { code: 'ERR_DATA_INPUT', message: /image/ });
  });
});

describe('a folder of images without any option', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lowp-simplified-'));
    const raw = { width: 40, height: 20, channels: 3 } as const;
    // A red frame of 5 pixels around green.
    const pixels = Uint8Array.from({ length: 2400 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % 40, Math.floor(i / 120)];
      const isInside = x >= 5 && x < 35 && y >= 5 && y < 15;
      return (isInside ? [0, 200, 0] : [100, 0, 0])[i % 3]!;
    });
    for (const name of ['a.png', 'b.png']) await sharp(pixels, { raw }).png().toFile(path.join(folder, name));
    await writeFile(path.join(folder, 'list.txt'), `b.png\n\n${path.join(folder, 'a.png')}\n`);
  });
  after(() => rm(folder, { recursive: true }));

  const infos = (model: Model): InputInfo[] =>
    model.parameters().map((p) => ({ name: p.name, type: p.output.fact.type, shape: p.output.fact.shape }));

  async function first(model: Model, options: DataOptions = {}, spec = folder): Promise<Record<string, Tensor>> {
    const { data } = await openData(spec, infos(model), options, imageDefaults(model));
    for await (const sample of data) return sample.inputs;
    return assert.fail('no sample');
  }

  it('is resized to the input, in its layout, without normalization', async () => {
    const { x } = await first(modelFor([1, 3, 10, 12]));
    assert.deepEqual(x!.shape, [1, 3, 10, 12]);
    assert.deepEqual([x!.data[0], x!.data[5 * 12 + 6], x!.data[120 + 5 * 12 + 6]], [100, 0, 200]);
    assert.deepEqual((await first(modelFor([1, 10, 12, 3]))).x!.shape, [1, 10, 12, 3]);
    assert.deepEqual((await first(modelFor([3, 10, 12]))).x!.shape, [3, 10, 12]);
  });

  it('is gray for a model of one channel, and keeps its size for a dynamic input', async () => {
    assert.deepEqual((await first(modelFor([1, 1, 10, 12]))).x!.shape, [1, 1, 10, 12]);
    assert.deepEqual((await first(modelFor([1, 3, -1, -1]))).x!.shape, [1, 3, 20, 40]);
  });

  it('is cropped to its middle first, so that the frame goes', async () => {
    const { x } = await first(modelFor([1, 3, 4, 4]), { centralFraction: 0.5 });
    assert.ok(x!.data.subarray(0, 16).every((v) => v === 0));
    assert.ok(x!.data.subarray(16, 32).every((v) => v === 200));
    const sizes = await first(modelFor([1, 3, -1, -1]), { centralFraction: 0.32 });
    assert.deepEqual(sizes.x!.shape, [1, 3, 6, 12]);
    await assert.rejects(first(modelFor([1, 3, 4, 4]), { centralFraction: 1.5 }), { code: 'ERR_CONFIG_INVALID' });
  });

  it('obeys the options that are given', async () => {
    const model = withInfo({ mean_values: '1 1 1' });
    assert.equal((await first(model)).x!.data[0], 99);
    assert.equal((await first(model, { mean: [100] })).x!.data[0], 0);
    await assert.rejects(first(model, { crop: '10x10' }), { code: 'ERR_DATA_SHAPE' });
    assert.deepEqual((await first(model, { resize: '8x8', color: 'bgr' })).x!.data[0], -1);
  });

  it('may be a list of files', async () => {
    const model = modelFor([1, 3, 4, 4]);
    const { data } = await openData(path.join(folder, 'list.txt'), infos(model), {}, imageDefaults(model));
    const ids: string[] = [];
    for await (const { id } of data) ids.push(path.basename(id));
    assert.deepEqual(ids, ['b.png', 'a.png']);
  });

  it('feeds the size of the image to a second input of shape [1,3]', async () => {
    const net = new Network();
    const x = net.input('x', [1, 3, 10, 12]);
    net.result(net.op('ReLU', 'relu', [x]));
    net.result(net.op('ReLU', 'other', [net.input('im_info', [1, 3])]));
    const inputs = await first(net.model);
    assert.deepEqual([...inputs.im_info!.data], [10, 12, 1]);
    net.result(net.op('ReLU', 'third', [net.input('more', [1, 3])]));
    await assert.rejects(first(net.model), { code: 'ERR_DATA_INPUT' });
  });
});
