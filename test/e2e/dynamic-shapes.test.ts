// Two inputs whose sizes change from sample to sample: calibration, quantization and runs.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Engine } from '../../lib/engines/engine.ts';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { compile } from '../../lib/engines/session.ts';
import { readIr } from '../../lib/formats/ir/read.ts';
import { writeIr } from '../../lib/formats/ir/write.ts';
import type { Model } from '../../lib/graph/model.ts';
import { type QuantizeOptions, quantize } from '../../lib/quantize.ts';
import { toFloat32 } from '../../lib/tensor/convert.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { Network } from '../support/network.ts';

type Sample = Readonly<Record<'left' | 'right', Tensor>>;

/** Convolutions of two images of any size, each reduced to its means, and a product of both. */
function network(): Network {
  const net = new Network(5);
  const means = ['left', 'right'].map((name) => {
    const first = net.op('ReLU', `${name}/1`, [
      net.convolution(`${name}/c1`, net.input(name, [-1, 3, -1, -1]), 8, { stride: 2 }),
    ]);
    const deep = net.op('Clamp', `${name}/2`, [net.depthwise(`${name}/d2`, first)], { min: 0, max: 6 });
    const last = net.op('ReLU', `${name}/3`, [net.convolution(`${name}/c3`, deep, 8)]);
    return net.op('ReduceMean', `${name}/mean`, [last, net.integers(`${name}/axes`, [2, 3])], { keep_dims: false });
  });
  const joined = net.op('Concat', 'join', means, { axis: 1 });
  const product = net.op('MatMul', 'fc', [joined, net.weights('w', [5, 16], 0.3)], { transpose_b: true });
  net.result(net.op('Add', 'out', [product, net.weights('bias', [1, 5], 0.1)]), 'out');
  return net;
}

const net = network();

/** Height and width of the left image; the right one is turned and two columns wider. */
const sizes = [
  [8, 8],
  [12, 9],
  [8, 8],
  [16, 16],
  [7, 20],
  [10, 10],
  [9, 9],
  [20, 7],
  [8, 8],
  [5, 6],
] as const;
const samples: readonly Sample[] = sizes.map(([h, w]) => ({
  left: net.noise([1, 3, h, w]),
  right: net.noise([1, 3, w + 2, h]),
}));
const shapes = new Set(sizes.map(String)).size;

/** Counts compilations, and programs that are open at a time. */
function counting() {
  const count = { compiled: 0, open: 0, most: 0 };
  const engine: Engine = {
    name: 'counting',
    compile: async (model, options) => {
      const executable = await compileNative(model, options);
      count.compiled++;
      count.most = Math.max(count.most, ++count.open);
      const close = executable.close.bind(executable);
      return Object.assign(executable, {
        close: async () => {
          count.open--;
          await close();
        },
      });
    },
  };
  return { count, engine };
}

async function quantized(given: readonly Sample[], options: QuantizeOptions = {}): Promise<Model> {
  const { model } = await quantize(net.model, given, { subsetSize: samples.length, ...options });
  return model;
}

function bytesOf(model: Model): { readonly xml: string; readonly bin: Buffer } {
  const { xml, bin } = writeIr(model);
  return { xml, bin: Buffer.from(bin) };
}

const ways: Readonly<Record<string, QuantizeOptions>> = {
  'fast bias correction': {},
  'bias correction in order': {
    biasCorrection: 'full',
    details: { fullBiasCorrection: { sampleShare: 1 } },
  },
};

describe('samples of many shapes', () => {
  for (const [name, options] of Object.entries(ways)) {
    it(`give the same model in any order, with ${name}`, async () => {
      const expected = bytesOf(await quantized(samples, options));
      const orders = [
        samples.toReversed(),
        samples.toSorted((a, b) => a.left.data.length - b.left.data.length),
        samples.map(({ left, right }) => ({ right, left })),
      ];
      for (const order of orders) assert.deepEqual(bytesOf(await quantized(order, options)), expected);
    });

    it(`need few programs at a time, and all are closed, with ${name}`, async () => {
      const { count, engine } = counting();
      await quantized(samples, { ...options, engine });
      assert.ok(count.compiled >= shapes, `${count.compiled} compilations for ${shapes} shapes`);
      assert.ok(count.most <= 5, `${count.most} programs at a time`);
      assert.equal(count.open, 0);
    });
  }

  it('are compiled once when they come one shape after the other', async () => {
    const { count, engine } = counting();
    const sorted = samples.toSorted((a, b) => String(a.left.shape).localeCompare(String(b.left.shape)));
    await quantized(sorted, { engine, biasCorrection: false });
    assert.equal(count.compiled, shapes);
  });

  it('run on the quantized model, also behind a file, close to floats', async () => {
    const model = await quantized(samples);
    const { xml, bin } = bytesOf(model);
    await using floats = await compile(net.model);
    await using bytes = await compile(model);
    await using read = await compile(readIr(Buffer.from(xml), bin));
    let [signal, error] = [0, 0];
    for (const sample of samples) {
      const [a, b, c] = await Promise.all(
        [floats, bytes, read].map(async (session) => toFloat32((await session.infer(sample)).out!)),
      );
      assert.deepEqual(c, b);
      for (const [i, v] of a!.entries()) {
        signal += v * v;
        error += (v - b![i]!) ** 2;
      }
    }
    // 8 bits of 25 products and more: 30 dB is what such a network keeps at least.
    const ratio = 10 * Math.log10(signal / error);
    assert.ok(ratio > 30, `${ratio} dB`);
  });
});
