import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createActivationChannelAlignment,
  factorsOf,
} from '../../../lib/algorithms/activation-channel-alignment/algorithm.ts';
import { alignablePairs } from '../../../lib/algorithms/activation-channel-alignment/pairs.ts';
import { createMinMax } from '../../../lib/algorithms/min-max/algorithm.ts';
import type { Feeds } from '../../../lib/engines/engine.ts';
import type { OutputPort } from '../../../lib/graph/node.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { Network } from '../../support/network.ts';
import { biasOf, constantAt, outputsOf, runAlgorithms } from '../../support/pipeline.ts';

function noise(net: Network, shape: readonly number[], count: number): Feeds[] {
  return Array.from({ length: count }, () => ({ x: net.noise(shape) }));
}

function close(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  assert.equal(found.length, wanted.length);
  for (let i = 0; i < found.length; i++) {
    assert.ok(Math.abs(found[i]! - wanted[i]!) <= tolerance, `${i}: ${found[i]} ≠ ${wanted[i]}`);
  }
}

/** Two 1×1 convolutions on two pixels: y = W₂ (W₁ x + b₁) + b₂, with all numbers chosen by hand. */
function byHand(): Network {
  const net = new Network();
  const x = net.input('x', [1, 1, 1, 2]);
  const window = { strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0], dilations: [1, 1] };
  const w1 = net.value('w1', tensor('f32', [3, 1, 1, 1], [1, 4, 0]));
  const sum = net.op('Add', 'a', [
    net.op('Convolution', 'c1', [x, w1], window),
    net.value('b1', tensor('f32', [1, 3, 1, 1], [1, 0, 5])),
  ]);
  const w2 = net.value('w2', tensor('f32', [1, 3, 1, 1], [2, 3, 7]));
  const y = net.op('Convolution', 'c2', [sum, w2], window);
  net.result(net.op('Add', 'b', [y, net.value('b2', tensor('f32', [1, 1, 1, 1], [10]))]));
  return net;
}

describe('activation channel alignment', () => {
  it('moves and scales channels as worked out by hand', async () => {
    // x = (0, 2): channel 0 is (1, 3), channel 1 is (0, 8), channel 2 is (5, 5). Their quantiles at 1e-4 are the ends, moved
    // inward by 1e-4 of the width: middles 2, 4, 5; widths 2, 8, 0 (all times 0.9998). The median of 2 and 8 is 5, so the
    // factors are 0.4, 1.6 and 1. b₂ = 10 + 2·2 + 3·4 + 7·5 = 61.
    const samples = [{ x: tensor('f32', [1, 1, 1, 2], [0, 2]) }];
    const { work } = await runAlgorithms(byHand().model, [createActivationChannelAlignment()], samples);
    close(constantAt(work, 'c1', 1), [2.5, 2.5, 0], 1e-6);
    close(biasOf(work, 'c1'), [-2.5, -2.5, 0], 1e-6);
    close(constantAt(work, 'c2', 1), [0.8, 4.8, 7], 1e-6);
    close(biasOf(work, 'c2'), [61], 1e-5);
  });

  it('takes the median over samples', async () => {
    const samples = [
      [0, 2],
      [0, 2],
      [0, 200],
    ].map((x) => ({ x: tensor('f32', [1, 1, 1, 2], x) }));
    const { work } = await runAlgorithms(byHand().model, [createActivationChannelAlignment()], samples);
    close(biasOf(work, 'c2'), [61], 1e-5);
  });

  it('keeps the function of chains of convolutions', async () => {
    const net = new Network(4);
    const a = net.depthwise('a', net.input('x', [1, 6, 9, 9]));
    const b = net.convolution('b', a, 5, { pad: 0 });
    net.result(net.convolution('c', b, 4, { pad: 0, bias: false }));
    const samples = noise(net, [1, 6, 9, 9], 3);
    const { work } = await runAlgorithms(net.model, [createActivationChannelAlignment()], samples);
    const [before, after] = [await outputsOf(net.model, samples), await outputsOf(work, samples)];
    for (const [i, output] of before.entries()) close(after[i]!, output, 1e-4);
    assert.notDeepEqual(constantAt(work, 'b', 1), constantAt(net.model, 'b', 1));
  });

  it('divides factors by the median of those above zero and limits them', () => {
    assert.deepEqual(factorsOf(Float64Array.of(0, -1)), undefined);
    assert.deepEqual([...factorsOf(Float64Array.of(1, 1, 1000, 0, 1e-9))!], [1, 1, 100, 1, 0.01]);
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 9 }), (sizes) => {
        const factors = factorsOf(Float64Array.from(sizes));
        return factors ? factors.every((f) => f >= 0.01 && f <= 100) : sizes.every((s) => s <= 0);
      }),
    );
  });

  it('makes the ranges of channels similar', async () => {
    const net = new Network(6);
    const x = net.input('x', [1, 4, 8, 8]);
    const wild = tensor('f32', [4, 4, 1, 1], [9, 0, 0, 0, 0, 0.2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0.05]);
    const a = net.bias('a/add', net.op('Convolution', 'a', [x, net.value('w', wild)]), 4);
    net.result(net.convolution('b', a, 4, { kernel: 1 }));
    const { work } = await runAlgorithms(net.model, [createActivationChannelAlignment()], noise(net, [1, 4, 8, 8], 5));
    const diagonal = [0, 5, 10, 15].map((i) => constantAt(work, 'a', 1)[i]!);
    assert.ok(Math.max(...diagonal) / Math.min(...diagonal) < 2, `${diagonal}`);
  });
});

describe('pairs to align', () => {
  const pairsOf = (between: (net: Network, x: OutputPort) => OutputPort, spec = { kernel: 1, pad: 0 }): number => {
    const net = new Network(2);
    const first = net.convolution('first', net.input('x', [1, 3, 7, 7]), 4);
    net.result(net.convolution('second', between(net, first), 4, spec));
    return alignablePairs(net.model).length;
  };

  it('are products and convolutions with at most a bias between them', () => {
    assert.equal(
      pairsOf((_, x) => x),
      1,
    );
    assert.equal(
      pairsOf((net, x) => net.op('ReLU', 'relu', [x])),
      0,
    );
  });

  it('need a window without padding and with stride 1', () => {
    const plain = (_: Network, x: OutputPort): OutputPort => x;
    assert.equal(pairsOf(plain, { kernel: 3, pad: 1 }), 0);
    assert.equal(pairsOf(plain, { kernel: 3, pad: 0 }), 1);
    assert.equal(pairsOf(plain, { kernel: 1, pad: 0, stride: 2 } as { kernel: number; pad: number }), 0);
  });

  it('need a value that nobody else reads', () => {
    assert.equal(
      pairsOf((net, x) => {
        net.result(net.op('ReLU', 'other', [x]));
        return x;
      }),
      0,
    );
  });

  it('need a dense second convolution, and a first one whose sum is with a constant', () => {
    const net = new Network(2);
    const x = net.input('x', [1, 4, 7, 7]);
    net.result(net.depthwise('d', net.convolution('a', x, 4), { kernel: 1 }));
    net.result(
      net.convolution('c', net.op('Add', 'residual', [net.convolution('b', x, 4, { bias: false }), x]), 2, {
        kernel: 1,
      }),
    );
    assert.deepEqual(alignablePairs(net.model), []);
  });
});

describe('saturation fix after alignment', () => {
  it('halves the second convolution of a pair too', async () => {
    const net = new Network(2);
    const x = net.op('ReLU', 'r', [net.convolution('zero', net.input('x', [1, 3, 7, 7]), 4)]);
    const first = net.convolution('first', x, 4);
    net.result(net.convolution('second', first, 4, { kernel: 1 }));
    const halved = async (align: boolean): Promise<string[]> => {
      const minMax = createMinMax({ preset: 'performance', saturationFix: 'first_layer' });
      const algorithms = align ? [createActivationChannelAlignment(), minMax] : [minMax];
      const { work } = await runAlgorithms(net.model, algorithms, noise(net, [1, 3, 7, 7], 2));
      return ['zero', 'first', 'second'].filter((name) => {
        const quantizer = `${name}/fq_weights_1`;
        return constantAt(work, quantizer, 4)[0] === 2 * constantAt(work, quantizer, 2)[0]!;
      });
    };
    assert.deepEqual(await halved(false), ['zero']);
    assert.deepEqual(await halved(true), ['zero', 'second']);
  });
});
