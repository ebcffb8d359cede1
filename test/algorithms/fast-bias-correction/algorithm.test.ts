import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createFastBiasCorrection,
  type FastBiasCorrectionOptions,
} from '../../../lib/algorithms/fast-bias-correction/algorithm.ts';
import { createMinMax } from '../../../lib/algorithms/min-max/algorithm.ts';
import { type PipelineContext, runPipeline } from '../../../lib/algorithms/pipeline.ts';
import type { Feeds } from '../../../lib/engines/engine.ts';
import { observe } from '../../../lib/engines/observe.ts';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { inputName, type Model } from '../../../lib/graph/model.ts';
import type { Node } from '../../../lib/graph/node.ts';
import { getOp } from '../../../lib/ops/registry.ts';
import { rolesFor } from '../../../lib/quantization/roles.ts';
import type { Batch } from '../../../lib/statistics/batches.ts';
import { targetOf } from '../../../lib/targets/index.ts';
import { toFloat32 } from '../../../lib/tensor/convert.ts';
import type { Tensor } from '../../../lib/tensor/tensor.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { Network } from '../../support/network.ts';

async function* streamed(samples: readonly Feeds[]): AsyncGenerator<Batch> {
  for (const feeds of samples) yield { feeds, samples: 1 };
}

/** MinMax with few bits, so that the errors are large, then the correction. Returns the edited copy. */
async function correct(
  model: Model,
  samples: readonly Feeds[],
  options: FastBiasCorrectionOptions = {},
  warnings: string[] = [],
): Promise<Model> {
  const context: PipelineContext = {
    original: model,
    work: model.clone(),
    roles: rolesFor(targetOf('CPU')),
    engine: referenceEngine,
    warn: (message) => warnings.push(message),
  };
  const weights = { bits: 4, levelLow: -7, levelHigh: 7, mode: 'symmetric', granularity: 'perTensor' } as const;
  const minMax = createMinMax({ preset: 'performance', weights });
  await runPipeline([minMax, createFastBiasCorrection(options)], context, streamed(samples), samples.length);
  return context.work;
}

function biasOf(model: Model, name: string): number[] {
  const sum = [...model.node(name).output.consumers][0]!.node;
  return Array.from(sum.source(1)!.fact.value!.data, Number);
}

/** The procedure as OpenVINO POT describes it, one operation at a time, by the reference evaluation. */
async function literalBias(model: Model, work: Model, name: string, samples: readonly Feeds[]): Promise<number[]> {
  const node = model.node(name);
  const axis = getOp(node.type).quantization!.biasAxis!;
  const sum = [...node.output.consumers][0]!.node;
  const executable = await referenceEngine.compile(model, { taps: [node.source(0)!, sum.output] });
  const means: Float32Array[][] = [[], []];
  for (const feeds of samples) {
    const { taps } = await executable.run(feeds);
    taps.forEach((t, i) => {
      means[i]!.push(observe(t, { port: node.output, granularity: 'perChannel', channelAxis: axis }).mean);
    });
  }
  const [input, output] = means.map((rows) =>
    rows[0]!.map((_, c) => rows.reduce((a, r) => a + r[c]!, 0) / rows.length),
  );
  const { shape } = node.source(0)!.fact;
  const channelAxis = axis < 0 ? axis + shape.length : axis;
  const inner = shape.slice(channelAxis + 1).reduce((a, b) => a * b, 1);
  const count = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: count }, (_, i) => input![Math.floor(i / inner) % input!.length]!);
  const quantizer = work.node(`${name}/fq_weights_1`);
  const limits = quantizer.inputs.map((i) => i.source!.fact.value!);
  const weights = getOp('FakeQuantize').evaluate!(quantizer.attributes, limits)[0]!;
  const y = getOp(node.type).evaluate!(node.attributes, [tensor('f32', shape, data), weights])[0]!;
  const response = observe(y, { port: node.output, granularity: 'perChannel', channelAxis: axis }).mean;
  return Array.from(output!, (v, c) => v - response[c]!);
}

function images(model: Model, net: Network, count: number, mean = 0.5): Feeds[] {
  const parameter: Node = model.parameters()[0]!;
  return Array.from({ length: count }, () => ({
    [inputName(parameter)]: net.noise(parameter.output.fact.shape, 1, mean),
  }));
}

function close(found: readonly number[], wanted: readonly number[], tolerance: number): void {
  assert.equal(found.length, wanted.length);
  found.forEach((v, i) => {
    assert.ok(Math.abs(v - wanted[i]!) <= tolerance, `${i}: ${v} ≠ ${wanted[i]}`);
  });
}

function network(): Network {
  const net = new Network(5);
  const a = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', [1, 3, 6, 6]), 4, { stride: 2 })]);
  const b = net.op('Tanh', 'tanh', [net.depthwise('b', a)]);
  const flat = net.op('Reshape', 'flat', [b, net.integers('shape', [1, 36])], { special_zero: false });
  const weights = net.weights('fc/weights', [5, 36], 0.3);
  const fc = net.op('MatMul', 'fc', [flat, weights], { transpose_a: false, transpose_b: true });
  net.result(net.bias('fc/add', fc, 5, 1));
  return net;
}

describe('fast bias correction', () => {
  for (const name of ['a', 'b', 'fc']) {
    it(`replaces the bias of '${name}' as the literal procedure of POT does`, async () => {
      const net = network();
      const samples = images(net.model, net, 3);
      const work = await correct(net.model, samples, { method: 'replace', threshold: 1000 });
      const wanted = await literalBias(net.model, work, name, samples);
      close(biasOf(work, name), wanted, 1e-5);
      assert.notDeepEqual(biasOf(work, name), biasOf(net.model, name));
    });
  }

  it('shifts a matrix product to exactly the same bias, as it has no borders', async () => {
    const net = network();
    const samples = images(net.model, net, 3);
    const shifted = await correct(net.model, samples);
    const replaced = await correct(net.model, samples, { method: 'replace', threshold: 1000 });
    close(biasOf(shifted, 'fc'), biasOf(replaced, 'fc'), 1e-5);
  });

  it('brings the mean of each output channel back', async () => {
    const net = new Network(9);
    net.result(net.convolution('conv', net.input('x', [1, 4, 12, 12]), 6));
    const samples = images(net.model, net, 4, 1);
    const errors: number[] = [];
    const original = await referenceEngine.compile(net.model);
    for (const threshold of [0, 2]) {
      const quantized = await referenceEngine.compile(await correct(net.model, samples, { threshold }));
      const sums = new Float64Array(6);
      for (const feeds of samples) {
        const [a, b] = await Promise.all([original.run(feeds), quantized.run(feeds)]);
        const difference = (t: Tensor, u: Tensor): Tensor => ({
          ...t,
          data: toFloat32(t).map((v, i) => v - toFloat32(u)[i]!),
        });
        const key = Object.keys(a.outputs)[0]!;
        const rest = difference(a.outputs[key]!, b.outputs[key]!);
        observe(rest, { port: net.model.node('conv').output, granularity: 'perChannel' }).mean.forEach((v, c) => {
          sums[c]! += v;
        });
      }
      errors.push(Math.max(...sums.map(Math.abs)) / samples.length);
    }
    assert.ok(errors[1]! < errors[0]! / 3, `mean error ${errors[0]} without, ${errors[1]} with correction`);
  });

  it('changes nothing when rounding does not change the weights', async () => {
    const net = new Network();
    const grid = tensor('f32', [1, 3, 1, 1], [-7, 3, 7]);
    const y = net.op('Convolution', 'conv', [net.input('x', [1, 3, 4, 4]), net.value('w', grid)], {});
    net.result(net.bias('conv/add', y, 1));
    const work = await correct(net.model, images(net.model, net, 2));
    close(biasOf(work, 'conv'), biasOf(net.model, 'conv'), 1e-6);
  });

  it('corrects a bias of zeros, which the literal procedure leaves alone', async () => {
    const net = new Network(3);
    const y = net.convolution('conv', net.input('x', [1, 3, 6, 6]), 4, { bias: false });
    net.result(net.op('Add', 'sum', [y, net.value('zeros', tensor('f32', [1, 4, 1, 1], [0, 0, 0, 0]))]));
    const samples = images(net.model, net, 2);
    assert.ok(biasOf(await correct(net.model, samples), 'conv').some((v) => Math.abs(v) > 1e-3));
    assert.deepEqual(biasOf(await correct(net.model, samples, { method: 'replace' }), 'conv'), [0, 0, 0, 0]);
  });

  it('corrects a bias of another shape and of a single number', async () => {
    for (const shape of [[4, 1, 1], [1]]) {
      const net = new Network(3);
      const y = net.convolution('conv', net.input('x', [1, 3, 6, 6]), 4, { bias: false });
      net.result(net.op('Add', 'sum', [y, net.weights('b', shape)]));
      const work = await correct(net.model, images(net.model, net, 2));
      assert.equal(biasOf(work, 'conv').length, 4);
      assert.deepEqual(work.node('sum').output.fact.shape, [1, 4, 6, 6]);
    }
  });

  it('leaves a bias alone that would change too much, and says so', async () => {
    const net = network();
    const warnings: string[] = [];
    const work = await correct(net.model, images(net.model, net, 2), { threshold: 1e-9 }, warnings);
    assert.deepEqual(biasOf(work, 'a'), biasOf(net.model, 'a'));
    assert.ok(warnings.some((w) => w.includes("'a'")));
  });

  it('does not touch a value that is added and varies in space', async () => {
    const net = new Network(3);
    const y = net.convolution('conv', net.input('x', [1, 3, 6, 6]), 4, { bias: false });
    net.result(net.op('Add', 'sum', [y, net.weights('b', [1, 4, 6, 6])]));
    const work = await correct(net.model, images(net.model, net, 2));
    assert.deepEqual(biasOf(work, 'conv'), biasOf(net.model, 'conv'));
  });
});
