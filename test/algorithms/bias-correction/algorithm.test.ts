import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Algorithm } from '../../../lib/algorithms/algorithm.ts';
import { type BiasCorrectionOptions, createBiasCorrection } from '../../../lib/algorithms/bias-correction/algorithm.ts';
import { peakBytes, scheduleOf } from '../../../lib/algorithms/bias-correction/schedule.ts';
import { biasedProducts } from '../../../lib/algorithms/biased-products.ts';
import { createFastBiasCorrection } from '../../../lib/algorithms/fast-bias-correction/algorithm.ts';
import { createMinMax } from '../../../lib/algorithms/min-max/algorithm.ts';
import type { Feeds } from '../../../lib/engines/engine.ts';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { inputName, type Model } from '../../../lib/graph/model.ts';
import { quantizersOf } from '../../../lib/quantization/propagate.ts';
import { removeQuantizer } from '../../../lib/quantization/remove.ts';
import { isConstant } from '../../../lib/quantization/roles.ts';
import { toFloat32 } from '../../../lib/tensor/convert.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { Network } from '../../support/network.ts';
import { biasOf, runAlgorithms } from '../../support/pipeline.ts';

/** Few bits, so that the errors are large. */
const minMax = (): Algorithm =>
  createMinMax({
    preset: 'performance',
    weights: { bits: 4, levelLow: -7, levelHigh: 7, mode: 'symmetric', granularity: 'perTensor' },
  });

function samplesOf(net: Network, count: number, mean = 0.5): Feeds[] {
  const parameter = net.model.parameters()[0]!;
  return Array.from({ length: count }, () => ({
    [inputName(parameter)]: net.noise(parameter.output.fact.shape, 1, mean),
  }));
}

const corrected = async (model: Model, samples: readonly Feeds[], options: BiasCorrectionOptions = {}) =>
  runAlgorithms(model, [minMax(), createBiasCorrection({ sampleShare: 1, ...options })], samples);

/** A residual network: two paths that meet, a product that reads the sum, and a matrix at the end. */
function residual(): Network {
  const net = new Network(8);
  const a = net.op('ReLU', 'ra', [net.convolution('a', net.input('x', [1, 3, 8, 8]), 4)]);
  const b = net.op('ReLU', 'rb', [net.convolution('b', a, 4)]);
  const c = net.convolution('c', b, 4);
  const sum = net.op('ReLU', 'rs', [net.op('Add', 'sum', [c, a])]);
  const d = net.op('Tanh', 'td', [net.depthwise('d', sum)]);
  const flat = net.op('Reshape', 'flat', [d, net.integers('shape', [1, 256])], { special_zero: false });
  const fc = net.op('MatMul', 'fc', [flat, net.weights('w', [5, 256], 0.1)], { transpose_b: true });
  net.result(net.bias('fc/add', fc, 5, 1));
  return net;
}

/** Mean of each channel of the biased output of a product over samples, by running the whole model. */
async function meansOf(model: Model, name: string, samples: readonly Feeds[]): Promise<number[]> {
  const [reader] = model.node(name).output.consumers;
  const { output } = reader!.node;
  const axis = 1;
  const executable = await referenceEngine.compile(model, { taps: [output] });
  const channels = output.fact.shape[axis]!;
  const sums = new Array<number>(channels).fill(0);
  for (const feeds of samples) {
    const { taps } = await executable.run(feeds);
    const inner = taps[0]!.data.length / channels;
    toFloat32(taps[0]!).forEach((v, i) => {
      sums[Math.floor(i / inner)]! += v / inner / samples.length;
    });
  }
  return sums;
}

/** The quantized model without its activation quantizers: what the correction looks at. */
function weightsOnly(work: Model): Model {
  const model = work.clone();
  for (const q of quantizersOf(model)) if (!isConstant(q.source(0))) removeQuantizer(model, q);
  return model;
}

const names = ['a', 'b', 'c', 'd', 'fc'];

describe('bias correction', () => {
  it('brings the mean of every product back, each after those before it', async () => {
    const net = residual();
    const samples = samplesOf(net, 4);
    const { work } = await corrected(net.model, samples);
    const plain = weightsOnly(work);
    for (const name of names) {
      const [wanted, found] = [await meansOf(net.model, name, samples), await meansOf(plain, name, samples)];
      for (const [c, v] of found.entries())
        assert.ok(Math.abs(v - wanted[c]!) < 1e-4, `${name} ${c}: ${v} ${wanted[c]}`);
    }
    const uncorrected = weightsOnly((await runAlgorithms(net.model, [minMax()], samples)).work);
    const [wanted, found] = [await meansOf(net.model, 'fc', samples), await meansOf(uncorrected, 'fc', samples)];
    assert.ok(
      found.some((v, c) => Math.abs(v - wanted[c]!) > 1e-2),
      'there was something to correct',
    );
  });

  it('lets nothing of the error remain that the fast one leaves', async () => {
    const net = residual();
    const samples = samplesOf(net, 4);
    const { work } = await runAlgorithms(net.model, [minMax(), createFastBiasCorrection()], samples);
    const wanted = await meansOf(net.model, 'fc', samples);
    const found = await meansOf(weightsOnly(work), 'fc', samples);
    assert.ok(found.some((v, c) => Math.abs(v - wanted[c]!) > 1e-3));
  });

  it('takes the error of activations in with that option', async () => {
    const net = residual();
    const samples = samplesOf(net, 4);
    const { work } = await corrected(net.model, samples, { activationError: true });
    for (const name of names) {
      const [wanted, found] = [await meansOf(net.model, name, samples), await meansOf(work, name, samples)];
      for (const [c, v] of found.entries()) assert.ok(Math.abs(v - wanted[c]!) < 1e-4, `${name} ${c}`);
    }
  });

  it('adds the difference of the means, by hand', async () => {
    // Weights 0.9 and 7 on the grid −7…7 of step 1: 0.9 becomes 1. x = (2, 1), (4, 3): the means are 3 and 2, so the output
    // grows by 0.1 · 3 = 0.3, and the bias of 0 becomes −0.3.
    const net = new Network();
    const x = net.input('x', [1, 2]);
    const fc = net.op('MatMul', 'fc', [x, net.value('w', tensor('f32', [1, 2], [0.9, 7]))], { transpose_b: true });
    net.result(net.op('Add', 'sum', [fc, net.value('b', tensor('f32', [1, 1], [0]))]));
    const samples = [
      [2, 1],
      [4, 3],
    ].map((v) => ({ x: tensor('f32', [1, 2], v) }));
    const { work } = await corrected(net.model, samples);
    assert.ok(Math.abs(biasOf(work, 'fc')[0]! + 0.3) < 1e-5, `${biasOf(work, 'fc')}`);
  });

  it('uses a fifth of the samples, and at least one', async () => {
    const net = residual();
    const samples = samplesOf(net, 10);
    const few = await runAlgorithms(net.model, [minMax(), createBiasCorrection()], samples);
    const two = await corrected(net.model, samples, { sampleShare: 0.2 });
    const all = await corrected(net.model, samples);
    assert.deepEqual(biasOf(few.work, 'fc'), biasOf(two.work, 'fc'));
    assert.notDeepEqual(biasOf(few.work, 'fc'), biasOf(all.work, 'fc'));
  });

  it('uses fewer samples when their values do not fit, and says so', async () => {
    const net = residual();
    const samples = samplesOf(net, 3);
    const { work, warnings } = await corrected(net.model, samples, { mostBytes: 1 });
    assert.ok(
      warnings.some((w) => w.includes('1 samples instead of 3')),
      warnings.join(),
    );
    const one = await corrected(net.model, samples.slice(0, 1));
    const wanted = biasOf(one.work, 'a');
    assert.ok(biasOf(work, 'a').every((v, c) => Math.abs(v - wanted[c]!) < 1e-5));
  });

  it('leaves a bias alone that would change too much, says so, and goes on', async () => {
    const net = residual();
    const { work, warnings } = await corrected(net.model, samplesOf(net, 2), { threshold: 1e-9 });
    assert.deepEqual(biasOf(work, 'a'), biasOf(net.model, 'a'));
    assert.ok(warnings.some((w) => w.includes("'fc'")));
  });

  it('takes samples of different sizes', async () => {
    const net = new Network(3);
    net.result(net.convolution('conv', net.input('x', [1, 3, -1, -1]), 4));
    const samples = [5, 7].map((n) => ({ x: net.noise([1, 3, n, n], 1, 1) }));
    const { work } = await corrected(net.model, samples);
    assert.notDeepEqual(biasOf(work, 'conv'), biasOf(net.model, 'conv'));
  });
});

describe('schedule of bias correction', () => {
  const scheduled = (net: Network) => scheduleOf(net.model, biasedProducts(net.model, 'all'));

  it('computes every product once, after those that it depends on', () => {
    const steps = scheduled(residual());
    assert.deepEqual(
      steps.map((s) => s.products.map((p) => p.node.name)),
      [['a'], ['b'], ['c'], ['d'], ['fc']],
    );
  });

  it('computes products that do not depend on each other together', () => {
    const net = new Network();
    const x = net.input('x', [1, 3, 8, 8]);
    const stem = net.op('ReLU', 'stem', [net.convolution('a', x, 4)]);
    const join = net.op('Concat', 'join', [net.convolution('b', stem, 2), net.convolution('c', stem, 2)], { axis: 1 });
    net.result(net.convolution('d', join, 2));
    assert.deepEqual(
      scheduled(net).map((s) => s.products.map((p) => p.node.name)),
      [['a'], ['b', 'c'], ['d']],
    );
  });

  it('forgets what no later step needs', () => {
    const steps = scheduled(residual());
    // While b and c run, the output of a is needed for the sum: 3·64 floats of input, then at most three values of 4·64.
    const peak = peakBytes(residual().model, steps);
    assert.ok(peak <= 4 * 3 * 256, `${peak}`);
    const dropped = new Set(steps.flatMap((s) => s.drop));
    for (const kept of steps.flatMap((s) => s.keep)) assert.ok(dropped.has(kept), kept.node.name);
  });
});
