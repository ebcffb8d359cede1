import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { asBytes, fromFloat64, integerRange, toFloat64 } from '../../lib/tensor/convert.ts';
import { bitsOf, type ElementType } from '../../lib/tensor/element-type.ts';

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

describe('elements narrower than a byte', () => {
  const ranges = { u1: [0, 1], u2: [0, 3], i2: [-2, 1], u3: [0, 7], u4: [0, 15], i4: [-8, 7], u6: [0, 63] } as const;

  it('lie from the lowest bits up, those of three and six bits across bytes; u1 from the highest bit down', () => {
    const data = (type: ElementType, values: number[]) => [
      ...(fromFloat64(Float64Array.from(values), [values.length], type).data as Uint8Array),
    ];
    assert.deepEqual(data('u3', [0, 1, 2, 3, 4, 5, 6, 7]), [0x88, 0xc6, 0xfa]);
    assert.deepEqual(data('u6', [1, 62, 33, 20]), [0x81, 0x1f, 0x52]);
    assert.deepEqual(data('u6', [1, 62]), [0x81, 0x0f]);
    assert.deepEqual(data('u4', [1, 2, 3]), [0x21, 0x03]);
    assert.deepEqual(data('i4', [-1, 7]), [0x7f]);
    assert.deepEqual(data('u2', [0, 1, 2, 3]), [0b11_10_01_00]);
    assert.deepEqual(data('u1', [1, 0, 1]), [0b1010_0000]);
  });

  it('hold whole numbers of their range, and saturate', () => {
    const cases = fc.record({
      type: fc.constantFrom(...(Object.keys(ranges) as (keyof typeof ranges)[])),
      values: fc.array(fc.integer({ min: -100, max: 100 }), { maxLength: 30 }),
    });
    fc.assert(
      fc.property(cases, ({ type, values }) => {
        const [low, high] = ranges[type];
        assert.deepEqual(integerRange(type), [low, high]);
        const t = fromFloat64(Float64Array.from(values), [values.length], type);
        assert.equal(t.data.length, Math.ceil((values.length * bitsOf(type)) / 8));
        const expected = values.map((v) => Math.min(high, Math.max(low, v)));
        assert.deepEqual([...toFloat64(t)], expected);
        const bytes = asBytes(t);
        assert.deepEqual([bytes.type, [...bytes.data]], [low < 0 ? 'i8' : 'u8', expected]);
      }),
    );
  });
});

describe('nf4', () => {
  const data = Uint8Array.from({ length: 8 }, (_, i) => (2 * i) | ((2 * i + 1) << 4));
  const numbers = toFloat64({ type: 'nf4', shape: [16], data });

  it('has 16 ascending numbers from -1 to 1, zero among them, quantiles of the normal distribution', () => {
    assert.deepEqual([numbers[0], numbers[7], numbers[15]], [-1, 0, 1]);
    for (let i = 1; i < 16; i++) assert.ok(numbers[i - 1]! < numbers[i]!);
    assert.deepEqual(
      [...numbers].map((v) => Math.round(v * 1e4) / 1e4),
      [
        -1, -0.6962, -0.5251, -0.3949, -0.2844, -0.1848, -0.0911, 0, 0.0796, 0.1609, 0.2461, 0.3379, 0.4407, 0.5626,
        0.723, 1,
      ],
    );
  });

  it('takes the nearest number, of two as near the lower one; what is no number becomes zero', () => {
    const nearest = (v: number) => toFloat64(fromFloat64(Float64Array.of(v), [1], 'nf4'))[0];
    for (const v of numbers) assert.equal(nearest(v), v);
    for (let i = 1; i < 16; i++) {
      const middle = (numbers[i - 1]! + numbers[i]!) / 2;
      assert.deepEqual([nearest(middle), nearest(middle + 1e-9)], [numbers[i - 1], numbers[i]]);
    }
    assert.deepEqual([nearest(7), nearest(-Infinity), nearest(NaN)], [1, -1, 0]);
  });
});
