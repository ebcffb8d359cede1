// Biases that OpenVINO POT leaves alone, and how both corrections treat them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Algorithm } from '../../lib/algorithms/algorithm.ts';
import { createBiasCorrection } from '../../lib/algorithms/bias-correction/algorithm.ts';
import { createFastBiasCorrection } from '../../lib/algorithms/fast-bias-correction/algorithm.ts';
import { createMinMax } from '../../lib/algorithms/min-max/algorithm.ts';
import { prepareForQuantization } from '../../lib/passes/index.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { Network } from '../support/network.ts';
import { biasOf, runAlgorithms } from '../support/pipeline.ts';

const weights = { bits: 4, levelLow: -7, levelHigh: 7, mode: 'symmetric', granularity: 'perTensor' } as const;

const corrections: Readonly<Record<string, () => Algorithm>> = {
  fast: () => createFastBiasCorrection(),
  'fast with the error of activations': () => createFastBiasCorrection({ activationError: true }),
  full: () => createBiasCorrection({ sampleShare: 1 }),
};

async function corrected(net: Network, correction: () => Algorithm) {
  prepareForQuantization(net.model);
  const shape = net.model.parameters()[0]!.output.fact.shape;
  const samples = [0, 1, 2].map(() => ({ x: net.noise(shape, 1, 0.7) }));
  return runAlgorithms(net.model, [createMinMax({ preset: 'performance', weights }), correction()], samples);
}

for (const [name, correction] of Object.entries(corrections)) {
  describe(`${name} bias correction`, () => {
    it('corrects a convolution without a bias', async () => {
      const net = new Network(5);
      net.result(net.convolution('c', net.input('x', [1, 3, 6, 6]), 4, { bias: false }));
      const { work, warnings } = await corrected(net, correction);
      assert.ok(
        biasOf(work, 'c').every((b) => Math.abs(b) > 1e-4),
        `${biasOf(work, 'c')}`,
      );
      assert.ok(!warnings.some((w) => w.includes('bias')));
    });

    it('corrects a bias with some zeros, all of it', async () => {
      const net = new Network(5);
      const y = net.convolution('c', net.input('x', [1, 3, 6, 6]), 3, { bias: false });
      net.result(net.op('Add', 'sum', [y, net.value('b', tensor('f32', [1, 3, 1, 1], [0.5, 0, -0.2]))]));
      const { work } = await corrected(net, correction);
      const after = biasOf(work, 'c');
      assert.ok(
        [0.5, 0, -0.2].every((b, c) => Math.abs(after[c]! - b) > 1e-4),
        `${after}`,
      );
    });

    it('corrects the bias of a matrix product that is a plain vector', async () => {
      const net = new Network(5);
      const y = net.op('MatMul', 'fc', [net.input('x', [1, 8]), net.weights('w', [4, 8])], { transpose_b: true });
      net.result(net.op('Add', 'sum', [y, net.weights('b', [4])]));
      const before = biasOf(net.model, 'fc');
      const { work } = await corrected(net, correction);
      assert.ok(biasOf(work, 'fc').every((b, c) => Math.abs(b - before[c]!) > 1e-5));
    });

    it('says which bias it leaves alone because it is not one number for each channel', async () => {
      const net = new Network(5);
      const y = net.convolution('c', net.input('x', [1, 3, 6, 6]), 4, { bias: false });
      net.result(net.op('Add', 'sum', [y, net.weights('b', [1, 4, 6, 6])]));
      const { warnings } = await corrected(net, correction);
      assert.ok(warnings.some((w) => w.includes("'c'") && w.includes('bias')));
    });
  });
}

describe('fast bias correction with the error of activations', () => {
  it('takes out what clipping does to the mean, by hand', async () => {
    // Weights are on the grid. Behind the ReLU, of x = 1 and 3 the range is the mean of the maxima, 2: 3 is clipped
    // to 2, so the mean of the rounded data is 1.5 instead of 2, and the output is short of w · 0.5 = 1.
    const net = new Network();
    const x = net.op('ReLU', 'relu', [net.input('x', [1, 1])]);
    const y = net.op('MatMul', 'fc', [x, net.value('w', tensor('f32', [1, 1], [2]))], {
      transpose_b: true,
    });
    net.result(net.op('Add', 'sum', [y, net.value('b', tensor('f32', [1, 1], [10]))]));
    const rangeEstimator = { preset: 'default' } as const;
    const samples = [1, 3].map((v) => ({ x: tensor('f32', [1, 1], [v]) }));
    const run = async (activationError: boolean): Promise<number> => {
      const algorithms = [
        createMinMax({ preset: 'performance', rangeEstimator }),
        createFastBiasCorrection({ activationError }),
      ];
      return biasOf((await runAlgorithms(net.model, algorithms, samples)).work, 'fc')[0]!;
    };
    assert.ok(Math.abs((await run(false)) - 10) < 1e-6);
    const found = await run(true);
    assert.ok(Math.abs(found - 11) < 0.02, `${found}`);
  });

  it('brings the mean of a matrix product back whatever its numbers are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), async (seed) => {
        const net = new Network(seed);
        const y = net.op('MatMul', 'fc', [net.input('x', [1, 6]), net.weights('w', [3, 6])], { transpose_b: true });
        net.result(net.op('Add', 'sum', [y, net.weights('b', [1, 3])]));
        const samples = [0, 1, 2].map(() => ({ x: net.noise([1, 6], 1, 0.7) }));
        const algorithms = (other: Algorithm) => [createMinMax({ preset: 'performance', weights }), other];
        // One product alone: both corrections must give the same.
        const fast = await runAlgorithms(
          net.model,
          algorithms(createFastBiasCorrection({ activationError: true })),
          samples,
        );
        const full = createBiasCorrection({ activationError: true, sampleShare: 1 });
        const other = await runAlgorithms(net.model, algorithms(full), samples);
        const wanted = biasOf(other.work, 'fc');
        return biasOf(fast.work, 'fc').every((b, c) => Math.abs(b - wanted[c]!) < 1e-4);
      }),
      { numRuns: 10 },
    );
  });
});
