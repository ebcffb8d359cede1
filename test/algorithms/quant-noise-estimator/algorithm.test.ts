import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMinMax } from '../../../lib/algorithms/min-max/algorithm.ts';
import {
  createQuantNoiseEstimator,
  type QuantNoiseOptions,
} from '../../../lib/algorithms/quant-noise-estimator/algorithm.ts';
import { resultOf } from '../../../lib/algorithms/quant-noise-estimator/measures.ts';
import { noiseTypes, type QuantNoise } from '../../../lib/algorithms/quant-noise-estimator/noise.ts';
import type { Feeds } from '../../../lib/engines/engine.ts';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import type { Model } from '../../../lib/graph/model.ts';
import { toFloat32 } from '../../../lib/tensor/convert.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { Network } from '../../support/network.ts';
import { runAlgorithms } from '../../support/pipeline.ts';

function network(): Network {
  const net = new Network(8);
  const a = net.op('ReLU', 'ra', [net.convolution('a', net.input('x', [1, 3, 6, 6]), 4)]);
  const b = net.op('ReLU', 'rb', [net.op('Add', 'sum', [net.convolution('b', a, 4), a])]);
  net.result(
    net.convolution(
      'c',
      net.op('MaxPool', 'pool', [b], { kernel: [2, 2], strides: [2, 2], pads_begin: [0, 0], pads_end: [0, 0] }),
      2,
    ),
  );
  return net;
}

const bits = { bits: 4, levelLow: -7, levelHigh: 7, mode: 'symmetric', granularity: 'perTensor' } as const;

async function noiseOf(
  model: Model,
  samples: readonly Feeds[],
  options: QuantNoiseOptions,
): Promise<{ noise: QuantNoise; work: Model }> {
  const estimator = createQuantNoiseEstimator(options);
  const ran = await runAlgorithms(model, [createMinMax({ preset: 'performance', weights: bits }), estimator], samples);
  return { noise: estimator.findings!().noise!, work: ran.work };
}

/** Biased outputs of a product for each sample. */
async function tapped(model: Model, name: string, samples: readonly Feeds[]): Promise<Float32Array[]> {
  const [reader] = model.node(name).output.consumers;
  const executable = await referenceEngine.compile(model, { taps: [reader!.node.output] });
  const all: Float32Array[] = [];
  for (const feeds of samples) all.push(toFloat32((await executable.run(feeds)).taps[0]!));
  return all;
}

const squares = (v: Float32Array): number => v.reduce((s, x) => s + x * x, 0) / v.length;

describe('quantization noise', () => {
  it('is the ratio of signal and noise of both models, run one after the other', async () => {
    const net = network();
    const samples = Array.from({ length: 3 }, () => ({ x: net.noise([1, 3, 6, 6]) }));
    const { noise, work } = await noiseOf(net.model, samples, {});
    assert.deepEqual(
      noise.layers.map((l) => l.name),
      ['a', 'b', 'c'],
    );
    assert.equal(noise.samples, 3);
    for (const { name, ratio, decibels } of noise.layers) {
      const [y, q] = [await tapped(net.model, name, samples), await tapped(work, name, samples)];
      const noiseOfSample = y.map((v, i) => squares(v.map((x, k) => x - q[i]![k]!)));
      const wanted = y.reduce((s, v) => s + squares(v), 0) / noiseOfSample.reduce((a, b) => a + b);
      assert.ok(Math.abs(Number(ratio) / wanted - 1) < 1e-3, `${name}: ${ratio} ${wanted}`);
      assert.ok(Math.abs(decibels - 10 * Math.log10(wanted)) < 0.01);
    }
    const { noise: bySample } = await noiseOf(net.model, samples, { type: 'sqnr_sample_mean' });
    const [y, q] = [await tapped(net.model, 'c', samples), await tapped(work, 'c', samples)];
    const wanted = y.map((v, i) => squares(v) / squares(v.map((x, k) => x - q[i]![k]!))).reduce((a, b) => a + b) / 3;
    assert.ok(Math.abs(Number(bySample.layers[2]!.ratio) / wanted - 1) < 1e-3);
  });

  it('of one layer by itself is smaller than with the noise of those before it', async () => {
    const net = network();
    const samples = Array.from({ length: 3 }, () => ({ x: net.noise([1, 3, 6, 6]) }));
    const { noise: full } = await noiseOf(net.model, samples, {});
    const { noise: alone } = await noiseOf(net.model, samples, { mode: 'layerwise_fq_noise' });
    assert.ok(Math.abs(alone.layers[0]!.decibels - full.layers[0]!.decibels) < 1e-3, 'nothing is before the first');
    assert.ok(alone.layers[2]!.decibels > full.layers[2]!.decibels);
    assert.ok(alone.layers[1]!.decibels > full.layers[1]!.decibels);
  });

  it('has every type, by channel where the name says so', async () => {
    const net = network();
    const samples = [{ x: net.noise([1, 3, 6, 6]) }];
    for (const type of noiseTypes) {
      const { noise } = await noiseOf(net.model, samples, { type });
      const { ratio, decibels } = noise.layers[0]!;
      assert.equal(Array.isArray(ratio) ? ratio.length : 0, type.includes('channel') ? 4 : 0, type);
      assert.ok(decibels > 0 && decibels < 120, `${type} ${decibels}`);
    }
  });

  it('is computed from means as written', () => {
    assert.deepEqual(resultOf([Float32Array.of(8), Float32Array.of(2)], 'sqnr', 0), {
      ratio: 4,
      decibels: 10 * Math.log10(4),
    });
    assert.deepEqual(
      resultOf([Float32Array.of(8, 4), Float32Array.of(2, 1)], 'sqnr_per_channel', 0).ratio,
      [0.25, 0.25],
    );
    assert.deepEqual(resultOf([Float32Array.of(10)], 'sqnr_eltwise_mean', 0), { ratio: 10, decibels: 10 });
  });

  it('changes nothing', async () => {
    const net = network();
    const samples = [{ x: tensor('f32', [1, 3, 6, 6], new Float32Array(108).fill(0.3)) }];
    const { work } = await noiseOf(net.model, samples, {});
    const { work: without } = await runAlgorithms(
      net.model,
      [createMinMax({ preset: 'performance', weights: bits })],
      samples,
    );
    assert.equal(work.nodeById.size, without.nodeById.size);
  });
});
