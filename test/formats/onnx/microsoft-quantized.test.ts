// Operators of ONNX Runtime on integers: LSTM, packed weights, embeddings, QLinear… with channels last.
import assert from 'node:assert/strict';
import test from 'node:test';
import { compile } from '../../../lib/engines/session.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import type { Model } from '../../../lib/graph/model.ts';
import type { Node } from '../../../lib/graph/node.ts';
import { toFloat64 } from '../../../lib/tensor/convert.ts';
import { elementCount, type Shape } from '../../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import {
  bytes,
  floats,
  microsoft,
  type OperatorCase,
  onBytes,
  scale,
  scaling,
  testAgreement,
  zero,
} from '../../support/microsoft.ts';
import { node, onnxBytes } from '../../support/onnx.ts';

/** Any bytes: numbers packed into them. */
const packed = (shape: Shape, seed: number): Tensor =>
  tensor(
    'u8',
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => (i * 7919 + seed * 4231) % 256),
  );

const few = (type: 'u8' | 'i8', values: readonly number[], shape: Shape = [values.length]): Tensor =>
  tensor(type, shape, values);

/** An LSTM of two directions, of four elements and a hidden state of three. */
function lstm(type: 'u8' | 'i8', perColumn: boolean, rest: Readonly<Record<string, Tensor | undefined>> = {}) {
  const shape: Shape = perColumn ? [2, 12] : [2];
  const middle = type === 'u8' ? 120 : 0;
  const zeros = tensor(type, shape, new Array<number>(elementCount(shape)).fill(middle));
  const constants = {
    w: bytes(type, [2, 4, 12], 2),
    r: bytes(type, [2, 3, 12], 3),
    b: floats([2, 24], 4, 0.2),
    ws: tensor(
      'f32',
      shape,
      Array.from(toFloat64(floats(shape, 5)), (v) => 0.004 + 0.001 * v),
    ),
    wz: zeros,
    rs: tensor(
      'f32',
      shape,
      Array.from(toFloat64(floats(shape, 6)), (v) => 0.004 + 0.001 * v),
    ),
    rz: zeros,
  };
  const names = [
    'x',
    'w',
    'r',
    'b',
    rest.lengths ? 'lengths' : '',
    rest.h ? 'h' : '',
    rest.c ? 'c' : '',
    '',
    'ws',
    'wz',
    'rs',
    'rz',
  ];
  const feeds = { x: floats([5, 2, 4], 1), ...rest } as Record<string, Tensor>;
  const attributes = { hidden_size: 3n, direction: 'bidirectional' };
  return {
    name: `DynamicQuantizeLSTM, ${type}${perColumn ? ' by column' : ''}`,
    nodes: [microsoft('DynamicQuantizeLSTM', names, ['y', 'yh', 'yc'], attributes)],
    feeds,
    constants,
    outputs: ['y', 'yh', 'yc'],
    // Hidden states are not rounded: a step of their grid, 1/255 of their range, by weights of up to 0.7.
    tolerance: 6e-3,
  };
}

interface NBits {
  readonly bits: 2 | 4 | 8;
  readonly inner: number;
  readonly zeros?: 'packed' | 'floats';
  readonly bias?: boolean;
}

function matMulNBits({ bits, inner, zeros, bias }: NBits): OperatorCase {
  const blocks = Math.ceil(inner / 16);
  const constants: Record<string, Tensor> = { w: packed([6, blocks, 2 * bits], 2), s: floats([6 * blocks], 3, 0.05) };
  if (zeros === 'packed') constants.z = packed([6 * Math.ceil((blocks * bits) / 8)], 4);
  if (zeros === 'floats') constants.z = floats([6, blocks], 4, 3);
  if (bias) constants.b = floats([6], 5);
  const names = ['x', 'w', 's', zeros ? 'z' : '', '', bias ? 'b' : ''];
  const attributes = { K: BigInt(inner), N: 6n, bits: BigInt(bits), block_size: 16n };
  return {
    name: `MatMulNBits of ${bits} bits${zeros ? `, zero points as ${zeros}` : ''}${bias ? ' and a bias' : ''}`,
    nodes: [microsoft('MatMulNBits', names, ['y'], attributes)],
    feeds: { x: floats([2, 3, inner], 1) },
    constants,
    tolerance: 1e-3,
  };
}

function gatherBlocks(bits: 4 | 8, zeros: boolean): OperatorCase {
  const constants: Record<string, Tensor> = { t: packed([5, 4 * bits], 2), s: floats([5, 2], 3, 0.05) };
  if (zeros) constants.z = packed([5, (2 * bits) / 8], 4);
  const attributes = { bits: BigInt(bits), block_size: 16n, gather_axis: 0n, quantize_axis: 1n };
  return {
    name: `GatherBlockQuantized of ${bits} bits${zeros ? ' with zero points' : ''}`,
    nodes: [microsoft('GatherBlockQuantized', ['t', 'i', 's', ...(zeros ? ['z'] : [])], ['y'], attributes)],
    feeds: { i: tensor('i64', [2, 2], [4, 0, 1, 3]) },
    constants,
  };
}

const weights = { w: bytes('i8', [3, 4, 3, 3], 5), ws: scale(0.004), wz: zero('i8', 0) };
const conv = ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz'];
const lastAxis = { channels_last: 1n };

const cases: readonly OperatorCase[] = [
  lstm('i8', false),
  lstm('u8', false),
  lstm('i8', true),
  lstm('i8', false, {
    lengths: tensor('i32', [2], [5, 3]),
    h: floats([2, 2, 3], 7, 0.3),
    c: floats([2, 2, 3], 8, 0.3),
  }),
  { ...lstm('i8', false), feeds: { x: tensor('f32', [5, 2, 4], new Array<number>(40).fill(0)) } },
  matMulNBits({ bits: 4, inner: 32 }),
  matMulNBits({ bits: 4, inner: 48, zeros: 'packed', bias: true }),
  matMulNBits({ bits: 4, inner: 40, zeros: 'packed' }),
  matMulNBits({ bits: 4, inner: 32, zeros: 'floats' }),
  matMulNBits({ bits: 8, inner: 32, bias: true }),
  matMulNBits({ bits: 8, inner: 48, zeros: 'packed' }),
  matMulNBits({ bits: 2, inner: 48, zeros: 'packed' }),
  gatherBlocks(4, false),
  gatherBlocks(4, true),
  gatherBlocks(8, true),
  {
    name: 'QEmbedLayerNormalization',
    nodes: [
      microsoft(
        'QEmbedLayerNormalization',
        ['ids', 'kinds', 'w', 'p', 'k', 'g', 'b', 'mask', 'ws', 'ps', 'ks', 'gs', 'bs', 'wz', 'wz', 'wz', 'wz', 'wz'],
        ['y', 'lengths'],
        { epsilon: 1e-6 },
      ),
    ],
    feeds: {
      ids: tensor('i32', [2, 3], [1, 2, 0, 3, 1, 1]),
      kinds: tensor('i32', [2, 3], [0, 0, 1, 1, 0, 1]),
      mask: tensor('i32', [2, 3], [1, 1, 0, 1, 1, 1]),
    },
    constants: {
      w: bytes('u8', [4, 8], 1),
      p: bytes('u8', [5, 8], 2),
      k: bytes('u8', [2, 8], 3),
      g: bytes('u8', [8], 4),
      b: bytes('u8', [8], 5),
      ws: scale(0.01),
      ps: scale(0.02),
      ks: scale(0.03),
      gs: scale(0.011),
      bs: scale(0.012),
      wz: zero('u8', 110),
    },
    outputs: ['y', 'lengths'],
  },
  {
    name: 'QLinearWhere',
    nodes: [microsoft('QLinearWhere', ['c', 'a', 'xs', 'xz', 'b', 'bs', 'xz', 'ys', 'yz'], ['y'])],
    feeds: { c: tensor('boolean', [3, 1], [1, 0, 1]), a: bytes('u8', [3, 4], 1), b: bytes('u8', [3, 4], 2) },
    constants: { ...scaling, bs: scale(0.011) },
    tolerance: 1,
  },
  {
    ...onBytes('QLinearReduceMean', [2, 3, 4], { axes: [1n], keepdims: 0n }),
    reference: [
      node('DequantizeLinear', ['x', 'xs', 'xz'], ['real']),
      node('ReduceMean', ['real'], ['mean'], { axes: [1n], keepdims: 0n }),
      node('QuantizeLinear', ['mean', 'ys', 'yz'], ['y']),
    ],
  },
  onBytes('QLinearAveragePool', [1, 6, 6, 3], { ...lastAxis, kernel_shape: [3n, 3n], strides: [2n, 2n] }),
  onBytes('QLinearGlobalAveragePool', [1, 6, 6, 3], lastAxis),
  {
    name: 'QLinearConv with channels last',
    nodes: [microsoft('QLinearConv', conv, ['y'], { ...lastAxis, pads: [1n, 1n, 1n, 1n] })],
    feeds: { x: bytes('u8', [1, 6, 6, 4], 3) },
    constants: { ...scaling, ...weights },
    tolerance: 1,
  },
  {
    name: 'NhwcMaxPool',
    nodes: [microsoft('NhwcMaxPool', ['x'], ['y'], { kernel_shape: [2n, 2n], strides: [2n, 2n] })],
    feeds: { x: bytes('u8', [1, 6, 6, 4], 3) },
    tolerance: 0,
  },
  {
    name: 'DynamicQuantizeLinear of zeros',
    nodes: [node('DynamicQuantizeLinear', ['x'], ['y', 's', 'z'])],
    feeds: { x: tensor('f32', [4], [0, 0, 0, 0]) },
    outputs: ['y', 's', 'z'],
    tolerance: 0,
  },
  {
    name: '16-bit QuantizeLinear and DequantizeLinear',
    nodes: [microsoft('QuantizeLinear', ['x', 's', 'z'], ['q']), microsoft('DequantizeLinear', ['q', 's', 'z'], ['y'])],
    feeds: { x: floats([2, 3, 4], 1) },
    constants: { s: scale(0.0001), z: tensor('u16', [], [30000]) },
    // One step of the grid.
    tolerance: 1.1e-4,
  },
];

testAgreement(cases);

const consumed = (n: Node): boolean => n.outputs.some((port) => port.consumers.size > 0);

const types = (model: Model): string[] => model.nodes().map((n) => n.type);

/** QLinearConv, then operators that only move its bytes, then QLinearConv. */
function chain(between: ReturnType<typeof node>[], more: Readonly<Record<string, Tensor>> = {}): Model {
  return readOnnx(
    onnxBytes({
      inputs: { x: ['u8', [1, 4, 8, 8]] },
      initializers: { ...scaling, ...weights, w2: bytes('i8', [2, 3, 1, 1], 6), ...more },
      nodes: [
        node('QLinearConv', conv, ['a']),
        ...between,
        node('QLinearConv', ['b', 'ys', 'yz', 'w2', 'ws', 'wz', 'xs', 'xz'], ['c']),
        node('DequantizeLinear', ['c', 'xs', 'xz'], ['y']),
      ],
      outputs: ['y'],
    }),
  );
}

test('integers that were only moved between two operators keep the grid of the first', () => {
  const pooled = chain([node('MaxPool', ['a'], ['b'], { kernel_shape: [2n, 2n], strides: [2n, 2n] })]);
  const list = types(pooled);
  assert.equal(list.filter((t) => t === 'FakeQuantize').length, 2, list.join(' '));
  assert.equal(pooled.nodes().filter((n) => n.type === 'Convert' && n.source(0)?.fact.type === 'u8').length, 1);
});

test('integers between two quantizers of one grid are moved as reals, and computed with as integers', async () => {
  // The grid ends at -1 and 24.5; cubic weights go beyond the elements, which integers cannot.
  for (const [mode, moved] of [
    ['nearest', 'f32'],
    ['cubic', 'u8'],
  ] as const) {
    const model = readOnnx(
      onnxBytes({
        inputs: { x: ['f32', [1, 1, 4, 4]] },
        initializers: { s: scale(0.1), z: zero('u8', 10), scales: tensor('f32', [4], [1, 1, 2, 2]) },
        nodes: [
          node('QuantizeLinear', ['x', 's', 'z'], ['q']),
          node('Resize', ['q', '', 'scales'], ['r'], { mode }),
          node('DequantizeLinear', ['r', 's', 'z'], ['y']),
        ],
        outputs: ['y'],
      }),
    );
    assert.equal(model.nodes().find((n) => n.type === 'Interpolate' && consumed(n))?.output.fact.type, moved);
    await using session = await compile(model);
    const x = tensor('f32', [1, 1, 4, 4], [-9, 99, -9, 99, 99, -9, 99, -9, -9, 99, -9, 99, 99, -9, 99, -9]);
    const y = toFloat64((await session.infer({ x })).y!);
    assert.ok(
      y.every((v) => v >= -1.00001 && v <= 24.50001),
      `${mode}: ${y}`,
    );
  }
});

test('zeros around a center crop of integers are not the real 0', async () => {
  const model = readOnnx(
    onnxBytes({
      opset: 18,
      inputs: { x: ['f32', [2]] },
      initializers: { s: scale(0.5), z: zero('u8', 10), size: tensor('i64', [1], [4]) },
      nodes: [
        node('QuantizeLinear', ['x', 's', 'z'], ['q']),
        node('CenterCropPad', ['q', 'size'], ['c']),
        node('DequantizeLinear', ['c', 's', 'z'], ['y']),
      ],
      outputs: ['y'],
    }),
  );
  await using session = await compile(model);
  const { y } = await session.infer({ x: tensor('f32', [2], [1, 2]) });
  assert.deepEqual([...y!.data], [-5, 1, 2, -5]);
});

test('integers that are padded by another integer are dequantized behind the pad', () => {
  const model = chain([node('Pad', ['a', 'pads', 'fill'], ['b'])], {
    pads: tensor('i64', [8], [0, 0, 1, 1, 0, 0, 1, 1]),
    fill: few('u8', [3], []),
  });
  assert.ok(model.nodes().some((n) => n.type === 'Pad' && n.output.fact.type === 'u8'));
});

test('weights of MatMulNBits stay packed', () => {
  const c = matMulNBits({ bits: 4, inner: 32 });
  const proto = onnxBytes({
    inputs: { x: ['f32', [1, 32]] },
    initializers: c.constants!,
    nodes: c.nodes,
    outputs: ['y'],
  });
  const stored = readOnnx(proto)
    .nodes()
    .filter((n) => n.type === 'Constant' && n.output.fact.type === 'u4');
  assert.deepEqual(
    stored.map((n) => n.output.fact.shape),
    [[6, 2, 16]],
  );
});
