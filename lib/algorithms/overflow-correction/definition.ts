// OverflowCorrection under its name.
import * as z from 'zod';
import { defineAlgorithm, subsetParams } from '../definition.ts';
import { createOverflowCorrection } from './algorithm.ts';

export const overflowCorrection = defineAlgorithm({
  name: 'OverflowCorrection',
  summary: 'makes 16-bit weights smaller where their sums would not fit 32 bits',
  params: z.strictObject(subsetParams),
  create: (_, { largestSum }) => [createOverflowCorrection(largestSum === undefined ? {} : { largestSum })],
});
