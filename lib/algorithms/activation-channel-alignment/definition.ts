// ActivationChannelAlignment under its name.
import * as z from 'zod';
import { defineAlgorithm, subsetParams } from '../definition.ts';
import { createActivationChannelAlignment } from './algorithm.ts';

export const activationChannelAlignment = defineAlgorithm({
  name: 'ActivationChannelAlignment',
  summary: 'gives the channels between two products similar ranges',
  params: z.strictObject(subsetParams),
  create: () => [createActivationChannelAlignment()],
});
