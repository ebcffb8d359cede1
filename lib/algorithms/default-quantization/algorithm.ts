// Default quantization: the sequence of algorithms that needs no labels.
import { createActivationChannelAlignment } from '../activation-channel-alignment/algorithm.ts';
import type { Algorithm } from '../algorithm.ts';
import { type BiasCorrectionOptions, createBiasCorrection } from '../bias-correction/algorithm.ts';
import { createFastBiasCorrection, type FastBiasCorrectionOptions } from '../fast-bias-correction/algorithm.ts';
import { createMinMax, type MinMaxOptions } from '../min-max/algorithm.ts';
import { createOverflowCorrection } from '../overflow-correction/algorithm.ts';

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
  /** Largest sum of the device's accumulator; without it sums of 16-bit products are not looked at. */
  readonly largestSum?: number;
}

/** Channel alignment, MinMax quantization, bias correction, and overflow correction where the device needs it. */
export function createDefaultQuantization(options: DefaultQuantizationOptions): Algorithm[] {
  const algorithms: Algorithm[] = [];
  if (options.channelAlignment !== false) algorithms.push(createActivationChannelAlignment());
  algorithms.push(createMinMax(options));
  const method = options.biasCorrection ?? 'fast';
  if (method === 'fast') algorithms.push(createFastBiasCorrection(options.fastBiasCorrection));
  if (method === 'full') algorithms.push(createBiasCorrection(options.fullBiasCorrection));
  const { largestSum } = options;
  if (largestSum !== undefined) algorithms.push(createOverflowCorrection({ largestSum }));
  return algorithms;
}
