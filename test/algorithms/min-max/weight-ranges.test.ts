import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAlgorithms } from '../../../lib/algorithms/definition.ts';
import { algorithms } from '../../../lib/algorithms/index.ts';
import {
  channelQuantiles,
  type WeightRangeEstimatorOptions,
  weightEstimatorFor,
  weightExtremes,
} from '../../../lib/algorithms/min-max/weight-ranges.ts';
import { constantOf } from '../../../lib/graph/node.ts';
import { channelsOfWeights, oneChannel } from '../../../lib/quantization/channels.ts';
import { completeChoice } from '../../../lib/quantization/configuration.ts';
import { quantize } from '../../../lib/quantize.ts';
import type { Mode } from '../../../lib/targets/index.ts';
import { toFloat32 } from '../../../lib/tensor/convert.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { ModelBuilder } from '../../support/model-builder.ts';

/** A convolution, or a transposed one, of weights 0, 1, 2, … with their quantizer. */
function weights(type: 'Convolution' | 'ConvolutionBackpropData') {
  const b = new ModelBuilder();
  const x = b.parameter('x', [1, 2, 4, 4]);
  const value = b.constant(
    'w',
    [2, 2, 2, 2],
    Array.from({ length: 16 }, (_, i) => i),
  );
  const [low, high] = [b.constant('l', [], [0]), b.constant('h', [], [15])];
  const quantizer = b.op('FakeQuantize', [value, low, high, low, high], { levels: 255 });
  const window = { strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0], dilations: [1, 1] };
  b.result(b.op(type, [x, quantizer], window));
  return { value: value.fact.value!, layout: channelsOfWeights(quantizer.node) };
}

const configuration = (mode: Mode) => completeChoice({ bits: 8, mode, granularity: 'perChannel' }, 'weights');

function extremes(
  value: Tensor,
  layout: ReturnType<typeof channelsOfWeights>,
  mode: Mode,
  options: WeightRangeEstimatorOptions,
) {
  const { min, max } = weightExtremes(value, layout, weightEstimatorFor(configuration(mode), options));
  const rounded = (list: ArrayLike<number>): number[] => Array.from(list, (v) => Math.round(v * 1e4) / 1e4);
  return [rounded(min), rounded(max)];
}

describe('range estimators of weights', () => {
  it('take extremes and quantiles as POT does (spec/pot.md 10.2)', () => {
    const { value, layout } = weights('Convolution');
    const first = { share: 0.01, isAbsolute: false };
    assert.deepEqual(extremes(value, layout, 'asymmetric', {}), [
      [0, 8],
      [7, 15],
    ]);
    assert.deepEqual([...channelQuantiles(value, layout, first)], [Math.fround(0.07), Math.fround(8.07)]);
    assert.deepEqual([...channelQuantiles(value, oneChannel, first)], [Math.fround(0.15)]);
    const transposed = weights('ConvolutionBackpropData');
    assert.deepEqual(extremes(transposed.value, transposed.layout, 'asymmetric', {}), [
      [0, 4],
      [11, 15],
    ]);
    assert.deepEqual(
      [...channelQuantiles(transposed.value, transposed.layout, first)],
      [Math.fround(0.07), Math.fround(4.07)],
    );
  });

  it('leave out the outermost elements of each channel, of magnitudes where the range is symmetric', () => {
    const { value, layout } = weights('Convolution');
    const tail = { outlierProbability: 0.01 };
    const both = { preset: 'quantile', min: tail, max: tail } as const;
    assert.deepEqual(extremes(value, layout, 'asymmetric', both), [
      [0.07, 8.07],
      [6.93, 14.93],
    ]);
    const negative = { ...value, data: toFloat32(value).map((v) => -v) };
    assert.deepEqual(extremes(negative, layout, 'symmetric', both)[1], [6.93, 14.93]);
    assert.deepEqual(extremes(negative, layout, 'symmetric', {})[1], [7, 15]);
  });

  it('give every channel the border of the whole tensor where that is asked for', () => {
    const { value, layout } = weights('Convolution');
    const whole = { max: { granularity: 'perTensor' } } as const;
    assert.deepEqual(extremes(value, layout, 'symmetric', whole)[1], [15, 15]);
  });

  it('of one element, equal elements and no elements are those', () => {
    const half = { share: 0.5, isAbsolute: true };
    assert.deepEqual([...channelQuantiles(tensor('f32', [1], [-3]), oneChannel, half)], [3]);
    assert.deepEqual([...channelQuantiles(tensor('f32', [3], [2, 2, 2]), oneChannel, half)], [2]);
    assert.deepEqual([...channelQuantiles(tensor('f32', [0], []), oneChannel, half)], [0]);
  });
});

/** Largest magnitude that quantized weights of a small convolution with one outlier keep, for parameters of MinMaxQuantization. */
async function largestKept(params: Readonly<Record<string, unknown>>): Promise<number> {
  const b = new ModelBuilder();
  const x = b.parameter('x', [1, 2, 4, 4]);
  const data = Array.from({ length: 400 }, (_, i) => (i === 7 ? 50 : Math.sin(i)));
  const w = b.constant('w', [2, 2, 10, 10], data);
  const window = { strides: [1, 1], pads_begin: [5, 5], pads_end: [5, 5], dilations: [1, 1] };
  b.result(b.op('Convolution', [x, w], window, 'conv'));
  const sample = tensor(
    'f32',
    [1, 2, 4, 4],
    Array.from({ length: 32 }, (_, i) => i - 16),
  );
  const { model } = await quantize(b.model, [sample], { algorithms: [{ name: 'MinMaxQuantization', params }] });
  const quantizer = model.nodes().find((n) => n.type === 'FakeQuantize' && constantOf(n.source(0)))!;
  return Math.max(...toFloat32(constantOf(quantizer.source(2))!));
}

describe('parameters of MinMaxQuantization', () => {
  const quantile = { preset: 'quantile', max: { outlier_prob: 0.01 } } as const;

  it('decide about weights by themselves, or for all tensors', async () => {
    assert.equal(await largestKept({}), 50);
    for (const params of [{ weights: { range_estimator: quantile } }, { range_estimator: quantile }])
      assert.ok((await largestKept(params)) < 2, JSON.stringify(params));
    const own = { weights: { range_estimator: { preset: 'default' } }, range_estimator: quantile };
    assert.equal(await largestKept(own), 50);
    assert.equal(await largestKept({ activations: { range_estimator: quantile } }), 50);
    assert.equal(await largestKept({ range_estimator: { preset: 'least_error' } }), 50);
    assert.equal(await largestKept({ weights: { range_estimator: { max: { clipping_value: 3 } } } }), 3);
  });

  it('refuse what weights do not have', () => {
    for (const estimator of [{ preset: 'least_error' }, { max: { aggregator: 'mean' } }]) {
      const params = { weights: { range_estimator: estimator } };
      assert.throws(() => createAlgorithms(algorithms, [{ name: 'MinMaxQuantization', params }], { preset: 'mixed' }), {
        code: 'ERR_CONFIG_INVALID',
        message: /weights\.range_estimator/,
      });
    }
  });
});
