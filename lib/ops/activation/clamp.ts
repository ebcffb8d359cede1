// Clamp: limits elements to a range.
import * as z from 'zod';
import { isFloat } from '../../tensor/element-type.ts';
import { float } from '../attribute.ts';
import { definePointwise } from '../elementwise/pointwise.ts';

const attributes = z
  .object({ min: float, max: float })
  .refine((a) => a.min <= a.max, { message: 'min must not be greater than max', path: ['min'] });

/** min(max(x, min), max); for whole numbers the limits are ceil(min) and floor(max). */
export const clamp = definePointwise({
  type: 'Clamp',
  attributes,
  function: (a, type) => {
    const low = isFloat(type) ? a.min : Math.ceil(a.min);
    const high = isFloat(type) ? a.max : Math.floor(a.max);
    return (x) => Math.min(Math.max(x, low), high);
  },
  kernel: (a) => ['clamp', a.min, a.max],
  asPostOp: (a) => ({ kind: 'clamp', low: a.min, high: a.max }),
  quantization: { quantizedPorts: [0] },
});
