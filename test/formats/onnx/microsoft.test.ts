// Operators of ONNX Runtime: models of one or a few of them give the outputs of ONNX Runtime itself.
import type { ElementType } from '../../../lib/tensor/element-type.ts';
import type { Shape } from '../../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import {
  bytes,
  floats,
  microsoft,
  type OperatorCase,
  onBytes,
  one,
  scale,
  scaling,
  testAgreement,
  zero,
} from '../../support/microsoft.ts';
import { node } from '../../support/onnx.ts';

const whole = (type: ElementType, shape: Shape, values: readonly number[]): Tensor => tensor(type, shape, values);

const x = floats([2, 3, 8], 1);
function twoOnBytes(opType: string): OperatorCase {
  const nodes = [microsoft(opType, ['a', 'xs', 'xz', 'b', 'bs', 'xz', 'ys', 'yz'], ['y'])];
  const feeds = { a: bytes('u8', [2, 3, 4], 1), b: bytes('u8', [1, 3, 4], 2) };
  return { name: opType, nodes, feeds, constants: { ...scaling, bs: scale(0.011) }, tolerance: 1 };
}

const heads = { num_heads: 2n };
const packed = { x: floats([2, 5, 8], 1), w: floats([8, 24], 2, 0.3), b: floats([24], 3, 0.2) };
const three = { q: floats([2, 3, 8], 4), k: floats([2, 5, 8], 5), v: floats([2, 5, 8], 6) };

const cases: readonly OperatorCase[] = [
  one('Gelu', { x }),
  one('FastGelu', { x, b: floats([8], 2) }, {}, { tolerance: 1e-3 }),
  one('BiasGelu', { x, b: floats([8], 2) }),
  one('QuickGelu', { x }, { alpha: 1.5 }),
  one('FusedMatMul', { a: floats([2, 4, 3], 1), b: floats([2, 5, 4], 2) }, { alpha: 0.5, transA: 1n, transB: 1n }),
  one(
    'SkipLayerNormalization',
    { x, skip: floats([2, 3, 8], 2), gamma: floats([8], 3), beta: floats([8], 4), bias: floats([8], 5) },
    { epsilon: 1e-5 },
    { outputs: ['y', '', '', 'sum'] },
  ),
  one('SkipSimplifiedLayerNormalization', { x, skip: floats([2, 3, 8], 2), gamma: floats([8], 3) }, { epsilon: 1e-5 }),
  one(
    'EmbedLayerNormalization',
    {
      ids: whole('i32', [2, 3], [1, 2, 0, 3, 1, 1]),
      segments: whole('i32', [2, 3], [0, 0, 1, 1, 0, 1]),
      words: floats([4, 8], 1),
      positions: floats([5, 8], 2),
      kinds: floats([2, 8], 3),
      gamma: floats([8], 4),
      beta: floats([8], 5),
      mask: whole('i32', [2, 3], [1, 1, 0, 1, 1, 1]),
    },
    { epsilon: 1e-6 },
    { outputs: ['y', 'lengths'] },
  ),
  one('Attention', packed, heads),
  one('Attention', { ...packed, mask: whole('i32', [2, 5], [1, 1, 1, 0, 0, 1, 1, 1, 1, 1]) }, heads),
  one('Attention', { ...packed, ends: whole('i32', [2], [3, 5]) }, heads),
  one('Attention', packed, { ...heads, unidirectional: 1n }),
  one('MultiHeadAttention', three, heads),
  one(
    'MultiHeadAttention',
    { ...three, b: floats([24], 7), mask: whole('i32', [2, 5], [1, 1, 1, 0, 1, 1, 1, 1, 1, 0]) },
    heads,
  ),
  twoOnBytes('QLinearAdd'),
  twoOnBytes('QLinearMul'),
  onBytes('QLinearSigmoid', [2, 3, 4]),
  onBytes('QLinearLeakyRelu', [2, 3, 4], { alpha: 0.2 }),
  onBytes('QLinearSoftmax', [2, 3, 4], { axis: -1n, opset: 13n }),
  onBytes('QLinearAveragePool', [1, 3, 6, 6], { kernel_shape: [3n, 3n], strides: [2n, 2n], pads: [1n, 1n, 1n, 1n] }),
  onBytes('QLinearGlobalAveragePool', [1, 3, 6, 6], { channels_last: 0n }),
  {
    name: 'QLinearConcat',
    nodes: [microsoft('QLinearConcat', ['ys', 'yz', 'a', 'xs', 'xz', 'b', 'bs', 'xz'], ['y'], { axis: 1n })],
    feeds: { a: bytes('u8', [2, 3, 4], 1), b: bytes('u8', [2, 2, 4], 2) },
    constants: { ...scaling, bs: scale(0.011) },
    tolerance: 1,
  },
  {
    name: 'DynamicQuantizeMatMul',
    nodes: [microsoft('DynamicQuantizeMatMul', ['x', 'w', 'ws', 'wz', 'bias'], ['y'])],
    feeds: { x: floats([2, 3, 300], 1) },
    constants: { w: bytes('i8', [300, 4], 2), ws: scale(0.02), wz: zero('i8', 0), bias: floats([4], 3) },
    tolerance: 1e-3,
  },
  {
    name: 'MatMulIntegerToFloat',
    nodes: [microsoft('MatMulIntegerToFloat', ['a', 'b', 'xs', 'bs', 'xz', 'bz'], ['y'])],
    feeds: { a: bytes('u8', [3, 300], 1) },
    constants: { ...scaling, b: bytes('u8', [300, 4], 2), bs: scale(0.011), bz: zero('u8', 77) },
  },
  {
    name: 'dynamic quantization as its tool writes it',
    nodes: [
      node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
      node('MatMulInteger', ['q', 'w', 'z', 'wz'], ['sums']),
      node('Cast', ['sums'], ['real'], { to: 1n }),
      node('Mul', ['s', 'ws'], ['scale']),
      node('Mul', ['real', 'scale'], ['y']),
    ],
    feeds: { x: floats([2, 3, 300], 1) },
    constants: { w: bytes('i8', [300, 4], 2), ws: scale(0.02), wz: zero('i8', 0) },
    tolerance: 1e-3,
  },
];

testAgreement(cases);
