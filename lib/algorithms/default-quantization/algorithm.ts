// Default quantization: the sequence of algorithms that needs no labels.
import { createActivationChannelAlignment } from '../activation-channel-alignment/algorithm.ts';
import type { Algorithm } from '../algorithm.ts';
import { type BiasCorrectionOptions, createBiasCorrection } from '../bias-correction/algorithm.ts';
import { createFastBiasCorrection, type FastBiasCorrectionOptions } from '../fast-bias-correction/algorithm.ts';
import { createMinMax, type MinMaxAlgorithm, type MinMaxOptions } from '../min-max/algorithm.ts';

/** How the mean error of rounding is taken out of biases. */
export type BiasMethod = 'fast' | 'full' | 'no';

export const biasMethods = ['fast', 'full', 'no'] as const satisfies readonly BiasMethod[];

/** Options of all its parts. */
export interface DefaultQuantizationOptions extends MinMaxOptions {
  /** Align channels between products and convolutions first. Default true. */
  readonly channelAlignment?: boolean;
  /**
   * `fast` (default): every product by itself, from the means of its data. `full`: one after another on some of the
   * samples, with the errors that are left of earlier ones. `no`: not at all.
   */
  readonly biasCorrection?: BiasMethod;
  readonly fastBiasCorrection?: FastBiasCorrectionOptions;
  readonly fullBiasCorrection?: BiasCorrectionOptions;
}

/** Channel alignment, MinMax quantization, and bias correction. */
export function createDefaultQuantization(options: DefaultQuantizationOptions): {
  readonly minMax: MinMaxAlgorithm;
  readonly algorithms: readonly Algorithm[];
} {
  const minMax = createMinMax(options);
  const algorithms: Algorithm[] = [];
  if (options.channelAlignment !== false) algorithms.push(createActivationChannelAlignment());
  algorithms.push(minMax);
  const method = options.biasCorrection ?? 'fast';
  if (method === 'fast') algorithms.push(createFastBiasCorrection(options.fastBiasCorrection));
  if (method === 'full') algorithms.push(createBiasCorrection(options.fullBiasCorrection));
  return { minMax, algorithms };
}
