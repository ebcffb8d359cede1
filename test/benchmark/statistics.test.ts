import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { median, quantile, ratioInterval, summarize } from '../../lib/benchmark/statistics.ts';

test('quantiles are interpolated between sorted values', () => {
  assert.equal(quantile([1, 2, 3, 4], 0), 1);
  assert.equal(quantile([1, 2, 3, 4], 1), 4);
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5);
  assert.equal(quantile([10, 20], 0.9), 19);
  assert.equal(quantile([7], 0.99), 7);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('a summary does not depend on the order and is sorted itself', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.001, max: 1000, noNaN: true }), { minLength: 1, maxLength: 50 }),
      (values) => {
        const s = summarize(values);
        assert.deepEqual(summarize(values.toReversed()), { ...s, mean: summarize(values.toReversed()).mean });
        assert.ok(s.min <= s.median && s.median <= s.p90 && s.p90 <= s.p95 && s.p95 <= s.p99);
        assert.ok(s.mean >= s.min && s.mean <= Math.max(...values) * (1 + 1e-12));
        assert.equal(s.median, median(values));
      },
    ),
    { seed: 5 },
  );
});

test('the interval of a constant ratio is that ratio', () => {
  assert.deepEqual(ratioInterval([4, 4, 4], [2, 2, 2]), [2, 2]);
});

test('rounds are compared pair by pair: a change of the machine that meets both does not widen the interval', () => {
  const a = [10, 20, 30, 40, 50];
  const b = a.map((v) => v / 2);
  assert.deepEqual(ratioInterval(a, b), [2, 2]);
  const [low, high] = ratioInterval([10, 11, 12, 9, 10], [5, 6, 4, 5, 5]);
  assert.ok(low < 2 && high > 2 && low > 1 && high < 4);
});

test('the interval is the same every time', () => {
  assert.deepEqual(ratioInterval([1, 2, 3, 4], [2, 1, 4, 3]), ratioInterval([1, 2, 3, 4], [2, 1, 4, 3]));
});
