import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { accumulatorFor, median, quantile } from '../../lib/statistics/aggregators.ts';
import { quantilesOf } from '../../lib/statistics/quantiles.ts';
import { type Aggregator, aggregators } from '../../lib/statistics/request.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';

function aggregate(name: Aggregator, samples: readonly (readonly number[])[]): number[] {
  const accumulator = accumulatorFor(name);
  for (const sample of samples) accumulator.add(Float32Array.from(sample));
  return [...accumulator.result()];
}

describe('aggregators', () => {
  // Golden values of POT for 0, 1, 2, … of shape (2, 2, 1) and (2, 2, 2), batches of two samples each.
  const scalars = [[0], [1], [2], [3]];
  const pairs = [
    [0, 1],
    [2, 3],
    [4, 5],
    [6, 7],
  ];
  for (const name of ['mean', 'median', 'mean_no_outliers', 'median_no_outliers', 'hl_estimator'] as const) {
    it(`${name} of 0 to 3 is 1.5, of two channels 3 and 4`, () => {
      assert.deepEqual(aggregate(name, scalars), [1.5]);
      assert.deepEqual(aggregate(name, pairs), [3, 4]);
    });
  }

  it('max and min take the extremes of each channel', () => {
    assert.deepEqual(aggregate('max', pairs), [6, 7]);
    assert.deepEqual(aggregate('min', pairs), [0, 1]);
  });

  it('all return a single sample as it is', () => {
    for (const name of aggregators) assert.deepEqual(aggregate(name, [[2.5]]), [2.5], name);
  });

  it('the robust ones are not moved by one wild sample', () => {
    const samples = [...Array.from({ length: 200 }, (_, i) => [1 + i / 1000]), [1000]];
    assert.ok(aggregate('mean', samples)[0]! > 5);
    for (const name of ['median', 'mean_no_outliers', 'median_no_outliers', 'hl_estimator'] as const) {
      assert.ok(Math.abs(aggregate(name, samples)[0]! - 1.1) < 0.02, name);
    }
  });

  it('the Hodges-Lehmann estimator refuses more pairs than fit', () => {
    const accumulator = accumulatorFor('hl_estimator');
    for (let i = 0; i < 6000; i++) accumulator.add(Float32Array.of(i));
    assert.throws(
      () => accumulator.result(),
      (e) => e instanceof LowpError && e.code === 'ERR_LIMIT_MEMORY',
    );
  });

  it('do not keep the array that they were given', () => {
    const values = Float32Array.of(1);
    for (const name of aggregators) {
      const accumulator = accumulatorFor(name);
      accumulator.add(values);
      values[0] = 9;
      assert.equal(accumulator.result()[0], 1, name);
      values[0] = 1;
    }
  });
});

describe('quantiles', () => {
  it('interpolate linearly between neighbours', () => {
    assert.equal(quantile(Float64Array.of(0, 10), 0.25), 2.5);
    assert.equal(median(Float64Array.of(1, 2, 10)), 2);
  });

  it('match the golden values of POT per tensor and per channel', () => {
    const value = tensor('f32', [1, 2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]);
    const close = (found: Float32Array, wanted: readonly number[]): void => {
      assert.equal(found.length, wanted.length);
      found.forEach((v, i) => {
        assert.ok(Math.abs(v - wanted[i]!) < 1e-6, `${v} ≠ ${wanted[i]}`);
      });
    };
    close(quantilesOf(value, { share: 0.01, isAbsolute: false, granularity: 'perTensor' }), [0.07]);
    close(quantilesOf(value, { share: 0.01, isAbsolute: false, granularity: 'perChannel' }), [0.03, 4.03]);
  });

  it('of a value are those of its sorted elements', () => {
    const numbers = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 }), { minLength: 1 });
    fc.assert(
      fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), (data, share) => {
        const value = tensor('f32', [data.length], data);
        const [found] = quantilesOf(value, { share, isAbsolute: false, granularity: 'perTensor' });
        assert.equal(found! + 0, Math.fround(quantile(Float32Array.from(data).sort(), share)) + 0);
      }),
    );
  });

  it('near the ends are exact for any order, share, axis and sign', () => {
    const r = random(3);
    const shape = [3, 4, 50, 41];
    const data = Float32Array.from({ length: 3 * 4 * 50 * 41 }, () => (r.int(0, 5) === 0 ? 0 : r.normal()));
    const value = tensor('f32', shape, data);
    const reversed = data.toReversed();
    for (const share of [0, 1e-5, 1e-4, 0.002, 0.015, 0.016, 0.3, 0.984, 0.985, 0.998, 1 - 1e-4, 1])
      for (const isAbsolute of [false, true]) {
        const magnitude = (v: number): number => (isAbsolute ? Math.abs(v) : v);
        const wanted = (keep: (channel: number) => boolean): number =>
          Math.fround(
            quantile(
              data
                .filter((_, i) => keep(Math.floor(i / 2050) % 4))
                .map(magnitude)
                .sort(),
              share,
            ),
          ) + 0;
        const how = { share, isAbsolute, granularity: 'perTensor' } as const;
        assert.equal(
          quantilesOf(value, how)[0]! + 0,
          wanted(() => true),
        );
        assert.equal(
          quantilesOf(tensor('f32', shape, reversed), how)[0]! + 0,
          wanted(() => true),
        );
        const channels = [...quantilesOf(value, { ...how, granularity: 'perChannel' })].map((v) => v + 0);
        assert.deepEqual(
          channels,
          [0, 1, 2, 3].map((c) => wanted((channel) => channel === c)),
        );
      }
  });

  it('take magnitudes when asked to', () => {
    const value = tensor('f32', [3], [-5, 1, 2]);
    assert.equal(quantilesOf(value, { share: 1, isAbsolute: true, granularity: 'perTensor' })[0], 5);
    assert.equal(quantilesOf(value, { share: 1, isAbsolute: false, granularity: 'perTensor' })[0], 2);
  });
});
