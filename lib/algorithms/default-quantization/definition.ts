// DefaultQuantization under its name: the parameters of all its parts.
import * as z from 'zod';
import { fullBiasOptions } from '../bias-correction/definition.ts';
import { defineAlgorithm } from '../definition.ts';
import { type BiasParams, biasParams, fastBiasOptions } from '../fast-bias-correction/definition.ts';
import { type MinMaxParams, minMaxOptions, minMaxParams } from '../min-max/definition.ts';
import { createDefaultQuantization } from './algorithm.ts';

const own = {
  use_fast_bias: z.boolean().optional(),
  /** Not in POT: leave one of the parts out. */
  channel_alignment: z.boolean().optional(),
  bias_correction: z.boolean().optional(),
};

type DefaultQuantizationParams = MinMaxParams & BiasParams & z.infer<z.ZodObject<typeof own>>;

export const defaultQuantization = defineAlgorithm<DefaultQuantizationParams>({
  name: 'DefaultQuantization',
  summary: 'channel alignment, ranges, bias correction: quantization without labels',
  params: z.strictObject({ ...minMaxParams, ...biasParams, ...own }),
  create: (params, shared) =>
    createDefaultQuantization({
      ...minMaxOptions(params, shared),
      ...(params.channel_alignment === undefined ? {} : { channelAlignment: params.channel_alignment }),
      ...(shared.largestSum === undefined ? {} : { largestSum: shared.largestSum }),
      biasCorrection: params.bias_correction === false ? 'no' : params.use_fast_bias === false ? 'full' : 'fast',
      fastBiasCorrection: fastBiasOptions(params),
      fullBiasCorrection: fullBiasOptions(params),
    }),
});
