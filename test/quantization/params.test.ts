import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { roundHalfToEven } from '../../lib/ops/rounding.ts';
import { limitsOf, quantParamsOf } from '../../lib/quantization/params.ts';

describe('quantParamsOf', () => {
  it('reads an unsigned range', () => {
    const { scale, zeroPoint, zeroResidue } = quantParamsOf(256, [0], [2.55]);
    assert.ok(Math.abs(scale[0]! - 0.01) < 1e-8);
    assert.deepEqual([zeroPoint[0], zeroResidue], [0, 0]);
  });

  it('reads a symmetric signed range with the zero in the middle', () => {
    const { scale, zeroPoint, zeroResidue } = quantParamsOf(256, [(-127 * 256) / 254], [127]);
    assert.ok(Math.abs(scale[0]! - 1) < 1e-6);
    assert.equal(zeroPoint[0], 128);
    assert.ok(zeroResidue < 1e-9);
  });

  it('reads one range for each channel and repeats a single limit', () => {
    const { scale, zeroPoint } = quantParamsOf(256, [0], [255, 510]);
    assert.deepEqual([...scale], [1, 2]);
    assert.deepEqual([...zeroPoint], [0, 0]);
  });

  it('tells how far zero is from the grid', () => {
    assert.ok(Math.abs(quantParamsOf(256, [-0.4], [254.6]).zeroResidue - 0.4) < 1e-6);
  });

  it('is undone by limitsOf when zero is on the grid', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.double({ min: 1e-4, max: 10, noNaN: true }), (zero, step) => {
        const low = -zero * step;
        const high = (255 - zero) * step;
        const limits = limitsOf(quantParamsOf(256, [low], [high]));
        assert.ok(Math.abs(limits.low[0]! - low) <= 1e-5 * step * 256);
        assert.ok(Math.abs(limits.high[0]! - high) <= 1e-5 * step * 256);
      }),
    );
  });

  for (const [what, levels, low, high, code] of [
    ['one level', 1, [0], [1], 'ERR_CONFIG_INVALID'],
    ['limits of different numbers', 256, [0, 0], [1, 1, 1], 'ERR_SHAPE_MISMATCH'],
    ['an empty range', 256, [1], [1], 'ERR_DATA_NOT_FINITE'],
    ['an infinite limit', 256, [0], [Number.POSITIVE_INFINITY], 'ERR_DATA_NOT_FINITE'],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => quantParamsOf(levels, low, high),
        (e) => e instanceof LowpError && e.code === code,
      );
    });
  }
});

describe('roundHalfToEven', () => {
  it('sends ties to the even neighbour, on both sides of zero', () => {
    assert.deepEqual(
      [0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 2.6].map((v) => roundHalfToEven(v)).map((v) => v + 0),
      [0, 2, 2, 0, -2, 2, 3],
    );
  });
});
