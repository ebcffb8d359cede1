// Sigmoid: the logistic function.
import { noAttributes } from '../attribute.ts';
import { definePointwise } from '../elementwise/pointwise.ts';

/** 1 / (1 + e^−x), without overflow at either end. */
export function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

export const sigmoid = definePointwise({
  type: 'Sigmoid',
  attributes: noAttributes,
  function: () => logistic,
  kernel: () => ['sigmoid'],
  quantization: { quantizedPorts: [0] },
});
