import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type LeastErrorGrid, leastErrorRange } from '../../lib/quantization/least-error.ts';
import { floatBin, floatBins } from '../../lib/util/float-bins.ts';
import { random } from '../../lib/util/random.ts';

interface Range {
  readonly min: number;
  readonly max: number;
}

function extremes(numbers: readonly number[]): { least: number; greatest: number } {
  return { least: Math.min(...numbers), greatest: Math.max(...numbers) };
}

function rangeOf(numbers: readonly number[], grid: LeastErrorGrid): Range {
  const counts = new Float32Array(floatBins);
  for (const x of numbers) counts[floatBin(x)]!++;
  return leastErrorRange(counts, extremes(numbers), grid);
}

/** The squared error of rounding each number. */
function errorOf(numbers: readonly number[], { min, max }: Range, levels: number): number {
  const step = (max - min) / (levels - 1);
  const zero = Math.round(-min / step);
  return numbers.reduce((sum, x) => {
    const level = Math.min(levels - 1, Math.max(0, Math.round(x / step) + zero));
    return sum + ((level - zero) * step - x) ** 2;
  }, 0);
}

const byte = { levels: 256, isTwoSided: false };
/** Distributions as activations have them, each over some octaves. */
const shapes: Readonly<Record<string, (normal: number, uniform: number) => number>> = {
  normal: (n) => n,
  rectified: (n) => Math.max(0, n),
  'heavy tails': (n, u) => n / (0.05 + u),
  skewed: (n, u) => Math.exp(2 * n) - 0.3 * u,
  uniform: (_, u) => 3 * u - 1,
};

describe('the range with the least error', () => {
  it('is about as good as the best of many, measured by rounding every number', () => {
    for (const [name, shape] of Object.entries(shapes)) {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 1000 }), fc.boolean(), (seed, two) => {
          const levels = 256;
          const r = random(seed);
          const numbers = Array.from({ length: 3000 }, () => Math.fround(shape(r.normal(), r.next())));
          const { least, greatest } = extremes(numbers);
          const widest = two ? Math.max(greatest, -least) : Math.max(0, greatest);
          let best = Number.POSITIVE_INFINITY;
          for (let i = 1; i <= 40; i++)
            for (let j = 1; j <= (two ? 1 : 40); j++) {
              const [max, min] = [(widest * i) / 40, two ? (-widest * i) / 40 : (Math.min(0, least) * j) / 40];
              best = Math.min(best, errorOf(numbers, { min, max }, levels));
            }
          const found = errorOf(numbers, rangeOf(numbers, { levels, isTwoSided: two }), levels);
          assert.ok(found <= 1.1 * best, `${name}: ${found}, the best range has ${best}`);
        }),
        { numRuns: 10 },
      );
    }
  });

  it('gives up a rare number that lies far out, in proportion to the others', () => {
    const many = Array.from({ length: 100_000 }, (_, i) => i / 100_000);
    const few = many.filter((_, i) => i % 1000 === 0);
    const [cut, kept] = [rangeOf([...many, 2], byte), rangeOf([...few, 2], byte)];
    assert.ok(cut.max < 1.8, `${cut.max}`);
    assert.ok(kept.max > 1.9, `${kept.max}`);
    assert.equal(cut.min, 0);
  });

  it('holds everything when the grid is fine', () => {
    const r = random(3);
    const numbers = Array.from({ length: 5000 }, () => Math.fround(r.normal()));
    const { min, max } = rangeOf(numbers, { levels: 65536, isTwoSided: false });
    const { least, greatest } = extremes(numbers);
    assert.deepEqual([min, max], [least, greatest]);
  });

  it('holds zero, whatever is observed', () => {
    assert.deepEqual(rangeOf([3, 4, 5], byte).min, 0);
    assert.equal(rangeOf([-3, -4], byte).max, 0);
    assert.equal(rangeOf([0, 0], byte).max, 0);
    const { min, max } = rangeOf([0.5, 1], { levels: 256, isTwoSided: true });
    assert.equal(min, -max);
  });

  it('takes the largest numbers that floats have', () => {
    const { min, max } = rangeOf([3.4e38, -3.4e38, 1, 2], byte);
    assert.ok(Number.isFinite(min) && Number.isFinite(max) && max > 1e38, `${min} … ${max}`);
  });
});
