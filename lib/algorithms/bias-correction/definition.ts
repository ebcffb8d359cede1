// BiasCorrection under its name.
import * as z from 'zod';
import { defineAlgorithm, defined } from '../definition.ts';
import { type BiasParams, biasParams } from '../fast-bias-correction/definition.ts';
import { type BiasCorrectionOptions, createBiasCorrection } from './algorithm.ts';

/** The options that parameters stand for. */
export function fullBiasOptions(params: BiasParams): BiasCorrectionOptions {
  return defined<BiasCorrectionOptions>({
    threshold: params.threshold,
    applyForAll: params.apply_for_all_nodes,
    activationError: params.activation_error,
  });
}

export const biasCorrection = defineAlgorithm<BiasParams>({
  name: 'BiasCorrection',
  summary: 'takes the mean error out of each bias in order, with what is left of earlier errors',
  params: z.strictObject(biasParams),
  create: (params) => [createBiasCorrection(fullBiasOptions(params))],
});
