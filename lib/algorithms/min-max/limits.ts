// From extremes to the limits of one quantizer.
import { LowpError } from '../../errors/lowp-error.ts';
import type { QuantizerConfiguration, QuantizerGroup } from '../../quantization/configuration.ts';
import type { Limits } from '../../quantization/params.ts';
import {
  asymmetricLimits,
  type Extremes,
  symmetricActivationLimits,
  symmetricWeightLimits,
  unifiedZeroPointLimits,
} from '../../quantization/ranges.ts';

/** Borders that the limits may not pass: `min` at most 0, `max` at least 0. */
export interface Clipping {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/**
 * Limits by the mode of the configuration. For symmetric modes `extremes.max` holds magnitudes.
 *
 * Extremes are clipped before zero is put on the grid; a border that this moves past the clipping value comes back by
 * scaling both, which keeps the zero point.
 *
 * @throws {LowpError} `ERR_CONFIG_INVALID` for clipping values that leave no room for zero
 */
export function limitsFor(
  configuration: QuantizerConfiguration,
  group: QuantizerGroup,
  extremes: Extremes,
  clipping: Clipping = {},
): Limits {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = clipping;
  if (!(min <= 0 && max >= 0)) {
    const what = `clipping values ${min} and ${max} leave no room for zero`;
    throw new LowpError('ERR_CONFIG_INVALID', `${what}; expected at most 0 for min and at least 0 for max`);
  }
  const within = { min: clip(extremes.min, min, max), max: clip(extremes.max, min, max) };
  return shrink(unclipped(configuration, group, within), min, max);
}

function unclipped(configuration: QuantizerConfiguration, group: QuantizerGroup, extremes: Extremes): Limits {
  const { levels, isSigned, mode, unifiedZeroPoint } = configuration;
  if (mode === 'asymmetric') {
    return unifiedZeroPoint ? unifiedZeroPointLimits(extremes, levels) : asymmetricLimits(extremes, levels);
  }
  if (group === 'weights') return symmetricWeightLimits(extremes.max);
  return symmetricActivationLimits(extremes, levels, isSigned);
}

function clip(values: ArrayLike<number>, min: number, max: number): Float64Array {
  return Float64Array.from(values, (v) => Math.min(Math.max(v, min), max));
}

/** Scales the limits of each channel until both lie within the borders; a border at zero has no say. */
function shrink({ low, high }: Limits, min: number, max: number): Limits {
  const share = (border: number, value: number): number =>
    Number.isFinite(border) && border !== 0 ? Math.min(1, border / value) : 1;
  const factors = high.map((h, c) => {
    const [below, above] = [low[c]! < min ? share(min, low[c]!) : 1, h > max ? share(max, h) : 1];
    return Math.min(below, above);
  });
  return { low: low.map((v, c) => v * factors[c]!), high: high.map((v, c) => v * factors[c]!) };
}
