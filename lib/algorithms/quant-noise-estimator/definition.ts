// QuantNoiseEstimator under its name.
import * as z from 'zod';
import { defineAlgorithm, defined, subsetParams } from '../definition.ts';
import { createQuantNoiseEstimator, type QuantNoiseOptions } from './algorithm.ts';
import { noiseModes, noiseTypes } from './noise.ts';

const params = z.strictObject({
  ...subsetParams,
  mode: z.enum(noiseModes).optional(),
  type: z.enum(noiseTypes).optional(),
  eps: z.number().positive().optional(),
});

export const quantNoiseEstimator = defineAlgorithm<z.infer<typeof params>>({
  name: 'QuantNoiseEstimator',
  summary: 'measures the noise of quantization behind each product; changes nothing',
  params,
  create: ({ mode, type, eps }) => [
    createQuantNoiseEstimator(defined<QuantNoiseOptions>({ mode, type, epsilon: eps })),
  ],
});
