import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import { outputName } from '../../lib/graph/model.ts';
import { verify } from '../../lib/graph/verify.ts';
import { compressWeights } from '../../lib/passes/index.ts';
import { quantizersOf } from '../../lib/quantization/propagate.ts';
import { findQuantized, stripQuantization } from '../../lib/quantization/strip.ts';
import { type QuantizeOptions, quantize } from '../../lib/quantize.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { toFloat32 } from '../../lib/tensor/convert.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { Network } from '../support/network.ts';
import { quantizer } from '../support/quantizers.ts';

const options = { engine: referenceEngine, subsetSize: 2, biasCorrection: false } satisfies QuantizeOptions;

function network(): Network {
  const net = new Network(5);
  const x = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', [1, 3, 8, 8]), 4)]);
  net.result(net.op('Add', 'sum', [net.convolution('b', x, 4), x]));
  return net;
}

const weightsOf = (net: Network['model'], name: string): Float32Array =>
  toFloat32(net.node(name).source(1)!.fact.value!);

describe('stripping', () => {
  it('gives float weights back to the last bit, and removes all quantizers', async () => {
    for (const saturationFix of ['no', 'all'] as const) {
      const net = network();
      const { model } = await quantize(net.model, [net.noise([1, 3, 8, 8]), net.noise([1, 3, 8, 8])], {
        ...options,
        saturationFix,
      });
      assert.equal(findQuantized(model)?.type, 'FakeQuantize');
      stripQuantization(model);
      verify(model);
      assert.equal(findQuantized(model), undefined);
      assert.deepEqual(quantizersOf(model), []);
      for (const name of ['a', 'b']) {
        const [was, is] = [weightsOf(net.model, name), weightsOf(model, name)];
        const error = was.reduce((m, w, i) => Math.max(m, Math.abs(w - is[i]!)), 0);
        assert.ok(error <= (saturationFix === 'no' ? 0 : 1e-6), `${name} with ${saturationFix}: ${error}`);
      }
    }
  });

  it('turns weights stored as integers into floats, within half a step', async () => {
    const net = network();
    const { model } = await quantize(net.model, [net.noise([1, 3, 8, 8])], { ...options, subsetSize: 1 });
    const high = toFloat32(model.node('a/fq_weights_1').source(2)!.fact.value!);
    compressWeights.run(model, {});
    assert.equal(stripQuantization(model) > 0, true);
    verify(model);
    assert.equal(model.node('a').source(1)!.node.type, 'Constant');
    const [was, is] = [weightsOf(net.model, 'a'), weightsOf(model, 'a')];
    was.forEach((w, i) => {
      const channel = Math.floor((i * high.length) / was.length);
      assert.ok(Math.abs(w - is[i]!) <= (high[channel]! / 127 / 2) * 1.001, `element ${i}`);
    });
    assert.equal(findQuantized(model), undefined);
  });

  it('keeps the names of outputs', async () => {
    const net = network();
    const last = net.op('Tanh', 'last', [net.model.node('sum').output]);
    net.model.node('sum').output.names = ['total'];
    net.result(last);
    const names = (model: Network['model']): string[] => model.results().map(outputName);
    const { model } = await quantize(net.model, [net.noise([1, 3, 8, 8])], {
      ...options,
      subsetSize: 1,
      targetDevice: 'GNA',
    });
    assert.deepEqual(names(model), names(net.model));
    stripQuantization(model);
    assert.deepEqual(names(model), names(net.model));
    assert.equal(model.node('last').type, 'Tanh');
  });

  it('refuses a quantizer that maps computed values to another range', () => {
    const b = new ModelBuilder();
    const x = b.op('ReLU', [b.parameter('x', [1, 4])]);
    const limits = [0, 1, 0, 255].map((v, i) => b.constant(`l${i}`, [], [v]));
    b.result(b.op('FakeQuantize', [x, ...limits], { levels: 256 }, 'bytes'));
    assert.throws(() => stripQuantization(b.model), { code: 'ERR_ALGO_ALREADY_QUANTIZED', node: 'bytes' });
  });

  it('does nothing to a model of floats', () => {
    const net = network();
    assert.equal(findQuantized(net.model), undefined);
    assert.equal(stripQuantization(net.model), 0);
  });

  it('keeps the name of an output that is a quantizer itself', () => {
    const b = new ModelBuilder();
    b.result(quantizer(b, b.op('ReLU', [b.parameter('x', [1, 4])]), 0, 1));
    const before = outputName(b.model.results()[0]!);
    stripQuantization(b.model);
    assert.equal(outputName(b.model.results()[0]!), before);
  });
});

describe('force', () => {
  it('quantizes a quantized model anew, as the model of floats was', async () => {
    const net = network();
    const samples = [net.noise([1, 3, 8, 8]), net.noise([1, 3, 8, 8])];
    const first = await quantize(net.model, samples, options);
    await assert.rejects(quantize(first.model, samples, options), {
      code: 'ERR_ALGO_ALREADY_QUANTIZED',
      help: /force/,
    });
    const second = await quantize(first.model, samples, { ...options, force: true });
    const [again, before] = [quantizersOf(second.model), quantizersOf(first.model)];
    assert.deepEqual(
      again.map((q) => q.name),
      before.map((q) => q.name),
    );
    // Biases have been moved to the grid of integer sums, by half of a step of those: a thousandth of a byte's.
    for (const [i, q] of before.entries()) {
      const ranges = [q, again[i]!].map((n) => [1, 2].map((side) => n.source(side)!.fact.value!));
      for (const side of [0, 1]) {
        const [a, b] = [ranges[0]![side]!, ranges[1]![side]!];
        const widest = toFloat32(a).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        assert.ok(maxAbsError(b, a) <= 1e-4 * widest, q.name);
      }
    }
    assert.equal(findQuantized(first.model)?.type, 'FakeQuantize');
  });

  it('changes nothing for a model of floats', async () => {
    const net = network();
    const { report } = await quantize(net.model, [net.noise([1, 3, 8, 8])], { ...options, subsetSize: 1, force: true });
    assert.deepEqual(report.warnings, []);
  });
});
