import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import {
  asymmetricLimits,
  symmetricActivationLimits,
  symmetricWeightLimits,
  tuneToZero,
  unifiedZeroPointLimits,
} from '../../lib/quantization/ranges.ts';

const close = (a: number, b: number): void =>
  assert.ok(Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b)), `${a} ≠ ${b}`);

describe('tuneToZero', () => {
  const examples: readonly (readonly [number, number, number, number])[] = [
    [-0.1, 6, -0.1, 6.275],
    [-1, 2, -1, 2],
    [-0.3, 0.31, -0.3, 0.312],
    [-1, 1, -1.0078740157, 1],
    [-1e-6, 0.05, -1e-6, 0.05],
    [-2.5, 0, -2.5, 0],
  ];
  for (const [min, max, low, high] of examples) {
    it(`turns ${min} … ${max} into ${low} … ${high}`, () => {
      const [l, h] = tuneToZero(min, max, 256);
      close(l, low);
      close(h, high);
    });
  }

  it('puts zero on the grid and never narrows by more than half a step', () => {
    const positive = fc.double({ min: 1e-3, max: 100, noNaN: true });
    fc.assert(
      fc.property(positive, positive, fc.constantFrom(16, 255, 256), (a, b, levels) => {
        const [low, high] = tuneToZero(-a, b, levels);
        const step = (high - low) / (levels - 1);
        const zero = -low / step;
        assert.ok(Math.abs(zero - Math.round(zero)) <= 0.0101, `zero point ${zero}`);
        // Half a step of the range as it was given; a tie reaches it but for the rounding of doubles.
        const half = ((a + b) / (levels - 1) / 2) * (1 + 1e-12);
        assert.ok(low <= -a + half && high >= b - half, `${low} … ${high} does not hold ${-a} … ${b}`);
      }),
    );
  });
});

describe('symmetric limits', () => {
  it('of weights are the largest magnitude to both sides', () => {
    const { low, high } = symmetricWeightLimits([1, 0.5]);
    assert.deepEqual([...low], [-1, -0.5]);
    assert.deepEqual([...high], [1, 0.5]);
  });

  it('widen a channel below 1 % of the widest one, and an all-zero tensor to 8e-5', () => {
    close(symmetricWeightLimits([2, 0.001]).high[1]!, 0.02);
    close(symmetricWeightLimits([0, 0]).high[0]!, 8e-5);
  });

  it('of activations start at zero when no sample was negative', () => {
    const { low, high } = symmetricActivationLimits({ min: [0], max: [6] }, 256);
    assert.deepEqual([low[0], high[0]], [0, 6]);
  });

  it('of activations of both signs have one more step below zero', () => {
    const { low, high } = symmetricActivationLimits({ min: [-0.1], max: [0.3111687] }, 256);
    close(low[0]!, -0.31361884);
    close(high[0]!, 0.3111687);
  });

  it('of activations are signed in all channels when one channel is negative', () => {
    const { low } = symmetricActivationLimits({ min: [0, -1], max: [2, 1] }, 256);
    close(low[0]!, (-2 * 256) / 254);
  });

  it('keep the negative half when the grid is signed', () => {
    assert.ok(symmetricActivationLimits({ min: [0], max: [1] }, 256, true).low[0]! < 0);
  });
});

describe('asymmetric limits', () => {
  it('are widened to hold zero', () => {
    const positive = asymmetricLimits({ min: [1], max: [3] }, 256);
    assert.deepEqual([positive.low[0], positive.high[0]], [0, 3]);
    const negative = asymmetricLimits({ min: [-3], max: [-1] }, 256);
    assert.equal(negative.low[0], -3);
    assert.ok(negative.high[0]! === 0);
  });

  it('widen a constant value by 8e-4 to both sides', () => {
    const { low, high } = asymmetricLimits({ min: [0], max: [0] }, 256);
    assert.ok(low[0]! < 0 && high[0]! > 0 && high[0]! - low[0]! >= 1.6e-3 - 1e-9);
  });

  it('share one zero point between channels when asked to', () => {
    const { low, high } = unifiedZeroPointLimits({ min: [-1, -0.5], max: [1, 2] }, 256);
    [low[0], high[0], low[1], high[1]].forEach((v, i) => {
      close(v!, [-1, 1.86516854, -1.07228916, 2][i]!);
    });
  });

  it('refuse to share a zero point at the end of the grid with a channel of the other sign', () => {
    assert.throws(
      () => unifiedZeroPointLimits({ min: [0, 0, 0, -0.001], max: [5, 5, 5, 5] }, 256),
      (e) => e instanceof LowpError && e.code === 'ERR_ALGO_UNSUPPORTED',
    );
  });
});
