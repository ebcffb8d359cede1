// FastBiasCorrection under its name.
import * as z from 'zod';
import { defineAlgorithm, defined, subsetParams } from '../definition.ts';
import { createFastBiasCorrection, type FastBiasCorrectionOptions } from './algorithm.ts';

/** Parameters that both bias corrections have. `threshold` may be the word `inf`. */
export const biasParams = {
  ...subsetParams,
  threshold: z.union([z.number().min(0), z.literal('inf').transform(() => Number.POSITIVE_INFINITY)]).optional(),
  apply_for_all_nodes: z.boolean().optional(),
  /** Not in POT: let the error of rounded activations be part of what is corrected. */
  activation_error: z.boolean().optional(),
};

export type BiasParams = z.infer<z.ZodObject<typeof biasParams>>;

/** The options that parameters stand for. */
export function fastBiasOptions(params: BiasParams & { method?: 'shift' | 'replace' | undefined }) {
  return defined<FastBiasCorrectionOptions>({
    threshold: params.threshold,
    applyForAll: params.apply_for_all_nodes,
    activationError: params.activation_error,
    method: params.method,
  });
}

export const fastBiasCorrection = defineAlgorithm<BiasParams & { method?: 'shift' | 'replace' | undefined }>({
  name: 'FastBiasCorrection',
  summary: 'takes the mean error of each product by itself out of its bias',
  params: z.strictObject({ ...biasParams, method: z.enum(['shift', 'replace']).optional() }),
  create: (params) => [createFastBiasCorrection(fastBiasOptions(params))],
});
