import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { algorithms, createAlgorithms, parameterNames } from '../../lib/algorithms/index.ts';
import { algorithmChoice } from '../../lib/cli/commands/quantize.ts';
import { repositoryRoot } from '../support/shared-folder.ts';

const shared = { preset: 'performance' } as const;

const steps = (name: string, params: Readonly<Record<string, unknown>> = {}): string[] =>
  createAlgorithms(algorithms, [{ name, params }], shared).map((a) => a.name);

describe('algorithms by name', () => {
  it('are those of every room', () => {
    const folder = path.join(repositoryRoot(), 'lib/algorithms');
    const rooms = readdirSync(folder).filter((f) => existsSync(path.join(folder, f, 'algorithm.ts')));
    const pascal = (room: string): string => room.replace(/(^|-)(.)/g, (_, __, c: string) => c.toUpperCase());
    const names = rooms.map((room) => (room === 'min-max' ? 'MinMaxQuantization' : pascal(room)));
    assert.deepEqual(algorithms.map((a) => a.name).sort(), [...names, 'Ranger'].sort());
  });

  it('are made of their steps', () => {
    assert.deepEqual(steps('DefaultQuantization'), [
      'ActivationChannelAlignment',
      'MinMaxQuantization',
      'FastBiasCorrection',
    ]);
    assert.deepEqual(steps('DefaultQuantization', { use_fast_bias: false, channel_alignment: false }), [
      'MinMaxQuantization',
      'BiasCorrection',
    ]);
    const gna = createAlgorithms(algorithms, [{ name: 'DefaultQuantization' }], { ...shared, largestSum: 9 });
    assert.equal(gna.at(-1)!.name, 'OverflowCorrection');
  });

  it('take the parameters that POT documents', () => {
    const subset = { stat_subset_size: 100, stat_batch_size: 1 };
    const border = { type: 'quantile', outlier_prob: 1e-4, clipping_value: 6, granularity: 'pertensor' };
    const minMax = {
      ...subset,
      preset: 'mixed',
      saturation_fix: 'all',
      range_estimator: { preset: 'quantile' },
      weights: {
        bits: 8,
        mode: 'symmetric',
        granularity: 'perchannel',
        level_low: -127,
        level_high: 127,
        range_estimator: { preset: 'quantile', max: { type: 'abs_quantile', outlier_prob: 1e-4 } },
      },
      activations: {
        bits: 8,
        mode: 'asymmetric',
        range_estimator: { min: border, max: { ...border, aggregator: 'mean' } },
      },
      ignored: { scope: [], operations: [{ type: 'Add' }] },
    };
    const bias = { ...subset, threshold: 'inf', apply_for_all_nodes: true };
    const all: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      ActivationChannelAlignment: subset,
      BiasCorrection: bias,
      DefaultQuantization: { ...minMax, ...bias, use_fast_bias: true },
      FastBiasCorrection: bias,
      MinMaxQuantization: minMax,
      OutlierChannelSplitting: { weights_expansion_ratio: 0.01 },
      OverflowCorrection: subset,
      QuantNoiseEstimator: { ...subset, mode: 'full_fq_noise', type: 'sqnr', eps: 1e-15 },
      RangeSupervision: subset,
      Ranger: subset,
      WeightBiasCorrection: { eps_factor: 1e-5 },
    };
    for (const definition of algorithms) {
      assert.ok(steps(definition.name, all[definition.name]!).length > 0);
      for (const key of Object.keys(all[definition.name]!)) assert.ok(parameterNames(definition).includes(key));
    }
  });

  it('refuse what they do not know, naming where it is and what there is', () => {
    assert.throws(() => steps('FastBiasCorection'), { code: 'ERR_CONFIG_INVALID', help: /FastBiasCorrection/ });
    assert.throws(() => steps('FastBiasCorrection', { treshold: 2 }), {
      code: 'ERR_CONFIG_INVALID',
      message: /algorithms\[0\]\.params.*treshold/,
      help: /threshold/,
    });
    assert.throws(() => steps('MinMaxQuantization', { weights: { bits: 'eight' } }), {
      message: /params\.weights\.bits/,
    });
    assert.throws(() => steps('DefaultQuantization', { saturation_fix: 'First_layer' }), { message: /saturation_fix/ });
  });

  it('are read from the command line', () => {
    assert.deepEqual(algorithmChoice('OutlierChannelSplitting,weights_expansion_ratio=0.1'), {
      name: 'OutlierChannelSplitting',
      params: { weights_expansion_ratio: 0.1 },
    });
    assert.deepEqual(algorithmChoice('default, preset=mixed'), {
      name: 'DefaultQuantization',
      params: { preset: 'mixed' },
    });
    assert.throws(() => algorithmChoice('DefaultQuantization,preset'), { code: 'ERR_CLI_USAGE' });
  });
});
