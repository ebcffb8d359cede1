// Ranges, zero points and levels that POT's own tests expect: MobileNet v2 on one image, ranges relative to the largest.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { completeChoice, type QuantizerGroup } from '../../lib/quantization/configuration.ts';
import { quantParamsOf } from '../../lib/quantization/params.ts';
import { asymmetricLimits, symmetricActivationLimits, symmetricWeightLimits } from '../../lib/quantization/ranges.ts';
import { targetOf } from '../../lib/targets/index.ts';

/** Symmetric range, asymmetric range, zero point. The files have seven digits. */
const activations: readonly (readonly [
  name: string,
  low: number,
  high: number,
  min: number,
  max: number,
  zero: number,
])[] = [
  ['features.0 conv, the image', -0.3136188, 0.3111687, -0.2968606, 0.3136188, 124],
  ['features.2 conv.0', -1, 0.9921875, -1, 0.8613139, 137],
  ['features.7 conv.0', -0.780786, 0.774686, -0.6312737, 0.7807859, 114],
  ['features.8 Add, input 0', -0.432366, 0.4289882, -0.4323661, 0.3280018, 145],
  ['features.10 Add, input 1', -0.5275741, 0.5234524, -0.5320419, 0.2902047, 165],
  ['features.18', -0.2214953, 0.2197648, -0.2214953, 0.1762603, 142],
  ['features.13 conv.2, behind ReLU6', 0, 0.3035967, 0, 0.3059872, 0],
  ['GlobalAveragePool', 0, 0.8818624, 0, 0.8888062, 0],
  ['Flatten', 0, 0.601348, 0, 0.606083, 0],
];

const close = (a: number, b: number): void => assert.ok(Math.abs(a - b) <= 1e-6, `${a} ≠ ${b}`);

describe('activations of MobileNet v2', () => {
  for (const [name, low, high, min, max, zero] of activations) {
    it(`${name}: the symmetric range follows from its magnitude and sign`, () => {
      const limits = symmetricActivationLimits({ min: [low < 0 ? -high : 0], max: [high] }, 256);
      close(limits.low[0]!, low);
      close(limits.high[0]!, high);
    });

    it(`${name}: the asymmetric range has zero point ${zero} and stays as it is`, () => {
      const { zeroPoint, zeroResidue } = quantParamsOf(256, [min], [max]);
      assert.equal(zeroPoint[0], zero);
      assert.ok(zeroResidue < 1e-4, `zero lies ${zeroResidue} steps beside the grid`);
      const limits = asymmetricLimits({ min: [min], max: [max] }, 256);
      close(limits.low[0]!, min);
      close(limits.high[0]!, max);
    });
  }

  it('moves one border of the image outward, and only one', () => {
    // Before it was moved, the lower border of the image lay less than half a step higher.
    const step = (0.3136188 + 0.2968606) / 255;
    const limits = asymmetricLimits({ min: [-0.2968606 + 0.4 * step], max: [0.3136188] }, 256);
    close(limits.low[0]!, -0.2968606);
    close(limits.high[0]!, 0.3136188);
  });

  it('leaves a depthwise input that hardly reaches below zero as it is', () => {
    const limits = asymmetricLimits({ min: [-1.4515e-6], max: [0.0488219] }, 256);
    close(limits.low[0]!, -1.4515e-6);
    close(limits.high[0]!, 0.0488219);
  });
});

describe('levels', () => {
  const levels = (device: string, type: string, group: QuantizerGroup, at: number): number => {
    const row = targetOf(device).operations.find((r) => r.types.includes(type))!;
    return completeChoice(row[group]!.at(at)!, group).levels;
  };

  it('of 8-bit activations are 256, of symmetric weights 255, of asymmetric ones 256', () => {
    assert.equal(levels('CPU', 'Convolution', 'activations', 0), 256);
    assert.equal(levels('CPU', 'Convolution', 'activations', 1), 256);
    assert.equal(levels('CPU', 'Convolution', 'weights', 0), 255);
    assert.equal(levels('CPU', 'Convolution', 'weights', 1), 256);
  });

  it('of 4-bit symmetric weights are 15, of 2-bit ones 3', () => {
    assert.equal(levels('NPU', 'Convolution', 'weights', 1), 15);
    assert.equal(levels('NPU', 'Convolution', 'weights', 2), 3);
  });

  it('of GNA are 255 or 65535 for weights, 65536 for activations and 2^32 for sums; 255 for 8-bit activations', () => {
    assert.equal(levels('GNA', 'MatMul', 'weights', 0), 255);
    assert.equal(levels('GNA', 'MatMul', 'weights', 1), 65535);
    assert.equal(levels('GNA', 'MatMul', 'activations', 0), 65536);
    assert.equal(levels('GNA', 'MatMul', 'outputs', 0), 2 ** 32);
    assert.equal(levels('GNA3', 'Convolution', 'activations', 0), 255);
  });
});

describe('weights', () => {
  it('of a channel that is zero get 1 % of the widest channel, 8e-5 at least', () => {
    const { low, high } = symmetricWeightLimits([3, 0, 0.029, 0.031]);
    [3, 0.03, 0.03, 0.031].forEach((h, c) => {
      close(high[c]!, h);
      close(low[c]!, -h);
    });
    close(symmetricWeightLimits([0.001, 0]).high[1]!, 8e-5);
  });
});
