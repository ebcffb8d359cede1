// Weights and samples at the edges of what can be calibrated: a sound quantized model, or an error that names the place.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { Model } from '../../lib/graph/model.ts';
import { quantizersOf } from '../../lib/quantization/propagate.ts';
import { type QuantizeOptions, quantize } from '../../lib/quantize.ts';
import type { Sample } from '../../lib/statistics/samples.ts';
import { toFloat32 } from '../../lib/tensor/convert.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { Network } from '../support/network.ts';

/** Convolution with given weights, ReLU, depthwise convolution; per-tensor and per-channel quantizers. */
function network(change: (weights: Float32Array) => void = () => undefined): Network {
  const net = new Network(7);
  const x = net.input('image', [1, 2, 6, 6]);
  const weights = net.noise([4, 2, 3, 3]);
  change(weights.data as Float32Array);
  const window = { strides: [1, 1], pads_begin: [1, 1], pads_end: [1, 1], dilations: [1, 1] };
  const conv = net.op('Convolution', 'conv', [x, net.value('w', weights)], window);
  const relu = net.op('ReLU', 'relu', [net.bias('sum', conv, 4)]);
  net.result(net.depthwise('depthwise', relu));
  return net;
}

function images(count: number, of: (i: number, e: number) => number = () => Number.NaN): Tensor[] {
  const net = new Network(5);
  return Array.from({ length: count }, (_, i) => {
    const noise = net.noise([1, 2, 6, 6]);
    const data = (noise.data as Float32Array).map((v, e) => (Number.isNaN(of(i, e)) ? v : of(i, e)));
    return tensor('f32', [1, 2, 6, 6], data);
  });
}

async function outputOf(model: Model, image: Tensor): Promise<Float32Array> {
  await using executable = await compileNative(model);
  return toFloat32(Object.values((await executable.run({ image })).outputs)[0]!);
}

/** Every limit is finite and every range has a width; the result follows the floats within `steps` of its range. */
async function isSound(net: Network, samples: readonly Tensor[], options: QuantizeOptions = {}): Promise<void> {
  const { model } = await quantize(net.model, samples, { subsetSize: samples.length, ...options });
  for (const quantizer of quantizersOf(model)) {
    const [low, high] = [1, 2].map((i) => toFloat32(quantizer.source(i)!.fact.value!));
    for (const [c, l] of low!.entries()) {
      const h = high![c]!;
      assert.ok(Number.isFinite(l) && Number.isFinite(h) && l < h, `${quantizer.name}: ${l} to ${h}`);
    }
  }
  const [wanted, found] = [await outputOf(net.model, samples[0]!), await outputOf(model, samples[0]!)];
  assert.ok(found.every(Number.isFinite));
  const range = Math.max(1e-30, ...wanted.map(Math.abs));
  const error = Math.max(...wanted.map((v, i) => Math.abs(v - found[i]!)));
  assert.ok(error <= Math.max(0.1 * range, 1e-3), `${error} of ${range}`);
}

const everyWay: readonly QuantizeOptions[] = [
  { preset: 'performance' },
  { preset: 'mixed' },
  { preset: 'mixed', details: { rangeEstimator: { preset: 'quantile' } } },
  { preset: 'performance', details: { weightRangeEstimator: { preset: 'quantile' } } },
  { preset: 'performance', targetDevice: 'NPU', details: { rangeEstimator: { preset: 'quantile' } } },
];

describe('a model can be quantized', () => {
  const cases: readonly (readonly [string, Network, readonly Tensor[]])[] = [
    ['from one sample', network(), images(1)],
    ['from samples that are all equal', network(), new Array<Tensor>(20).fill(images(1)[0]!)],
    ['from samples that are zero', network(), images(3, () => 0)],
    ['from samples that are one constant', network(), images(3, () => 0.7)],
    ['from samples with a constant channel', network(), images(5, (_, e) => (e < 36 ? -1.5 : Number.NaN))],
    ['from denormal samples', network(), images(5, (i, e) => (i + e + 1) * 1e-42)],
    ['from large samples', network(), images(5, (_, e) => (e % 2 === 0 ? 1e30 : -1e30))],
    ['with weights of zero', network((w) => w.fill(0)), images(5)],
    ['with a filter of zeros', network((w) => w.fill(0, 0, 18)), images(5)],
    ['with denormal weights', network((w) => w.fill(1e-41)), images(5)],
    ['with one denormal filter', network((w) => w.fill(1e-41, 18, 36)), images(5)],
    ['with equal weights', network((w) => w.fill(0.25)), images(5)],
  ];
  for (const [what, net, samples] of cases) {
    it(what, async () => {
      for (const options of everyWay) await isSound(net, samples, options);
    });
  }

  it('with every estimator and aggregator of a user', async () => {
    for (const aggregator of [
      'mean',
      'max',
      'median',
      'mean_no_outliers',
      'median_no_outliers',
      'hl_estimator',
    ] as const)
      for (const granularity of ['perTensor', 'perChannel'] as const) {
        const max = { type: 'absQuantile', aggregator, outlierProbability: 1e-3, granularity } as const;
        const min = { type: 'quantile', aggregator, outlierProbability: 1e-3, granularity } as const;
        const activations = { granularity } as const;
        await isSound(network(), images(7), { details: { activations, rangeEstimator: { min, max } } });
      }
  });
});

describe('a model is not quantized', () => {
  const refused = (net: Network, samples: readonly Sample[], error: object): Promise<void> =>
    assert.rejects(quantize(net.model, samples, { subsetSize: 4 }), error);

  it('with weights that are infinite or no numbers, naming the operation', async () => {
    for (const value of [Number.POSITIVE_INFINITY, Number.NaN]) {
      const net = network((w) => {
        w[7] = value;
      });
      await refused(net, images(2), { code: 'ERR_ALGO_WEIGHTS_NOT_FINITE', node: 'conv' });
    }
  });

  it('from samples that are not finite, naming the sample', async () => {
    const samples = images(4, (i, e) => (i === 2 && e === 5 ? Number.NEGATIVE_INFINITY : 0));
    await refused(network(), samples, { code: 'ERR_DATA_NOT_FINITE', message: /sample 2.*'image'/ });
  });

  it('from samples that make a value overflow, naming node and sample', async () => {
    const samples = images(4, (i) => (i === 3 ? 3e38 : 0.5));
    await refused(network(), samples, {
      code: 'ERR_DATA_NOT_FINITE',
      node: /conv|sum/,
      message: /sample 3 .*Convolution|sample 3 .*Add/,
    });
  });

  it('from no samples', async () => {
    await refused(network(), [], { code: 'ERR_DATA_EMPTY' });
    await assert.rejects(quantize(network().model, undefined), { code: 'ERR_DATA_EMPTY' });
  });
});
