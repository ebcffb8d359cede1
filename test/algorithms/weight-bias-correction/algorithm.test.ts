import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMinMax } from '../../../lib/algorithms/min-max/algorithm.ts';
import {
  createWeightBiasCorrection,
  momentsOf,
  type WeightBiasCorrectionOptions,
} from '../../../lib/algorithms/weight-bias-correction/algorithm.ts';
import type { Model } from '../../../lib/graph/model.ts';
import { evaluatePort, quantizedWeights } from '../../../lib/lowering/int8/weights.ts';
import { channelsOfWeights } from '../../../lib/quantization/channels.ts';
import type { SaturationFix } from '../../../lib/quantization/overflow.ts';
import { toFloat64 } from '../../../lib/tensor/convert.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { Network } from '../../support/network.ts';
import { constantAt, runAlgorithms } from '../../support/pipeline.ts';

/** Three bits, so that mean and spread suffer. */
const weights = { bits: 4, levelLow: -3, levelHigh: 3, mode: 'symmetric', granularity: 'perChannel' } as const;

async function quantized(options?: WeightBiasCorrectionOptions, saturationFix: SaturationFix = 'no'): Promise<Model> {
  const net = new Network(12);
  const x = net.op('ReLU', 'r', [net.convolution('a', net.input('x', [1, 8, 6, 6]), 6)]);
  net.result(net.depthwise('d', x));
  const minMax = createMinMax({ preset: 'performance', weights, saturationFix });
  const algorithms = options ? [minMax, createWeightBiasCorrection(options)] : [minMax];
  return (await runAlgorithms(net.model, algorithms, [{ x: net.noise([1, 8, 6, 6]) }])).work;
}

/** Mean and spread of each channel of rounded weights. */
function rounded(model: Model, name: string) {
  const quantizer = model.node(`${name}/fq_weights_1`);
  return momentsOf(toFloat64(evaluatePort(quantizer.output)), channelsOfWeights(quantizer));
}

function original(name: string) {
  const net = new Network(12);
  net.depthwise('d', net.op('ReLU', 'r', [net.convolution('a', net.input('x', [1, 8, 6, 6]), 6)]));
  const value = net.model.node(name).source(1)!.fact.value!;
  const count = value.data.length / 6;
  return momentsOf(toFloat64(value), {
    channels: 6,
    limitShape: [],
    run: count,
    channelOf: (i) => Math.floor(i / count),
  });
}

function distance(a: Float64Array, b: Float64Array): number {
  return Math.max(...a.map((v, c) => Math.abs(v - b[c]!)));
}

describe('moments', () => {
  it('are mean and standard deviation of each channel', () => {
    const layout = { channels: 2, limitShape: [2, 1], run: 2, channelOf: (i: number) => Math.floor(i / 2) };
    const { mean, spread } = momentsOf(Float64Array.of(1, 3, -2, -2), layout);
    assert.deepEqual([...mean], [2, -2]);
    assert.deepEqual([...spread], [1, 0]);
  });
});

describe('weight bias correction', () => {
  it('restores mean and spread exactly when the limits may move', async () => {
    const model = await quantized({ mean: 'limits', epsilon: 1e-12 });
    for (const name of ['a', 'd']) {
      assert.ok(distance(rounded(model, name).mean, original(name).mean) < 1e-6, name);
      assert.ok(distance(rounded(model, name).spread, original(name).spread) < 1e-6, name);
    }
  });

  it('does so for halved weights too, but for those in the middle of two points', async () => {
    // Half of the largest weight of a channel lies between two points, and the last bit decides which one it becomes: the
    // mean of the 72 weights is off by at most the 72nd part of a step.
    const after = await quantized({ mean: 'limits', epsilon: 1e-12 }, 'all');
    const wanted = original('a').mean;
    const limits = [3, 4].map((port) => constantAt(after, 'a/fq_weights_1', port));
    for (const [c, mean] of rounded(after, 'a').mean.entries()) {
      const step = (limits[1]![c]! - limits[0]![c]!) / 6;
      assert.ok(Math.abs(mean - wanted[c]!) <= step / 72 + 1e-6, `${c}: ${mean} ${wanted[c]} ${step}`);
    }
  });

  for (const fix of ['no', 'all'] as const) {
    it(`brings both nearer and keeps weights that are bytes otherwise (saturation fix ${fix})`, async () => {
      const [before, after] = [await quantized(undefined, fix), await quantized({}, fix)];
      const [far, near] = [before, after].map((m) => rounded(m, 'a'));
      assert.ok(distance(near!.mean, original('a').mean) < distance(far!.mean, original('a').mean));
      assert.ok(distance(near!.spread, original('a').spread) < distance(far!.spread, original('a').spread));
      const found = quantizedWeights(after.node('a/fq_weights_1').output, 0, 6);
      assert.ok('weights' in found, JSON.stringify(found));
    });
  }

  it('leaves a channel of equal weights as it is', async () => {
    const net = new Network();
    const w = net.value('w', tensor('f32', [2, 1, 1, 2], [0.5, 0.5, 1, -3]));
    const window = { strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0], dilations: [1, 1] };
    net.result(net.bias('b', net.op('Convolution', 'c', [net.input('x', [1, 1, 1, 3]), w], window), 2));
    const algorithms = [createMinMax({ preset: 'performance' }), createWeightBiasCorrection()];
    const { work } = await runAlgorithms(net.model, algorithms, [{ x: net.noise([1, 1, 1, 3]) }]);
    const values = toFloat64(evaluatePort(work.node('c/fq_weights_1').output));
    assert.ok(Math.abs(values[0]! - 0.5) < 1e-6 && Math.abs(values[1]! - 0.5) < 1e-6, `${values}`);
  });
});
