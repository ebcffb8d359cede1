// Models at the edges of what lowering meets: the native engine gives what the reference engine gives.
import assert from 'node:assert/strict';
import test from 'node:test';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { evaluate, ModelBuilder } from '../support/model-builder.ts';
import { quantizedWeights, quantizer } from '../support/quantizers.ts';

interface Edge {
  readonly name: string;
  /** Shapes and types of the inputs; f32 where no type is given. */
  readonly inputs: Readonly<Record<string, Shape | readonly [ElementType, Shape]>>;
  /** Adds the nodes; results are added for what it returns. */
  build(b: ModelBuilder, inputs: readonly OutputPort[]): readonly OutputPort[];
  /** Largest difference, for networks on bytes a few steps of their grid. Default 1e-5. */
  readonly tolerance?: number;
}

const cube = { strides: [1, 1, 1], pads_begin: [1, 1, 1], pads_end: [1, 1, 1], dilations: [1, 1, 1] };
const pooling = { kernel: [2, 2], strides: [2, 2], pads_begin: [0, 0], pads_end: [0, 0] };

function conv(b: ModelBuilder, x: OutputPort, outputs: number, weights?: OutputPort): OutputPort {
  return b.convolution(x, weights ?? b.weights('w', [outputs, x.fact.shape[1]!, 3, 3]));
}

function byteConv(b: ModelBuilder, x: OutputPort, outputs: number): OutputPort {
  return b.convolution(x, quantizedWeights(b, [outputs, x.fact.shape[1]!, 3, 3], outputs));
}

function integers(b: ModelBuilder, ...values: readonly number[]): OutputPort {
  return b.constant('integers', [values.length], values, 'i64');
}

const edges: readonly Edge[] = [
  { name: 'an output that is an input', inputs: { x: [1, 3, 4, 4] }, build: (_, [x]) => [x!] },
  {
    name: 'an output that is a constant, beside a computed one',
    inputs: { x: [2, 2] },
    build: (b, [x]) => [b.weights('c', [3]), b.op('ReLU', [x!])],
  },
  {
    name: 'an output computed from constants that are not folded',
    inputs: { x: [2, 2] },
    build: (b, [x]) => [
      quantizer(b, b.weights('c', [2, 2]), -1, 1),
      b.op('Add', [x!, quantizer(b, b.weights('d', [2, 2]), -1, 1)]),
    ],
  },
  {
    name: 'one value as two outputs, read inside as well',
    inputs: { x: [1, 3, 5, 5] },
    build: (b, [x]) => {
      const y = conv(b, x!, 4);
      return [y, y, conv(b, b.op('ReLU', [y]), 2)];
    },
    tolerance: 1e-4,
  },
  {
    name: 'an output in the middle of what could be fused',
    inputs: { x: [1, 3, 5, 5] },
    build: (b, [x]) => {
      const y = conv(b, x!, 4);
      const biased = b.op('Add', [y, b.weights('bias', [1, 4, 1, 1])]);
      return [biased, b.op('ReLU', [biased])];
    },
  },
  {
    name: 'a quantizer directly on an output',
    inputs: { x: [1, 3, 5, 5] },
    build: (b, [x]) => [quantizer(b, byteConv(b, quantizer(b, x!, -4, 4), 5), -20, 20)],
    tolerance: 0.16,
  },
  {
    name: 'a quantized value as output and as input of a convolution',
    inputs: { x: [1, 3, 5, 5] },
    build: (b, [x]) => {
      const q = quantizer(b, x!, (-4 * 128) / 127, 4);
      return [q, byteConv(b, q, 5)];
    },
    tolerance: 0.6,
  },
  {
    name: 'a quantized input with a reader on bytes and a reader on floats',
    inputs: { x: [1, 3, 5, 5] },
    build: (b, [x]) => {
      const q = quantizer(b, x!, 0, 4);
      return [byteConv(b, q, 5), b.op('Sigmoid', [q]), b.op('Erf', [q])];
    },
    tolerance: 0.6,
  },
  {
    name: 'an input with two quantizers and a reader without',
    inputs: { x: [1, 3, 5, 5] },
    build: (b, [x]) => [
      byteConv(b, quantizer(b, x!, 0, 4), 5),
      byteConv(b, quantizer(b, x!, -2, 2 - 4 / 256), 5),
      b.op('ReLU', [x!]),
    ],
    tolerance: 0.6,
  },
  {
    name: 'activations that are scaled and shifted, on bytes and on floats',
    inputs: { x: [1, 3, 5, 5] },
    build: (b, [x]) => {
      const n = (value: number): OutputPort => b.constant('n', [], [value]);
      const affine = (y: OutputPort): OutputPort => b.op('Add', [b.op('Multiply', [y, n(-0.75)]), n(1.5)]);
      return [byteConv(b, quantizer(b, affine(b.op('HSwish', [x!])), -4, 4), 5), affine(b.op('HSigmoid', [x!]))];
    },
    tolerance: 0.6,
  },
  {
    name: 'a quantizer behind a quantizer',
    inputs: { x: [1, 3, 5, 5] },
    build: (b, [x]) => {
      const y = byteConv(b, quantizer(b, quantizer(b, x!, -4, 4 - 8 / 256), 0, 2), 6);
      const twice = quantizer(b, quantizer(b, y, 0, 9), 0, 8, 255);
      return [byteConv(b, twice, 3)];
    },
    tolerance: 1.5,
  },
  {
    name: 'a concat of the same value twice, on bytes and on floats',
    inputs: { x: [1, 4, 5, 5] },
    build: (b, [x]) => {
      const y = quantizer(b, b.op('ReLU', [byteConv(b, quantizer(b, x!, 0, 4), 6)]), 0, 9);
      const joined = b.op('Concat', [y, y], { axis: 1 });
      const f = conv(b, x!, 3);
      return [byteConv(b, joined, 3), b.op('Concat', [f, x!, f], { axis: -3 })];
    },
    tolerance: 1.5,
  },
  {
    name: 'a concat inside a concat',
    inputs: { x: [2, 4, 5, 5] },
    build: (b, [x]) => {
      const q = quantizer(b, x!, 0, 4);
      const branch = (): OutputPort => quantizer(b, b.op('ReLU', [byteConv(b, q, 6)]), 0, 9);
      const inner = b.op('Concat', [branch(), branch()], { axis: 1 });
      return [byteConv(b, b.op('Concat', [inner, branch()], { axis: 1 }), 3)];
    },
    tolerance: 1.5,
  },
  {
    name: 'a concat that is read as floats too',
    inputs: { x: [1, 4, 6, 6] },
    build: (b, [x]) => {
      const q = quantizer(b, x!, 0, 4);
      const branch = (): OutputPort => quantizer(b, b.op('ReLU', [byteConv(b, q, 6)]), 0, 9);
      const joined = b.op('Concat', [branch(), branch()], { axis: 1 });
      return [byteConv(b, joined, 3), b.op('Sigmoid', [joined]), joined];
    },
    tolerance: 1.5,
  },
  {
    name: 'scales per channel in front of Reshape, Add and MatMul',
    inputs: { x: [1, 6, 4, 4], y: [3, 6] },
    build: (b, [x, y]) => {
      const high = [1, 2, 3, 1.5, 2.5, 0.5];
      const q = quantizer(
        b,
        x!,
        high.map(() => 0),
        high,
      );
      const flat = b.op('Reshape', [q, integers(b, 1, -1)], { special_zero: false });
      const rows = quantizer(
        b,
        y!,
        high.map(() => 0),
        high,
      );
      return [
        b.op('MatMul', [flat, quantizedWeights(b, [5, 96], 5)], { transpose_b: true }),
        b.op('Add', [q, quantizer(b, b.op('ReLU', [x!]), 0, 2)]),
        b.op('MatMul', [rows, quantizedWeights(b, [5, 6], 5)], { transpose_b: true }),
      ];
    },
    tolerance: 0.05,
  },
  {
    name: 'a matrix product of rank 4 in front of scales per index of axis 1',
    inputs: { x: [1, 3, 4, 8] },
    build: (b, [x]) => {
      const y = b.op('MatMul', [quantizer(b, x!, 0, 4), quantizedWeights(b, [5, 8], 5)], { transpose_b: true });
      return [byteConv(b, quantizer(b, y, [0, 0, 0], [2, 4, 6]), 2)];
    },
    tolerance: 0.05,
  },
  {
    name: 'matrix products of rank 3 with a sum behind',
    inputs: { x: [2, 5, 8] },
    build: (b, [x]) => {
      const q = quantizer(b, x!, (-4 * 128) / 127, 4);
      const product = (): OutputPort => b.op('MatMul', [q, quantizedWeights(b, [8, 8], 8)], { transpose_b: true });
      const sum = b.op('Add', [quantizer(b, product(), (-9 * 128) / 127, 9), q]);
      return [quantizer(b, sum, (-12 * 128) / 127, 12), b.op('Add', [product(), b.weights('bias', [8])])];
    },
    tolerance: 0.25,
  },
  {
    name: 'a byte sum with broadcasting',
    inputs: { x: [1, 4, 5, 5], y: [1, 4, 1, 1] },
    build: (b, [x, y]) => {
      const sum = b.op('Add', [quantizer(b, x!, 0, 4), quantizer(b, y!, 0, 4)]);
      return [byteConv(b, quantizer(b, sum, 0, 6), 3)];
    },
    tolerance: 0.6,
  },
  {
    name: 'padding with a value off the grid',
    inputs: { x: [1, 4, 5, 5] },
    build: (b, [x]) => {
      const q = quantizer(b, x!, 0, 4);
      const padded = b.op('Pad', [q, integers(b, 0, 0, 1, 1), integers(b, 0, 0, 1, 1), b.constant('v', [], [-7])], {
        pad_mode: 'constant',
      });
      return [byteConv(b, padded, 3)];
    },
    tolerance: 0.6,
  },
  {
    name: 'weights shared by two convolutions, once on bytes and once on floats',
    inputs: { x: [1, 4, 5, 5] },
    build: (b, [x]) => {
      const w = quantizedWeights(b, [6, 4, 3, 3], 6);
      return [b.convolution(quantizer(b, x!, 0, 4), w), b.convolution(x!, w)];
    },
    tolerance: 0.6,
  },
  {
    name: 'weights computed at run time',
    inputs: { x: [1, 2, 5, 5], w: [3, 2, 3, 3] },
    build: (b, [x, w]) => [
      b.op('ReLU', [conv(b, x!, 3, w)]),
      b.convolution(quantizer(b, x!, 0, 4), quantizer(b, w!, -1, 1)),
    ],
    tolerance: 1e-4,
  },
  {
    name: 'a matrix product of two computed values',
    inputs: { x: [2, 3, 4], y: [2, 4, 5] },
    build: (b, [x, y]) => [b.op('ReLU', [b.op('MatMul', [quantizer(b, x!, -1, 1), quantizer(b, y!, -1, 1)])])],
  },
  {
    name: 'a convolution on three spatial axes in a quantized network',
    inputs: { x: [1, 2, 4, 4, 4] },
    build: (b, [x]) => {
      const y = b.op('Convolution', [quantizer(b, x!, 0, 4), quantizedWeights(b, [3, 2, 3, 3, 3], 3, 1)], cube);
      return [b.op('ReLU', [quantizer(b, b.op('Add', [y, b.weights('bias', [1, 3, 1, 1, 1])]), 0, 9)])];
    },
    tolerance: 0.04,
  },
  ...[1, 2, 3].map(
    (channels): Edge => ({
      name: `a quantized network whose input has ${channels} channels`,
      inputs: { x: [2, channels, 9, 7] },
      build: (b, [x]) => {
        const q = quantizer(b, x!, (-4 * 128) / 127, 4);
        const y = b.op('ReLU', [byteConv(b, q, 7)]);
        const pooled = b.op('MaxPool', [q], pooling);
        const flat = b.op('Reshape', [q, integers(b, 2, -1)], { special_zero: false });
        return [
          quantizer(b, y, 0, 20),
          byteConv(b, pooled, 4),
          b.op('MatMul', [flat, quantizedWeights(b, [4, channels * 63], 4)], { transpose_b: true }),
        ];
      },
      tolerance: 1.2,
    }),
  ),
  {
    name: 'inputs of other element types',
    inputs: {
      bytes: ['u8', [1, 3, 4, 4]],
      whole: ['i64', [2, 3]],
      truth: ['boolean', [4]],
      half: ['f16', [2, 2]],
      small: ['i32', [3]],
    },
    build: (b, [bytes, whole, truth, half, small]) => {
      const floats = b.op('Convert', [bytes!], { destination_type: 'f32' });
      return [
        conv(b, floats, 2),
        b.op('Add', [whole!, b.constant('one', [], [1], 'i64')]),
        b.op('Convert', [truth!], { destination_type: 'f32' }),
        b.op('ReLU', [half!]),
        b.op('Convert', [b.op('Negative', [small!])], { destination_type: 'f32' }),
      ];
    },
    tolerance: 2e-3,
  },
  {
    name: 'tensors without elements',
    inputs: { x: [1, 0, 3, 3], y: [0, 4], z: [1, 3, 3, 3] },
    build: (b, [x, y, z]) => [
      b.op('ReLU', [x!]),
      b.op('MatMul', [y!, b.weights('w', [4, 3])]),
      b.op('Concat', [x!, b.op('ReLU', [z!]), x!], { axis: 1 }),
      conv(b, b.op('Concat', [x!, z!], { axis: 1 }), 2),
      quantizer(b, b.op('Add', [y!, b.weights('b', [4])]), 0, 4),
    ],
    tolerance: 1e-4,
  },
  {
    name: 'ranks 0, 1, 2 and 5',
    inputs: { a: [], c: [6], d: [2, 3], e: [2, 3, 2, 2, 2] },
    build: (b, [a, c, d, e]) => [
      b.op('ReLU', [b.op('Add', [a!, b.constant('one', [], [1])])]),
      quantizer(b, b.op('Multiply', [c!, b.weights('w', [6])]), -1, 1),
      b.op('Transpose', [d!, integers(b, 1, 0)]),
      b.op('Transpose', [e!, integers(b, 0, 2, 3, 4, 1)]),
      b.op('Add', [e!, b.weights('each', [3, 1, 1, 1])]),
      b.op('SoftMax', [e!], { axis: 1 }),
      b.op('Unsqueeze', [a!, integers(b, 0)]),
      quantizer(b, e!, [-1, -1, -1], [1, 2, 1]),
    ],
  },
  {
    name: 'limits in half precision, whose zero lies beside an integer',
    inputs: { x: [1, 6, 5, 5], y: [4, 6] },
    build: (b, [x, y]) => {
      const [low, high] = [-9.4921875, 9.421875];
      const q = quantizer(b, x!, low, high);
      const channels = [1, 0.5, 0.25, 2, 0.125, 1];
      const each = quantizer(
        b,
        x!,
        channels.map((c) => c * low),
        channels.map((c) => c * high),
      );
      const open = { strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0], dilations: [1, 1] };
      const uneven = { strides: [2, 1], pads_begin: [2, 0], pads_end: [1, 3], dilations: [1, 2] };
      const turned = quantizer(b, b.op('Sigmoid', [x!]), -5.15234375, 5.11328125);
      return [
        b.op('Convolution', [q, quantizedWeights(b, [4, 6, 3, 3], 4)], open),
        b.convolution(q, quantizedWeights(b, [20, 6, 3, 3], 20)),
        b.op('Convolution', [q, quantizedWeights(b, [5, 6, 3, 2], 5)], uneven),
        b.op('GroupConvolution', [q, quantizedWeights(b, [3, 2, 2, 3, 3], 6)], uneven),
        b.op('GroupConvolution', [each, quantizedWeights(b, [6, 1, 1, 3, 3], 6)], open),
        b.op('GroupConvolution', [q, quantizedWeights(b, [2, 2, 3, 3, 3], 4)], open),
        b.op('MatMul', [quantizer(b, y!, low, high), quantizedWeights(b, [5, 6], 5)], { transpose_b: true }),
        b.op('Add', [q, turned]),
        b.op('AvgPool', [q], pooling),
        q,
      ];
    },
    tolerance: 1e-4,
  },
  {
    name: 'slopes of PReLU: one, per channel, per element, steep and negative ones',
    inputs: { x: [2, 3, 4, 5], y: [4, 3], z: [1, 3, 2, 2, 2] },
    build: (b, [x, y, z]) => {
      const slope = (values: readonly number[], shape: Shape): OutputPort => b.constant('slope', shape, values);
      const prelu = (a: OutputPort, s: OutputPort): OutputPort => b.op('PReLU', [a, s]);
      const image = (): OutputPort => conv(b, x!, 3);
      return [
        prelu(image(), slope([0.25], [1])),
        prelu(image(), slope([0.25, 0, 1], [3])),
        prelu(image(), slope([0.25, -0.5, 3], [1, 3, 1, 1])),
        prelu(x!, slope([0.1, 0.2, 0.3, 0.4, 0.5], [5])),
        prelu(x!, b.weights('each', [1, 3, 4, 5])),
        prelu(y!, slope([-1, 0.5, 2], [3])),
        prelu(z!, slope([0.5, 0.25, 0.75], [3])),
      ];
    },
    tolerance: 1e-4,
  },
  {
    name: 'windows that see nothing but padding',
    inputs: { x: [1, 2, 5, 5] },
    build: (b, [x]) => {
      const shape = { kernel: [1, 1], strides: [3, 3], pads_begin: [0, 0], pads_end: [2, 2], rounding_type: 'ceil' };
      return [b.op('MaxPool', [x!], shape), b.op('AvgPool', [x!], { ...shape, 'exclude-pad': true })];
    },
  },
  {
    name: 'an input in NHWC order',
    inputs: { x: [2, 6, 5, 3] },
    build: (b, [x]) => {
      const y = conv(b, b.op('Transpose', [x!, integers(b, 0, 3, 1, 2)]), 4);
      return [b.op('Transpose', [b.op('ReLU', [y]), integers(b, 0, 2, 3, 1)])];
    },
    tolerance: 1e-4,
  },
  {
    name: 'operands of a lower rank beside channels-last images',
    inputs: { x: [2, 3, 4, 5] },
    build: (b, [x]) => {
      const shapes = [[3, 4, 5], [4, 5], [5], [3, 1, 1], [1, 4, 1], [1, 1, 4, 5], [2, 1, 4, 1]];
      return shapes.map((shape) => b.op('Multiply', [conv(b, x!, 3), b.weights('operand', shape)]));
    },
    tolerance: 1e-4,
  },
];

function feed(type: ElementType, shape: Shape, next: () => number): Tensor {
  const values = Array.from({ length: elementCount(shape) }, () => next() * 2);
  if (type === 'f32') return tensor('f32', shape, values);
  if (type === 'f16')
    return tensor(
      'f16',
      shape,
      values.map((v) => (v < 0 ? 0xbc00 : 0x3e00)),
    );
  if (type === 'boolean')
    return tensor(
      'boolean',
      shape,
      values.map((v) => (v < 0 ? 0 : 1)),
    );
  return tensor(
    type,
    shape,
    values.map((v) => Math.round(Math.abs(v) * 20)),
  );
}

for (const edge of edges) {
  test(edge.name, async () => {
    const b = new ModelBuilder(edge.name, 3);
    const { normal } = random(17);
    const feeds: Record<string, Tensor> = {};
    const ports = Object.entries(edge.inputs).map(([name, spec]) => {
      const [type, shape]: readonly [ElementType, Shape] =
        typeof spec[0] === 'string' ? (spec as [ElementType, Shape]) : ['f32', spec as Shape];
      feeds[name] = feed(type, shape, normal);
      return b.parameter(name, shape, type);
    });
    for (const [i, port] of edge.build(b, ports).entries()) b.result(port, `result${i}`);
    const expected = await evaluate(b.model, feeds);
    await using executable = await compileNative(b.model, { threads: 2 });
    const { outputs } = await executable.run(feeds);
    assert.deepEqual(Object.keys(outputs), Object.keys(expected));
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual(outputs[name]!.shape, value.shape, name);
      assert.equal(outputs[name]!.type, value.type, name);
      const error = maxAbsError(outputs[name]!, value);
      assert.ok(error <= (edge.tolerance ?? 1e-5), `${name} is off by ${error}`);
    }
  });
}
