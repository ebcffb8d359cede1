// OutlierChannelSplitting under its name.
import * as z from 'zod';
import { defineAlgorithm } from '../definition.ts';
import { createOutlierChannelSplitting } from './algorithm.ts';

const params = z.strictObject({ weights_expansion_ratio: z.number().positive().max(1).optional() });

export const outlierChannelSplitting = defineAlgorithm<z.infer<typeof params>>({
  name: 'OutlierChannelSplitting',
  summary: 'repeats input channels with large weights, and halves these',
  params,
  create: ({ weights_expansion_ratio: expansionRatio }) => [
    createOutlierChannelSplitting(expansionRatio === undefined ? {} : { expansionRatio }),
  ],
});
