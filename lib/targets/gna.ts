// Gaussian and neural accelerators: 16-bit activations. Known by name; quantization for them is refused.
import { movingTypes } from './operations.ts';
import { choices, type TargetDescription } from './target.ts';

const activations16 = choices([16], ['symmetric'], 'perTensor', { levelLow: -32768, levelHigh: 32767 });
const outputs16 = activations16;
const wide32 = choices([32], ['symmetric'], 'perTensor', { levelLow: -(2 ** 31), levelHigh: 2 ** 31 - 1 });
const weights8 = choices([8], ['symmetric'], 'perChannel', { levelLow: -127, levelHigh: 127 });
const weights16 = choices([16], ['symmetric'], 'perTensor', { levelLow: -32767, levelHigh: 32767 });

const reason = 'quantization to 16 bits for GNA is not available; choose CPU, ANY, GPU, NPU or VPU';

/** First and second generation. */
export const gna = {
  name: 'GNA',
  summary: 'Gaussian and neural accelerators: 16-bit activations, 32-bit sums.',
  primaryBits: 16,
  operations: [
    { types: ['Convolution', 'Add', 'Multiply'], activations: activations16, weights: weights16, outputs: wide32 },
    { types: ['MatMul'], activations: activations16, weights: [...weights8, ...weights16], outputs: wide32 },
    { types: ['Subtract'], activations: activations16, weights: weights16 },
    {
      types: ['Power', 'Sigmoid', 'Tanh', 'ReLU', 'PReLU', 'Clamp', 'Log', 'Abs', 'Exp', 'Sign', 'SoftSign'],
      activations: wide32,
      outputs: outputs16,
    },
    { types: ['AvgPool', 'ReduceMean', 'Assign', 'Result'], activations: activations16 },
    { types: ['Parameter'], outputs: outputs16 },
    { types: [...movingTypes, 'Concat'], agnostic: true },
  ],
  ignoredPatterns: [],
  symmetricProducts: false,
  transformerIgnoredTypes: [],
  mixedForAccuracy: false,
  mayOverflow: false,
  unsupported: reason,
} satisfies TargetDescription;

/** Third generation: 8-bit activations of convolutions. */
export const gna3 = { ...gna, name: 'GNA3', summary: 'As GNA, with 8-bit convolutions.' } satisfies TargetDescription;
