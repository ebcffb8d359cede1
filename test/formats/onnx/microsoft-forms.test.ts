// Operators that ONNX Runtime fuses, and those that it has in forms of its own.
import { tensor } from '../../../lib/tensor/tensor.ts';
import { floats, microsoft, type OperatorCase, one, testAgreement } from '../../support/microsoft.ts';
import { node } from '../../support/onnx.ts';

const image = floats([1, 4, 6, 6], 1);
const last = floats([1, 6, 6, 4], 1);
const toFirst = { perm: [0n, 3n, 1n, 2n] };
const toLast = { perm: [0n, 2n, 3n, 1n] };
const gemm = { a: floats([3, 5], 1), b: floats([5, 4], 2), c: floats([4], 3) };

/** GroupNorm of two groups of four channels, which are last, and a Swish, by ONNX's own operators. */
const grouped = [
  node('Transpose', ['sum'], ['first'], toFirst),
  node('Reshape', ['first', 'groups'], ['split']),
  node('InstanceNormalization', ['split', 'ones', 'zeros'], ['normal'], { epsilon: 1e-5 }),
  node('Reshape', ['normal', 'shape'], ['whole']),
  node('Transpose', ['whole'], ['last'], toLast),
  node('Mul', ['last', 'scale'], ['scaled']),
  node('Add', ['scaled', 'bias'], ['affine']),
  node('Sigmoid', ['affine'], ['share']),
  node('Mul', ['affine', 'share'], ['y']),
];

const groupConstants = {
  groups: tensor('i64', [3], [1, 2, 72]),
  shape: tensor('i64', [4], [1, 4, 6, 6]),
  ones: tensor('f32', [2], [1, 1]),
  zeros: tensor('f32', [2], [0, 0]),
};

const affine = { scale: floats([4], 2), bias: floats([4], 3) };

const cases: readonly OperatorCase[] = [
  one('FusedGemm', gemm, { activation: 'Relu', alpha: 0.5 }),
  one('FusedGemm', gemm, { activation: 'LeakyRelu', activation_alpha: 0.3 }),
  one('FusedGemm', gemm, { activation: 'Tanh', beta: 0.5 }),
  one('TransposeMatMul', { a: floats([2, 4, 3], 1), b: floats([2, 5, 4], 2) }, { alpha: 0.5, transA: 1n, transB: 1n }),
  one(
    'FusedMatMulActivation',
    { a: floats([3, 4], 1), b: floats([4, 5], 2) },
    { activation: 'Relu' },
    {
      reference: [node('MatMul', ['a', 'b'], ['product']), node('Relu', ['product'], ['y'])],
    },
  ),
  one(
    'FusedConv',
    { x: image, w: floats([3, 4, 3, 3], 2), b: floats([3], 3) },
    { activation: 'HardSigmoid', activation_params: [0.3, 0.4] },
  ),
  one(
    'BiasAdd',
    { x: floats([2, 3, 8], 1), b: floats([8], 2), skip: floats([2, 3, 8], 3) },
    {},
    {
      reference: [node('Sum', ['x', 'b', 'skip'], ['y'])],
    },
  ),
  one(
    'BiasSplitGelu',
    { x: floats([2, 3, 8], 1), b: floats([8], 2) },
    {},
    {
      reference: [
        node('Add', ['x', 'b'], ['sum']),
        node('Split', ['sum'], ['left', 'right'], { axis: -1n }),
        // Gelu: x · (1 + erf(x / √2)) / 2.
        node('Mul', ['right', 'root'], ['scaled']),
        node('Erf', ['scaled'], ['erf']),
        node('Mul', ['erf', 'right'], ['part']),
        node('Add', ['part', 'right'], ['twice']),
        node('Mul', ['twice', 'half'], ['gelu']),
        node('Mul', ['left', 'gelu'], ['y']),
      ],
      constants: { root: tensor('f32', [], [Math.SQRT1_2]), half: tensor('f32', [], [0.5]) },
    },
  ),
  one(
    'GroupNorm',
    { x: image, ...affine },
    { groups: 4n, activation: 0n, channels_last: 0n },
    {
      reference: [node('InstanceNormalization', ['x', 'scale', 'bias'], ['y'], { epsilon: 1e-5 })],
    },
  ),
  one(
    'GroupNorm',
    { sum: last, ...affine },
    { groups: 2n, activation: 1n },
    { reference: grouped, constants: groupConstants },
  ),
  one(
    'SkipGroupNorm',
    { x: last, ...affine, skip: floats([1, 4], 6), b: floats([4], 7) },
    { groups: 2n, activation: 1n },
    {
      outputs: ['y', 'sum'],
      reference: [node('Sum', ['x', 'skip', 'b'], ['sum']), ...grouped],
      constants: groupConstants,
    },
  ),
  one(
    'NhwcConv',
    { x: last, w: floats([3, 4, 3, 3], 2), b: floats([3], 3) },
    { strides: [2n, 2n] },
    {
      reference: [
        node('Transpose', ['x'], ['first'], toFirst),
        node('Conv', ['first', 'w', 'b'], ['conv'], { strides: [2n, 2n] }),
        node('Transpose', ['conv'], ['y'], toLast),
      ],
    },
  ),
  one('Trilu', { x: floats([2, 4, 5], 1), k: tensor('i64', [], [1]) }, { upper: 0n }),
  one(
    'Pad',
    { x: floats([2, 3], 1), pads: undefined, value: undefined },
    { mode: 'constant' },
    {
      constants: { pads: tensor('i64', [4], [1, 0, 2, 1]), value: tensor('f32', [1], [7]) },
    },
  ),
  one('GridSample', { x: image, grid: floats([1, 3, 3, 2], 4, 0.6) }, { align_corners: 1n, padding_mode: 'border' }),
  one('Unique', { x: tensor('f32', [7], [3, 1, 3, 2, 1, 1, 5]) }, {}, { outputs: ['y', 'places', 'counts'] }),
  one('ExpandDims', { x: floats([2, 3], 1), axis: undefined }, {}, { constants: { axis: tensor('i32', [1], [1]) } }),
  one('Inverse', { x: tensor('f32', [1, 2, 2], [2, 1, 1, 3]) }),
  one('CDist', { a: floats([3, 4], 1), b: floats([5, 4], 2) }, { metric: 'euclidean' }),
  one('CDist', { a: floats([3, 4], 1), b: floats([5, 4], 2) }, { metric: 'sqeuclidean' }),
  {
    name: 'Range',
    nodes: [microsoft('Range', ['from', 'to', 'step'], ['row']), node('Add', ['x', 'row'], ['y'])],
    feeds: { x: floats([2, 3], 1) },
    constants: { from: tensor('f32', [], [1]), to: tensor('f32', [], [7]), step: tensor('f32', [], [2]) },
  },
  ...(['bilinear', 'nearest'] as const).map((mode) =>
    one(
      'CropAndResize',
      {
        x: floats([2, 3, 6, 7], 1),
        boxes: tensor('f32', [3, 4], [0.1, 0, 0.8, 0.9, -0.3, 0.2, 0.7, 1.2, 0.9, 0.9, 0.1, 0.3]),
        images: tensor('i32', [3], [0, 1, 1]),
        size: undefined,
      },
      { mode, extrapolation_value: 9 },
      { constants: { size: tensor('i32', [2], [4, 3]) } },
    ),
  ),
];

testAgreement(cases);
