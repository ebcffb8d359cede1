import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { estimatorFor, requestFor } from '../../../lib/algorithms/min-max/estimators.ts';
import { limitsFor } from '../../../lib/algorithms/min-max/limits.ts';
import { completeChoice } from '../../../lib/quantization/configuration.ts';
import type { Granularity, Mode } from '../../../lib/targets/index.ts';
import { Network } from '../../support/network.ts';

const configuration = (mode: Mode, granularity: Granularity) =>
  completeChoice({ bits: 8, mode, granularity }, 'activations');
const port = new Network().input('x', [1, 2, 3, 3]);

describe('range estimators', () => {
  it('average the extremes of samples for one range per tensor', () => {
    const { min, max } = estimatorFor(configuration('asymmetric', 'perTensor'));
    assert.deepEqual([min.type, min.aggregator, max.type, max.aggregator], ['min', 'mean', 'max', 'mean']);
  });

  it('take the widest sample for one range per channel', () => {
    const { min, max } = estimatorFor(configuration('symmetric', 'perChannel'));
    assert.deepEqual([max.type, max.aggregator], ['absMax', 'max']);
    assert.equal(requestFor(port, 'min', min, 'perChannel').granularity, 'perTensor');
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
  it('are clipped after everything else', () => {
    const limits = limitsFor(
      configuration('symmetric', 'perTensor'),
      'activations',
      { min: [-1], max: [6] },
      { max: 3, min: -2 },
    );
    assert.deepEqual([limits.low[0], limits.high[0]], [-2, 3]);
  });
});
