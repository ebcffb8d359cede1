import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMinMax } from '../../../lib/algorithms/min-max/algorithm.ts';
import { createRangeSupervision } from '../../../lib/algorithms/range-supervision/algorithm.ts';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { Network } from '../../support/network.ts';
import { outputsOf, runAlgorithms } from '../../support/pipeline.ts';

function network(): Network {
  const net = new Network(3);
  const relu = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', [1, 2, 4, 4]), 3)]);
  net.result(net.op('Tanh', 'tanh', [net.convolution('b', relu, 2)]));
  return net;
}

const feeds = (net: Network, count: number, spread = 1) =>
  Array.from({ length: count }, () => ({ x: net.noise([1, 2, 4, 4], spread) }));

describe('range supervision', () => {
  it('clamps every activation to its extremes over all samples, and keeps the name of the output', async () => {
    const net = network();
    const samples = feeds(net, 3);
    const { work } = await runAlgorithms(net.model, [createRangeSupervision()], samples);
    const executable = await referenceEngine.compile(net.model, { taps: [net.model.node('relu').output] });
    let most = 0;
    for (const sample of samples)
      for (const v of (await executable.run(sample)).taps[0]!.data) most = Math.max(most, Number(v));
    const clamp = work.node('relu/min_max_Clamp');
    assert.deepEqual([clamp.type, clamp.attributes], ['Clamp', { min: 0, max: most }]);
    assert.equal(clamp.source(0)!.node.name, 'relu');
    assert.deepEqual(
      [...clamp.output.consumers].map((c) => c.node.name),
      ['b'],
    );
    const [before, after] = [net.model, work].map((m) => referenceEngine.compile(m));
    assert.deepEqual(
      Object.keys((await (await after!).run(samples[0]!)).outputs),
      Object.keys((await (await before!).run(samples[0]!)).outputs),
    );
    assert.ok(work.node('tanh/min_max_Clamp'));
  });

  it('changes nothing for the samples it saw', async () => {
    const net = network();
    const samples = feeds(net, 3);
    const { work } = await runAlgorithms(net.model, [createRangeSupervision()], samples);
    assert.deepEqual(await outputsOf(work, samples), await outputsOf(net.model, samples));
  });

  it('limits what a flipped bit does', async () => {
    const net = network();
    const samples = feeds(net, 3);
    const { work } = await runAlgorithms(net.model, [createRangeSupervision()], samples);
    // The exponent's highest bit of one weight: 2^128 times as large.
    for (const model of [net.model, work]) {
      const node = model.node('a/weights');
      const value = node.output.fact.value!;
      const bits = new Uint32Array(Float32Array.from(value.data as Float32Array).buffer);
      bits[0]! ^= 0x40000000;
      node.output.fact = { ...node.output.fact, value: tensor('f32', value.shape, new Float32Array(bits.buffer)) };
      node.attributes = { value: node.output.fact.value };
    }
    const error = async (model: typeof work): Promise<number> => {
      const relu = await referenceEngine.compile(model, { taps: [model.node('b').source(0)!] });
      return Math.max(...Array.from((await relu.run(samples[0]!)).taps[0]!.data, Number));
    };
    assert.ok((await error(net.model)) > 1e30 && (await error(work)) < 100);
  });

  it('goes in front of quantization', async () => {
    const net = network();
    const algorithms = [createRangeSupervision(), createMinMax({ preset: 'performance' })];
    const { work } = await runAlgorithms(net.model, algorithms, feeds(net, 3));
    assert.equal(work.node('b').source(0)!.node.type, 'FakeQuantize');
    assert.equal(work.node('b').source(0)!.node.source(0)!.node.name, 'relu/min_max_Clamp');
  });
});
