// x86-64 processors with 8-bit products.
import { comparingTypes, movingTypes, selectingTypes, transformerTypes } from './operations.ts';
import { choices, type OperationRow, type TargetDescription } from './target.ts';

const activations = choices([8], ['symmetric', 'asymmetric'], 'perTensor');
const channelActivations = choices([8], ['symmetric', 'asymmetric'], 'perChannel');
const symmetricWeights = choices([8], ['symmetric'], 'perChannel', { levelLow: -127, levelHigh: 127 });
const weights = [...symmetricWeights, ...choices([8], ['asymmetric'], 'perChannel')];

/** Rows that processors and GPUs have in common. */
export const commonRows: readonly OperationRow[] = [
  {
    types: ['Convolution', 'GroupConvolution', 'ConvolutionBackpropData', 'MatMul'],
    activations,
    weights,
  },
  { types: ['DepthWiseConvolution'], activations: channelActivations, weights },
  { types: ['Add', 'Multiply', 'Subtract', 'Divide', 'LogicalNot', ...comparingTypes], activations, weights },
  { types: ['Power', 'AvgPool', 'NormalizeL2', 'ReduceMean', 'Interpolate', 'MVN'], activations },
  { types: ['Concat'], agnostic: true, unify: 'all' },
  { types: [...movingTypes, ...selectingTypes, 'Gather'], agnostic: true },
];

/** Rows of recurrent sequences: input, state and the two weights. */
const sequenceRows: readonly OperationRow[] = [
  {
    types: ['LSTMSequence'],
    activations,
    weights: symmetricWeights,
    unify: [
      [0, 1],
      [4, 5],
    ],
  },
  {
    types: ['GRUSequence'],
    activations,
    weights: symmetricWeights,
    unify: [
      [0, 1],
      [3, 4],
    ],
  },
];

/** Every x86-64 processor. */
export const cpu = {
  name: 'CPU',
  summary: 'x86-64 processors: 8-bit activations, 8-bit weights with one scale per output channel.',
  operations: [...commonRows, ...sequenceRows],
  ignoredPatterns: ['fusedScaleShift', 'fusedEltwise', 'clampMultiply', 'selfAttentionGather', 'selfAttention'],
  symmetricProducts: true,
  transformerIgnoredTypes: transformerTypes,
  mixedForAccuracy: true,
  mayOverflow: true,
} satisfies TargetDescription;

/** The table of `CPU`, for models that may run anywhere. */
export const any = { ...cpu, name: 'ANY', summary: 'Any device: the table of CPU.' } satisfies TargetDescription;

/** Xeon processors with matrix tiles (Sapphire Rapids). */
export const cpuSpr = {
  ...cpu,
  name: 'CPU_SPR',
  summary: 'Processors with AMX: as CPU; one input of a residual sum stays in floating point.',
  ignoredPatterns: ['fusedScaleShift', 'fusedEltwise', 'clampMultiply', 'selfAttention'],
  transformerIgnoredTypes: transformerTypes.filter((type) => type !== 'Multiply'),
  mayOverflow: false,
  fusesSums: true,
} satisfies TargetDescription;
