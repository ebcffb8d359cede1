// Default quantization: the sequence of algorithms that needs no labels.
import type { Algorithm } from '../algorithm.ts';
import { createFastBiasCorrection, type FastBiasCorrectionOptions } from '../fast-bias-correction/algorithm.ts';
import { createMinMax, type MinMaxAlgorithm, type MinMaxOptions } from '../min-max/algorithm.ts';

/** Options of all its parts. */
export interface DefaultQuantizationOptions extends MinMaxOptions {
  /** Default true. */
  readonly biasCorrection?: boolean;
  readonly fastBiasCorrection?: FastBiasCorrectionOptions;
}

/** MinMax quantization, then fast bias correction unless it is switched off. */
export function createDefaultQuantization(options: DefaultQuantizationOptions): {
  readonly minMax: MinMaxAlgorithm;
  readonly algorithms: readonly Algorithm[];
} {
  const minMax = createMinMax(options);
  if (options.biasCorrection === false) return { minMax, algorithms: [minMax] };
  return { minMax, algorithms: [minMax, createFastBiasCorrection(options.fastBiasCorrection)] };
}
