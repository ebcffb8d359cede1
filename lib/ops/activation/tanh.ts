// Tanh: the hyperbolic tangent.
import { noAttributes } from '../attribute.ts';
import { definePointwise } from '../elementwise/pointwise.ts';

export const tanh = definePointwise({
  type: 'Tanh',
  attributes: noAttributes,
  function: () => Math.tanh,
  kernel: () => ['tanh'],
  quantization: { quantizedPorts: [0] },
});
