// Elu: exponential below zero.
import * as z from 'zod';
import { float } from '../attribute.ts';
import { definePointwise } from '../elementwise/pointwise.ts';

/** x > 0 ? x : alpha · (e^x − 1). */
export const elu = definePointwise({
  type: 'Elu',
  attributes: z.object({ alpha: float.default(1) }),
  function: (a) => (x) => (x > 0 ? x : a.alpha * Math.expm1(x)),
  kernel: (a) => ['elu', a.alpha],
});
