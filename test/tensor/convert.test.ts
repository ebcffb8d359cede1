import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromFloat64, toFloat64 } from '../../lib/tensor/convert.ts';

describe('64-bit integers', () => {
  it('become the nearest doubles', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const unsigned = BigInt.asUintN(64, value);
        const data = BigInt64Array.of(0n, value);
        assert.deepEqual([...toFloat64({ type: 'i64', shape: [2], data })], [0, Number(value)]);
        const words = BigUint64Array.of(0n, unsigned).subarray(1);
        assert.deepEqual([...toFloat64({ type: 'u64', shape: [1], data: words })], [Number(unsigned)]);
      }),
    );
  });

  it('are made of doubles by truncation and saturate; what is no number becomes zero', () => {
    const doubles = fc.oneof(
      fc.double({ min: -(2 ** 63), max: 2 ** 63, maxExcluded: true, noNaN: true }),
      fc.integer(),
    );
    fc.assert(
      fc.property(doubles, (value) => {
        const whole = BigInt(Math.trunc(value));
        assert.deepEqual([...fromFloat64(Float64Array.of(value), [1], 'i64').data], [whole]);
        const positive = whole < 0n ? 0n : whole;
        assert.deepEqual([...fromFloat64(Float64Array.of(value), [1], 'u64').data], [positive]);
      }),
    );
    const made = (type: 'i64' | 'u64') => [
      ...fromFloat64(Float64Array.of(2 ** 64, -(2 ** 64), NaN, Infinity), [4], type).data,
    ];
    assert.deepEqual(made('i64'), [2n ** 63n - 1n, -(2n ** 63n), 0n, 2n ** 63n - 1n]);
    assert.deepEqual(made('u64'), [2n ** 64n - 1n, 0n, 0n, 2n ** 64n - 1n]);
  });
});
