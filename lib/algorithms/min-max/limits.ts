// From extremes to the limits of one quantizer.
import type { QuantizerConfiguration, QuantizerGroup } from '../../quantization/configuration.ts';
import type { Limits } from '../../quantization/params.ts';
import {
  asymmetricLimits,
  type Extremes,
  symmetricActivationLimits,
  symmetricWeightLimits,
  unifiedZeroPointLimits,
} from '../../quantization/ranges.ts';

/** Greatest distance of the borders from zero. */
export interface Clipping {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** Limits by the mode of the configuration, then clipped. For symmetric modes `extremes.max` holds magnitudes. */
export function limitsFor(
  configuration: QuantizerConfiguration,
  group: QuantizerGroup,
  extremes: Extremes,
  clipping: Clipping = {},
): Limits {
  return clip(unclipped(configuration, group, extremes), clipping);
}

function unclipped(configuration: QuantizerConfiguration, group: QuantizerGroup, extremes: Extremes): Limits {
  const { levels, isSigned, mode, unifiedZeroPoint } = configuration;
  if (mode === 'asymmetric') {
    return unifiedZeroPoint ? unifiedZeroPointLimits(extremes, levels) : asymmetricLimits(extremes, levels);
  }
  if (group === 'weights') return symmetricWeightLimits(extremes.max);
  return symmetricActivationLimits(extremes, levels, isSigned);
}

function clip(limits: Limits, clipping: Clipping): Limits {
  const { min, max } = clipping;
  return {
    low: min === undefined ? limits.low : limits.low.map((v) => Math.max(v, min)),
    high: max === undefined ? limits.high : limits.high.map((v) => Math.min(v, max)),
  };
}
