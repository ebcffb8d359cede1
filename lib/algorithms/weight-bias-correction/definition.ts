// WeightBiasCorrection under its name.
import * as z from 'zod';
import { defineAlgorithm, defined } from '../definition.ts';
import { createWeightBiasCorrection, type WeightBiasCorrectionOptions } from './algorithm.ts';

const params = z.strictObject({
  eps_factor: z.number().positive().optional(),
  /** Not in POT: how the mean is restored. */
  mean: z.enum(['grid', 'limits']).optional(),
});

export const weightBiasCorrection = defineAlgorithm<z.infer<typeof params>>({
  name: 'WeightBiasCorrection',
  summary: 'gives rounded weights the mean and the spread of each channel back',
  params,
  create: ({ eps_factor: epsilon, mean }) => [
    createWeightBiasCorrection(defined<WeightBiasCorrectionOptions>({ epsilon, mean })),
  ],
});
