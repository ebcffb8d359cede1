import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { accumulatorFor } from '../../lib/statistics/aggregators.ts';
import { type Aggregator, aggregators } from '../../lib/statistics/request.ts';
import { random } from '../../lib/util/random.ts';

function aggregate(name: Aggregator, samples: readonly (readonly number[])[]): number[] {
  const accumulator = accumulatorFor(name);
  for (const sample of samples) accumulator.add(Float32Array.from(sample));
  return [...accumulator.result()];
}

function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const low = sorted[Math.floor(position)]!;
  return low + (sorted[Math.ceil(position)]! - low) * (position - Math.floor(position));
}

/** The definitions, on numbers in an array. */
const definitions: Readonly<Record<Aggregator, (values: readonly number[]) => number>> = {
  mean: (values) => values.reduce((a, b) => a + b) / values.length,
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  median: (values) => quantile(values.toSorted(ascending), 0.5),
  mean_no_outliers: (values) => definitions.mean(inner(values)),
  median_no_outliers: (values) => definitions.median(inner(values)),
  hl_estimator: (values) => {
    if (values.length === 1) return values[0]!;
    const sums = values.flatMap((a, i) => values.slice(i + 1).map((b) => a + b));
    return 0.5 * quantile(sums.sort(ascending), 0.5);
  },
};

function ascending(a: number, b: number): number {
  return a - b;
}

function inner(values: readonly number[]): number[] {
  const sorted = values.toSorted(ascending);
  const [low, high] = [quantile(sorted, 0.01), quantile(sorted, 0.99)];
  const kept = sorted.filter((v) => v >= low && v <= high);
  return kept.length > 0 ? kept : sorted;
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
    assert.deepEqual([...aggregate('max', scalars), ...aggregate('min', scalars)], [3, 0]);
  });

  it('all return a single sample as it is', () => {
    for (const name of aggregators) assert.deepEqual(aggregate(name, [[2.5]]), [2.5], name);
  });

  it('all but max and min return the mean of two samples', () => {
    for (const name of aggregators.filter((a) => a !== 'max' && a !== 'min'))
      assert.deepEqual(aggregate(name, [[1], [2]]), [1.5], name);
  });

  it('all return what all samples are equal to', () => {
    const samples = Array.from({ length: 300 }, () => [0.1, -0.1]);
    for (const name of aggregators) assert.deepEqual(aggregate(name, samples), [0.1, -0.1].map(Math.fround), name);
  });

  it('follow their definitions', () => {
    const numbers = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 }), { minLength: 1 });
    fc.assert(
      fc.property(numbers, fc.nat(3), (drawn, repeats) => {
        const values = [...drawn, ...drawn.slice(0, repeats)];
        for (const name of aggregators) {
          const [found] = aggregate(
            name,
            values.map((v) => [v]),
          );
          const wanted = definitions[name](values);
          assert.ok(Math.abs(found! - wanted) <= 1e-5, `${name}: ${found} for ${wanted}`);
        }
      }),
    );
  });

  it('do not depend on the order of the samples, and merge exactly', () => {
    const sample = fc.tuple(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.float({ min: -1, max: 1, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(sample, { minLength: 2, maxLength: 40 }), fc.nat(), (samples, cut) => {
        const at = 1 + (cut % (samples.length - 1));
        for (const name of aggregators) {
          const whole = accumulatorFor(name);
          for (const s of samples) whole.add(Float32Array.from(s));
          assert.deepEqual(aggregate(name, samples.toReversed()), [...whole.result()], name);
          const merged = accumulatorFor(name);
          for (const part of [samples.slice(at), samples.slice(0, at).toReversed()]) {
            const accumulator = accumulatorFor(name);
            for (const s of part) accumulator.add(Float32Array.from(s));
            merged.merge(accumulator.state());
          }
          assert.deepEqual(merged.result(), whole.result(), name);
          assert.deepEqual(merged.state(), whole.state(), name);
        }
      }),
    );
  });

  it('the robust ones are not moved by one wild sample', () => {
    const samples = [...Array.from({ length: 200 }, (_, i) => [1 + i / 1000]), [1000]];
    assert.ok(aggregate('mean', samples)[0]! > 5);
    for (const name of ['median', 'mean_no_outliers', 'median_no_outliers', 'hl_estimator'] as const) {
      assert.ok(Math.abs(aggregate(name, samples)[0]! - 1.1) < 0.02, name);
    }
  });

  it('of 3000 samples are exact, those of 20000 within the error of the bounded multiset', () => {
    const r = random(9);
    for (const [count, tolerance] of [
      [3000, 1e-6],
      [20_000, 2 ** -11],
    ] as const) {
      const values = Array.from({ length: count }, () => Math.fround(5 + r.normal()));
      const samples = values.map((v) => [v]);
      for (const name of ['median', 'mean_no_outliers', 'median_no_outliers'] as const) {
        const wanted = definitions[name](values);
        const [found] = aggregate(name, samples);
        assert.ok(Math.abs(found! - wanted) <= tolerance * wanted, `${name} of ${count}: ${found} for ${wanted}`);
      }
      // Half the median of the pairs of normal numbers is their mean within a few standard errors.
      const [estimate] = aggregate('hl_estimator', samples);
      assert.ok(Math.abs(estimate! - 5) < 5 / Math.sqrt(count));
    }
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

  it('refuse samples with another number of channels, and what another aggregator kept', () => {
    for (const name of aggregators) {
      const accumulator = accumulatorFor(name);
      accumulator.add(Float32Array.of(1, 2));
      assert.throws(() => accumulator.add(Float32Array.of(1)), { code: 'ERR_SHAPE_MISMATCH' }, name);
      const other = accumulatorFor(name === 'mean' ? 'max' : 'mean');
      other.add(Float32Array.of(1, 2));
      assert.throws(() => accumulator.merge(other.state()), { code: 'ERR_STATISTICS_INVALID' }, name);
    }
  });
});
