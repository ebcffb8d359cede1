// Operators of ONNX Runtime: models of one or a few of them give the outputs of ONNX Runtime itself.
import assert from 'node:assert/strict';
import test from 'node:test';
import { toBinary } from '@bufbuild/protobuf';
import { compile } from '../../../lib/engines/session.ts';
import { ModelProtoSchema, type NodeProto } from '../../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { toFloat64 } from '../../../lib/tensor/convert.ts';
import type { ElementType } from '../../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { patternAt } from '../../conformance/cases/op-case.ts';
import { node, onnxProto } from '../../support/onnx.ts';
import { runOnnxRuntime, withoutOnnxRuntime } from '../../support/onnxruntime.ts';

type Attributes = Parameters<typeof node>[3];

interface Case {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  /** Fed tensors. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly outputs?: readonly string[];
  /** Largest difference. Integers may differ by one where a float lies between two of them. */
  readonly tolerance?: number;
}

function microsoft(opType: string, inputs: readonly string[], outputs: readonly string[], attributes: Attributes = {}) {
  const proto = node(opType, inputs, outputs, attributes);
  proto.domain = 'com.microsoft';
  return proto;
}

const floats = (shape: Shape, seed: number, scale = 1): Tensor =>
  tensor(
    'f32',
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => patternAt(i, seed) * scale),
  );

const bytes = (type: 'u8' | 'i8', shape: Shape, seed: number): Tensor =>
  tensor(
    type,
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => ((i * 7919 + seed * 4231) % 251) - (type === 'i8' ? 125 : 0)),
  );

const whole = (type: ElementType, shape: Shape, values: readonly number[]): Tensor => tensor(type, shape, values);
const scale = (value: number): Tensor => tensor('f32', [], [value]);
const zero = (type: 'u8' | 'i8', value: number): Tensor => tensor(type, [], [value]);

const x = floats([2, 3, 8], 1);
const scaling = { xs: scale(0.02), xz: zero('u8', 120), ys: scale(0.03), yz: zero('u8', 100) };

function one(
  opType: string,
  inputs: Readonly<Record<string, Tensor>>,
  attributes: Attributes = {},
  rest: Partial<Case> = {},
): Case {
  const outputs = rest.outputs ?? ['y'];
  return { name: opType, nodes: [microsoft(opType, Object.keys(inputs), outputs, attributes)], feeds: inputs, ...rest };
}

/** A quantized operator of one input: x in bytes, its scaling, and that of the result. */
function onBytes(opType: string, shape: Shape, attributes: Attributes = {}): Case {
  const nodes = [microsoft(opType, ['x', 'xs', 'xz', 'ys', 'yz'], ['y'], attributes)];
  return { name: opType, nodes, feeds: { x: bytes('u8', shape, 3) }, constants: scaling, tolerance: 1 };
}

function twoOnBytes(opType: string): Case {
  const nodes = [microsoft(opType, ['a', 'xs', 'xz', 'b', 'bs', 'xz', 'ys', 'yz'], ['y'])];
  const feeds = { a: bytes('u8', [2, 3, 4], 1), b: bytes('u8', [1, 3, 4], 2) };
  return { name: opType, nodes, feeds, constants: { ...scaling, bs: scale(0.011) }, tolerance: 1 };
}

const heads = { num_heads: 2n };
const packed = { x: floats([2, 5, 8], 1), w: floats([8, 24], 2, 0.3), b: floats([24], 3, 0.2) };
const three = { q: floats([2, 3, 8], 4), k: floats([2, 5, 8], 5), v: floats([2, 5, 8], 6) };

const cases: readonly Case[] = [
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

for (const [i, c] of cases.entries()) {
  test(`${c.name} is computed as ONNX Runtime does (${i})`, { skip: withoutOnnxRuntime }, async () => {
    const proto = onnxProto({
      opset: 17,
      inputs: Object.fromEntries(Object.entries(c.feeds).map(([name, t]) => [name, [t.type, t.shape] as const])),
      initializers: c.constants ?? {},
      nodes: c.nodes,
      outputs: [],
    });
    const wanted = (c.outputs ?? ['y']).filter((name) => name !== '');
    proto.opsetImport.push({ ...proto.opsetImport[0]!, domain: 'com.microsoft', version: 1n });
    proto.graph!.output = wanted.map((name) => ({ ...proto.graph!.input[0]!, name, type: undefined }));
    const file = toBinary(ModelProtoSchema, proto);
    await using session = await compile(readOnnx(file));
    const ours = await session.infer(c.feeds);
    const theirs = await runOnnxRuntime(file, c.feeds);
    for (const name of wanted) {
      const [a, b] = [ours[name]!, theirs[name]!];
      assert.equal(a.type, b.type, name);
      assert.deepEqual(a.shape, b.shape, name);
      const [u, v] = [toFloat64(a), toFloat64(b)];
      const worst = u.reduce((most, value, at) => Math.max(most, Math.abs(value - v[at]!)), 0);
      assert.ok(worst <= (c.tolerance ?? 1e-4), `${name} is off by ${worst}: ${u.slice(0, 6)} and ${v.slice(0, 6)}`);
    }
  });
}
