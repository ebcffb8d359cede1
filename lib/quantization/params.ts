// Scale and zero point of a FakeQuantize, from its limits and back.

import { LowpError } from '../errors/lowp-error.ts';
import { roundHalfToEven } from '../ops/rounding.ts';

/** The integer grid of a value: `real = scale · (q − zeroPoint)` with `0 <= q <= levels − 1`. */
export interface QuantParams {
  readonly levels: number;
  /** One entry, or one for each channel. */
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  /** Largest distance of a real zero from the grid, in steps; 0 when it is represented exactly. */
  readonly zeroResidue: number;
}

/** Limits of a quantizer; one entry, or one for each channel. */
export interface Limits {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/**
 * `scale = (high − low) / (levels − 1)`, `zeroPoint = round(−low / scale)` on the grid `[0, levels − 1]`.
 *
 * @param low, high  one value, or one for each channel (a single one is repeated)
 * @throws {LowpError} `ERR_CONFIG_INVALID` when levels < 2, `ERR_SHAPE_MISMATCH` when the numbers of limits differ,
 *   `ERR_DATA_NOT_FINITE` when a limit is not finite or high <= low
 * @see OpenVINO FakeQuantize-1
 */
export function quantParamsOf(levels: number, low: ArrayLike<number>, high: ArrayLike<number>): QuantParams {
  if (!Number.isInteger(levels) || levels < 2) {
    throw new LowpError('ERR_CONFIG_INVALID', `a quantizer needs at least 2 levels, it has ${levels}`);
  }
  const channels = Math.max(low.length, high.length);
  if ([low.length, high.length].some((n) => n !== channels && n !== 1)) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `${low.length} lower and ${high.length} upper limits do not fit`);
  }
  const scale = new Float32Array(channels);
  const zeroPoint = new Int32Array(channels);
  let zeroResidue = 0;
  for (let c = 0; c < channels; c++) {
    const l = low[low.length === 1 ? 0 : c]!;
    const h = high[high.length === 1 ? 0 : c]!;
    const step = (h - l) / (levels - 1);
    if (!(step > 0) || !Number.isFinite(step)) {
      throw new LowpError('ERR_DATA_NOT_FINITE', `the limits ${l} and ${h} of channel ${c} leave no range`);
    }
    const zero = -l / step;
    const nearest = roundHalfToEven(zero);
    scale[c] = step;
    zeroPoint[c] = nearest;
    zeroResidue = Math.max(zeroResidue, Math.abs(zero - nearest));
  }
  return { levels, scale, zeroPoint, zeroResidue };
}

/** The limits that a grid stands for: `low = −zeroPoint · scale`, `high = (levels − 1 − zeroPoint) · scale`. */
export function limitsOf(params: QuantParams): Limits {
  const { levels, scale, zeroPoint } = params;
  return {
    low: Float32Array.from(scale, (s, c) => -zeroPoint[c]! * s),
    high: Float32Array.from(scale, (s, c) => (levels - 1 - zeroPoint[c]!) * s),
  };
}
