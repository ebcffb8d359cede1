import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ExactSums } from '../../lib/statistics/exact-sum.ts';
import { random } from '../../lib/util/random.ts';

const floats = fc.float({ noNaN: true, noDefaultInfinity: true });

function sumsOf(values: readonly number[]): ExactSums {
  const sums = new ExactSums(1);
  for (const v of values) sums.add(Float32Array.of(v));
  return sums;
}

/** The exact mean in units of 2^-149, by integers. */
function meanByIntegers(values: readonly number[]): number {
  let sum = 0n;
  for (const v of values) {
    // Two steps keep the scaled number finite and whole.
    const whole = Math.abs(v) < 1 ? BigInt(v * 2 ** 149) : BigInt(v * 2 ** 23) << 126n;
    sum += whole;
  }
  return Math.fround((Number(sum) * 2 ** -149) / values.length);
}

describe('exact sums', () => {
  it('lose nothing where doubles do', () => {
    assert.deepEqual([...sumsOf([2 ** 100, 1, -(2 ** 100), 2 ** -140]).means(4)], [0.25]);
    const big = Math.fround(3.4e38);
    assert.deepEqual([...sumsOf([big, big, big]).means(3)], [big]);
    const tiny = 2 ** -149;
    assert.deepEqual([...sumsOf([tiny, tiny, tiny]).means(3)], [tiny]);
  });

  it('are the sums of integers, rounded once', () => {
    fc.assert(
      fc.property(fc.array(floats, { minLength: 1, maxLength: 60 }), (values) => {
        assert.equal(sumsOf(values).means(values.length)[0]! + 0, meanByIntegers(values) + 0);
      }),
    );
  });

  it('do not depend on order or grouping, not even in what they keep', () => {
    fc.assert(
      fc.property(fc.array(floats, { maxLength: 40 }), fc.nat(), (values, cut) => {
        const whole = sumsOf(values);
        const at = values.length === 0 ? 0 : cut % values.length;
        const back = sumsOf(values.slice(at).toReversed());
        back.addParts(sumsOf(values.slice(0, at)).parts());
        assert.deepEqual(back.parts(), whole.parts());
      }),
    );
  });

  it('stay exact over more numbers than are added between two carries', () => {
    const r = random(5);
    const values = Float32Array.from({ length: 50_000 }, () => r.normal() * 2 ** r.int(-30, 30));
    const sums = new ExactSums(1);
    for (const v of values) sums.add(Float32Array.of(v));
    assert.equal(sums.means(values.length)[0], meanByIntegers([...values]));
    const most = new ExactSums(1);
    const largest = Float32Array.of(Math.fround(3.4028234e38));
    for (let i = 0; i < 100_000; i++) most.add(largest);
    assert.equal(most.means(100_000)[0], largest[0]);
  });
});
