// Neural processing units.
import { comparingTypes, movingTypes, selectingTypes, transformerTypes } from './operations.ts';
import { choices, type OperationRow, type TargetDescription } from './target.ts';

const tensor8 = choices([8], ['asymmetric'], 'perTensor');
const channel8 = choices([8], ['symmetric'], 'perChannel');
const sharedZero8 = choices([8], ['asymmetric'], 'perChannel', { unifiedZeroPoint: true });
const tensor4 = choices([4], ['symmetric'], 'perTensor');
const channel4 = choices([4], ['symmetric'], 'perChannel');
const channel2 = choices([2], ['symmetric'], 'perChannel');

/** Four bits stand between eight and eight, so that neither the fastest nor the most accurate choice takes them. */
const activations = [...tensor8, ...tensor4, ...tensor8];
const weights = [...channel8, ...channel4, ...channel2, ...sharedZero8];

/** Rows that this generation shares with the one before it. */
export const productAndElementwiseRows: readonly OperationRow[] = [
  { types: ['Convolution', 'GroupConvolution', 'MatMul'], activations, weights },
  { types: ['GroupConvolutionBackpropData'], activations: tensor8, weights },
  { types: ['DepthWiseConvolution'], activations: channel8, weights },
  {
    types: ['Add', 'Multiply', 'Subtract'],
    activations,
    weights: [...channel8, ...tensor4, ...channel8],
    unify: 'all',
  },
  { types: [...comparingTypes, 'Divide'], activations: tensor8, weights: channel8, unify: 'all' },
  { types: ['LogicalNot'], activations: tensor8, weights: channel8 },
  { types: ['Power', 'NormalizeL2', 'Interpolate', 'MVN'], activations: tensor8 },
  { types: ['AvgPool', 'ReduceMean'], activations: channel8 },
  { types: [...selectingTypes], agnostic: true, unify: 'all' },
  { types: [...movingTypes], agnostic: true },
];

export const npu = {
  name: 'NPU',
  summary: 'Neural processing units: both inputs of a sum or a product share one range.',
  operations: [...productAndElementwiseRows, { types: ['Concat'], activations: tensor8, agnostic: true, unify: 'all' }],
  ignoredPatterns: ['clampMultiply', 'selfAttentionGather', 'selfAttention'],
  symmetricProducts: false,
  transformerIgnoredTypes: transformerTypes,
  mixedForAccuracy: false,
  mayOverflow: false,
} satisfies TargetDescription;
