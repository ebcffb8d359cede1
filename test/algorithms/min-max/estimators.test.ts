import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { estimatorFor, requestFor } from '../../../lib/algorithms/min-max/estimators.ts';
import { type Clipping, limitsFor } from '../../../lib/algorithms/min-max/limits.ts';
import { completeChoice } from '../../../lib/quantization/configuration.ts';
import type { Extremes } from '../../../lib/quantization/ranges.ts';
import type { Granularity, Mode } from '../../../lib/targets/index.ts';
import { Network } from '../../support/network.ts';

const configuration = (mode: Mode, granularity: Granularity) =>
  completeChoice({ bits: 8, mode, granularity }, 'activations');
const port = new Network().input('x', [1, 2, 3, 3]);

describe('range estimators', () => {
  it('seek the least error within the extremes of all samples for one range per tensor', () => {
    for (const mode of ['symmetric', 'asymmetric'] as const) {
      const { min, max, seeksLeastError } = estimatorFor(configuration(mode, 'perTensor'));
      assert.deepEqual([min.type, min.aggregator, max.type, max.aggregator], ['min', 'min', 'max', 'max']);
      assert.equal(seeksLeastError, true);
    }
    for (const other of [
      estimatorFor(configuration('asymmetric', 'perChannel')),
      estimatorFor(configuration('asymmetric', 'perTensor'), {}, true),
      estimatorFor(configuration('asymmetric', 'perTensor'), { max: { aggregator: 'max' } }),
    ])
      assert.equal(other.seeksLeastError, undefined);
  });

  it('of POT average the extremes of samples for one range per tensor', () => {
    const { min, max } = estimatorFor(configuration('asymmetric', 'perTensor'), { preset: 'default' });
    assert.deepEqual([min.type, min.aggregator, max.type, max.aggregator], ['min', 'mean', 'max', 'mean']);
  });

  it('take the widest sample for one range per channel', () => {
    const { min, max } = estimatorFor(configuration('symmetric', 'perChannel'));
    assert.deepEqual([max.type, max.aggregator], ['absMax', 'max']);
    assert.equal(requestFor(port, 'min', min, 'perChannel').granularity, 'perTensor');
  });

  it('hold every sample of an input of the model', () => {
    for (const mode of ['symmetric', 'asymmetric'] as const) {
      const { min, max } = estimatorFor(
        completeChoice({ bits: 8, mode, granularity: 'perTensor' }, 'activations'),
        {},
        true,
      );
      assert.deepEqual([min.aggregator, max.aggregator], ['min', 'max']);
    }
    const own = { max: { aggregator: 'median' } } as const;
    const asked = completeChoice({ bits: 8, mode: 'symmetric', granularity: 'perTensor' }, 'activations');
    assert.equal(estimatorFor(asked, own, true).max.aggregator, 'median');
  });

  it('leave out the outermost elements for quantiles', () => {
    const { min, max } = estimatorFor(configuration('asymmetric', 'perTensor'), { preset: 'quantile' });
    assert.deepEqual(requestFor(port, 'min', min, 'perTensor').statistic, { kind: 'quantile', share: 1e-4 });
    assert.deepEqual(requestFor(port, 'max', max, 'perTensor').statistic, { kind: 'quantile', share: 1 - 1e-4 });
    assert.equal(estimatorFor(configuration('symmetric', 'perTensor'), { preset: 'quantile' }).min.type, 'min');
  });

  it('can be replaced in part', () => {
    const { max } = estimatorFor(configuration('symmetric', 'perTensor'), { max: { aggregator: 'median' } });
    assert.deepEqual([max.type, max.aggregator], ['absMax', 'median']);
  });
});

describe('limits', () => {
  const clipped = (mode: Mode, extremes: Extremes, clipping: Clipping): number[] => {
    const { low, high } = limitsFor(configuration(mode, 'perTensor'), 'activations', extremes, clipping);
    return [low[0]!, high[0]!];
  };

  it('are clipped, and keep the form of a symmetric range', () => {
    assert.deepEqual(clipped('symmetric', { min: [-1], max: [6] }, { max: 3 }), [Math.fround((-3 * 256) / 254), 3]);
    const [low, high] = clipped('symmetric', { min: [-1], max: [6] }, { max: 3, min: -2 });
    assert.ok(Math.abs(low! + 2) < 1e-6);
    assert.ok(Math.abs(high! - (2 * 254) / 256) < 1e-6);
    assert.deepEqual(clipped('symmetric', { min: [-1], max: [6] }, { min: 0 }), [0, 6]);
  });

  it('keep zero on the grid when one border is clipped', () => {
    const positive = fc.double({ min: 0.1, max: 10, noNaN: true });
    fc.assert(
      fc.property(positive, positive, positive, positive, (a, b, below, above) => {
        const [low, high] = clipped('asymmetric', { min: [-a], max: [b] }, { min: -below, max: above }) as [
          number,
          number,
        ];
        assert.ok(low >= -below * (1 + 1e-6) && high <= above * (1 + 1e-6), `${low} … ${high}`);
        const zero = (-low * 255) / (high - low);
        assert.ok(Math.abs(zero - Math.round(zero)) < 0.0102, `zero point ${zero}`);
      }),
    );
  });

  it('do not differ where nothing is clipped', () => {
    const extremes = { min: [-1], max: [2] };
    assert.deepEqual(clipped('asymmetric', extremes, { min: -3, max: 3 }), clipped('asymmetric', extremes, {}));
  });

  it('refuse clipping values that leave no room for zero', () => {
    for (const clipping of [{ max: -1 }, { min: 1 }, { min: Number.NaN }]) {
      assert.throws(() => clipped('symmetric', { min: [0], max: [1] }, clipping), { code: 'ERR_CONFIG_INVALID' });
    }
  });
});
