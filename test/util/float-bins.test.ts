import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { floatBin, floatBinEdges, floatBins } from '../../lib/util/float-bins.ts';

describe('bins of floats', () => {
  it('hold the numbers between their edges, an eighth of an octave wide', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const bin = floatBin(value);
        assert.ok(bin >= 0 && bin < floatBins);
        const [low, high] = floatBinEdges(bin)!;
        if (Math.abs(value) < 2 ** -126) assert.deepEqual([low, high], [0, 0]);
        else assert.ok(value > 0 ? value >= low && value < high : value > low && value <= high, `${low} … ${high}`);
        if (high !== 0 && low !== 0) assert.ok(Math.max(low / high, high / low) <= 9 / 8);
      }),
    );
  });

  it('of what is no number have no edges', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      assert.equal(floatBinEdges(floatBin(value)), undefined);
  });

  it('have edges by hand', () => {
    assert.deepEqual(floatBinEdges(floatBin(1)), [1, 1.125]);
    assert.deepEqual(floatBinEdges(floatBin(-3)), [-3.25, -3]);
    assert.deepEqual(floatBinEdges(floatBin(-0)), [0, 0]);
  });
});
