import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMinMax } from '../../lib/algorithms/min-max/algorithm.ts';
import type { Model } from '../../lib/graph/model.ts';
import { quantizersToHalve, type SaturationFix } from '../../lib/quantization/overflow.ts';
import { targetOf } from '../../lib/targets/index.ts';
import { Network } from '../support/network.ts';
import { constantAt, runAlgorithms } from '../support/pipeline.ts';

/** Two inputs with a convolution each, one behind them, a product of two activations, and one with weights. */
function network(): Network {
  const net = new Network(4);
  const a = net.op('ReLU', 'ra', [net.convolution('a', net.input('x', [1, 3, 4, 4]), 4)]);
  const b = net.op('ReLU', 'rb', [net.convolution('b', net.input('y', [1, 3, 4, 4]), 4)]);
  const c = net.convolution('c', net.op('Concat', 'join', [a, b], { axis: 1 }), 4);
  const rows = net.op('Reshape', 'rows', [c, net.integers('s', [1, 4, 16])], { special_zero: false });
  const product = net.op('MatMul', 'computed', [rows, rows], { transpose_b: true });
  const fc = net.op('MatMul', 'fc', [product, net.weights('w', [5, 4])], { transpose_b: true });
  net.result(net.bias('out', fc, 5, 2));
  return net;
}

async function quantized(net: Network, saturationFix: SaturationFix, target = 'CPU'): Promise<Model> {
  const samples = [0, 1].map(() => ({ x: net.noise([1, 3, 4, 4]), y: net.noise([1, 3, 4, 4]) }));
  const minMax = createMinMax({ preset: 'performance', saturationFix });
  return (await runAlgorithms(net.model, [minMax], samples, { target: targetOf(target) })).work;
}

/** Operations whose stored weights are half of the original ones and whose output limits are twice the input limits. */
function halved(original: Model, model: Model): string[] {
  return ['a', 'b', 'c', 'fc', 'computed'].filter((name) => {
    const quantizer = `${name}/fq_weights_1`;
    if (![...model.nodeById.values()].some((n) => n.name === quantizer)) return false;
    const isHalf = constantAt(model, quantizer, 0).every((w, i) => w === constantAt(original, name, 1)[i]! / 2);
    const isDouble = constantAt(model, quantizer, 4).every((v, i) => v === 2 * constantAt(model, quantizer, 2)[i]!);
    assert.equal(isHalf, isDouble, name);
    return isHalf;
  });
}

describe('saturation fix', () => {
  const cases: readonly (readonly [SaturationFix, string, readonly string[]])[] = [
    ['no', 'CPU', []],
    ['first_layer', 'CPU', ['a', 'b']],
    ['first_layer', 'ANY', ['a', 'b']],
    ['all', 'CPU', ['a', 'b', 'c', 'fc']],
    ['all', 'CPU_SPR', []],
    ['all', 'GPU', []],
  ];
  for (const [fix, target, wanted] of cases) {
    it(`${fix} on ${target} halves ${wanted.join(', ') || 'nothing'}`, async () => {
      const net = network();
      assert.deepEqual(halved(net.model, await quantized(net, fix, target)), wanted);
    });
  }

  it('does nothing without a convolution', async () => {
    const net = new Network(3);
    const fc = net.op('MatMul', 'fc', [net.input('x', [1, 4]), net.weights('w', [3, 4])], { transpose_b: true });
    net.result(net.bias('b', fc, 3, 1));
    const minMax = createMinMax({ preset: 'performance', saturationFix: 'all' });
    const { work } = await runAlgorithms(net.model, [minMax], [{ x: net.noise([1, 4]) }]);
    assert.deepEqual(constantAt(work, 'fc/fq_weights_1', 0), constantAt(net.model, 'fc', 1));
  });

  it('takes in what was aligned, with every fix but no', async () => {
    const work = await quantized(network(), 'no');
    const aligned = new Set([work.node('c').id]);
    const names = (fix: SaturationFix): string[] =>
      [...quantizersToHalve(work, targetOf('CPU'), fix, aligned)].map((q) => q.name).sort();
    assert.deepEqual(names('first_layer'), ['a/fq_weights_1', 'b/fq_weights_1', 'c/fq_weights_1']);
    assert.deepEqual(names('no'), []);
  });
});
