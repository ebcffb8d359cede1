// RangeSupervision under its name, and under its older one.
import * as z from 'zod';
import { defineAlgorithm, subsetParams } from '../definition.ts';
import { createRangeSupervision } from './algorithm.ts';

export const rangeSupervision = defineAlgorithm({
  name: 'RangeSupervision',
  summary: 'clamps activations to what they were seen to be, against flipped bits in memory',
  params: z.strictObject(subsetParams),
  create: () => [createRangeSupervision()],
});

export const ranger = { ...rangeSupervision, name: 'Ranger', summary: 'the older name of RangeSupervision' };
