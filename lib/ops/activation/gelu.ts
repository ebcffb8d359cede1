// Gelu, both revisions: x weighted with the normal distribution function.
import * as z from 'zod';
import { enumeration, noAttributes } from '../attribute.ts';
import { erf } from '../elementwise/error-function.ts';
import { definePointwise } from '../elementwise/pointwise.ts';

const exact = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));

const approximate = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));

/** ½ x (1 + erf(x / √2)). */
export const gelu2 = definePointwise({
  type: 'Gelu',
  opset: 'opset2',
  attributes: noAttributes,
  function: () => exact,
  kernel: () => ['gelu'],
});

/** As Gelu-2, or with `tanh`: ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))). */
export const gelu7 = definePointwise({
  type: 'Gelu',
  opset: 'opset7',
  attributes: z.object({ approximation_mode: enumeration(['erf', 'tanh']).default('erf') }),
  function: (a) => (a.approximation_mode === 'erf' ? exact : approximate),
  kernel: (a) => (a.approximation_mode === 'erf' ? ['gelu'] : ['geluTanh']),
});
