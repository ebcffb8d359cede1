// Gaussian and neural accelerators: 16-bit activations, sums of 32 bits.
import { movingTypes, transformerTypes } from './operations.ts';
import { choices, type OperationRow, type QuantizerChoice, type TargetDescription } from './target.ts';

function symmetric(bits: number, levelLow: number, levelHigh: number): QuantizerChoice[] {
  return choices([bits], ['symmetric'], 'perTensor', { levelLow, levelHigh });
}

const activations8 = symmetric(8, -127, 127);
const values16 = symmetric(16, -32768, 32767);
const values32 = symmetric(32, -(2 ** 31), 2 ** 31 - 1);
const weights8 = choices([8], ['symmetric'], 'perChannel', { levelLow: -127, levelHigh: 127 });
const weights16 = symmetric(16, -32767, 32767);

const functionTypes = [
  'Power',
  'Sigmoid',
  'Tanh',
  'ReLU',
  'PReLU',
  'Clamp',
  'Log',
  'Abs',
  'Exp',
  'Sign',
  'SoftSign',
] as const;

/** Rows of all generations. Functions read sums of 32 bits and give 16; nothing unifies scales. */
const commonRows: readonly OperationRow[] = [
  { types: ['MatMul'], activations: values16, weights: [...weights8, ...weights16], outputs: values32 },
  { types: ['Add'], activations: values16, weights: weights16, outputs: values32 },
  { types: functionTypes, activations: values32, outputs: values16, outputPriority: 1 },
  { types: ['AvgPool', 'ReduceMean', 'Assign', 'Result'], activations: values16 },
  { types: ['Parameter'], outputs: values16, outputPriority: 1 },
  { types: [...movingTypes, 'Concat'], agnostic: true },
];

const convolutionTypes = ['Convolution', 'GroupConvolution'] as const;

const common = {
  ignoredPatterns: ['assignResult'],
  symmetricProducts: false,
  transformerIgnoredTypes: transformerTypes,
  mixedForAccuracy: false,
  mayOverflow: false,
  largestSum: 2 ** 31 - 1,
} as const;

/** First and second generation. */
export const gna = {
  ...common,
  name: 'GNA',
  summary: 'Gaussian and neural accelerators: 16-bit activations, 32-bit sums.',
  primaryBits: 16,
  operations: [
    { types: convolutionTypes, activations: values16, weights: weights16, outputs: values32 },
    { types: ['Multiply'], activations: values16, weights: weights16, outputs: values32 },
    { types: ['Subtract'], activations: values16, weights: weights16 },
    ...commonRows,
  ],
} satisfies TargetDescription;

/** Third generation. */
export const gna3 = {
  ...common,
  name: 'GNA3',
  summary: 'As GNA, with 8-bit convolutions.',
  inputPriorityTypes: ['Convolution'],
  operations: [
    {
      types: convolutionTypes,
      activations: [...activations8, ...values16],
      weights: [...weights8, ...weights16],
      outputs: values32,
    },
    { types: ['Multiply'], activations: values16, weights: [...weights8, ...weights16], outputs: values32 },
    { types: ['Subtract'], activations: values16, weights: weights16, outputs: values32 },
    ...commonRows,
  ],
} satisfies TargetDescription;
