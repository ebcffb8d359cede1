// ReLU: negative elements become zero.
import { noAttributes } from '../attribute.ts';
import { definePointwise } from '../elementwise/pointwise.ts';

/** max(0, x). */
export const relu = definePointwise({
  type: 'ReLU',
  attributes: noAttributes,
  function: () => (x) => Math.max(x, 0),
  kernel: () => ['clamp', 0, Number.POSITIVE_INFINITY],
  asPostOp: () => ({ kind: 'clamp', low: 0, high: Number.POSITIVE_INFINITY }),
  quantization: { quantizedPorts: [0] },
});
