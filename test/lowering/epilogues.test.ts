// What is fused behind a kernel is computed: every kind of epilogue behind factors, summands and quantizers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { evaluate, ModelBuilder, randomFeeds } from '../support/model-builder.ts';
import { quantizer } from '../support/quantizers.ts';

type Build = (b: ModelBuilder, x: OutputPort) => OutputPort;

const shape = [2, 4, 6, 5];
const n = (b: ModelBuilder, value: number): OutputPort => b.constant('n', [], [value]);
const axes = (b: ModelBuilder, ...values: number[]): OutputPort => b.constant('axes', [values.length], values, 'i64');
const plain = (type: string, attributes: Readonly<Record<string, unknown>> = {}): [string, Build] => [
  type,
  (b, x) => b.op(type, [x], attributes),
];

const pool = { kernel: [2, 2], strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0], 'exclude-pad': true };

/** An operation of every kind of epilogue, and all that share the kernel `unary`. */
const anchors: readonly (readonly [string, Build])[] = [
  ...['Sigmoid', 'Tanh', 'Exp', 'Abs', 'HSwish', 'HSigmoid', 'Mish', 'SoftPlus', 'SoftSign', 'Erf', 'Floor'].map(
    (type) => plain(type),
  ),
  plain('Elu', { alpha: 0.7 }),
  plain('Gelu', { approximation_mode: 'erf' }),
  ['Selu', (b, x) => b.op('Selu', [x, n(b, 1.6), n(b, 1.1)])],
  ['HardSigmoid', (b, x) => b.op('HardSigmoid', [x, n(b, 0.3), n(b, 0.4)])],
  ['Swish', (b, x) => b.op('Swish', [x, n(b, 1.5)])],
  plain('ReLU'),
  plain('Clamp', { min: -0.5, max: 0.75 }),
  ['SoftMax over columns', (b, x) => b.op('SoftMax', [x], { axis: -1 })],
  ['SoftMax over channels', (b, x) => b.op('SoftMax', [x], { axis: 1 })],
  ['MVN over columns', (b, x) => b.op('MVN', [x, axes(b, -1)], { eps: 1e-5 })],
  ['MVN over images', (b, x) => b.op('MVN', [x, axes(b, 2, 3)], { eps: 1e-5 })],
  ['Add', (b, x) => b.op('Add', [x, b.op('Tanh', [x])])],
  ['AvgPool', (b, x) => b.op('AvgPool', [x], pool)],
  ['ReduceMean', (b, x) => b.op('ReduceMean', [x, axes(b, 2, 3)], { keep_dims: true })],
  ['Convolution', (b, x) => b.convolution(x, b.weights('w', [4, 4, 3, 3]), 'conv')],
  ['MatMul with weights', (b, x) => b.op('MatMul', [x, b.weights('w', [5, 5])])],
  ['MatMul', (b, x) => b.op('MatMul', [x, b.op('Transpose', [x, axes(b, 0, 1, 3, 2)])])],
];

const vector = (b: ModelBuilder, y: OutputPort, axis: number): OutputPort => {
  const sizes = y.fact.shape.map((d, i) => (i === axis ? d : 1));
  return b.weights('values', sizes);
};

const tails: Readonly<Record<string, Build>> = {
  'times a number': (b, y) => b.op('Multiply', [y, n(b, -1.5)]),
  'plus a number': (b, y) => b.op('Add', [n(b, 0.75), y]),
  'divided by a number, plus one': (b, y) => b.op('Add', [b.op('Divide', [y, n(b, 4)]), n(b, 0.5)]),
  'plus a number, times one': (b, y) => b.op('Multiply', [b.op('Add', [y, n(b, 0.5)]), n(b, 2)]),
  'times columns, plus columns': (b, y) => b.op('Add', [b.op('Multiply', [y, vector(b, y, 3)]), vector(b, y, 3)]),
  'times channels, plus channels': (b, y) => b.op('Add', [b.op('Multiply', [y, vector(b, y, 1)]), vector(b, y, 1)]),
  clamped: (b, y) => b.op('Clamp', [y], { min: -0.25, max: 0.5 }),
};

/** Values are below 30, sums of up to 36 products of floats. */
const tolerance = 2e-4;
const step = 16 / 255;

for (const [name, anchor] of anchors)
  test(`${name} keeps what stands behind it`, async () => {
    for (const [tail, build] of Object.entries(tails))
      for (const isRounded of [false, true]) {
        const b = new ModelBuilder();
        const y = build(b, anchor(b, b.parameter('x', shape)));
        b.result(isRounded ? quantizer(b, y, -8, 8) : y);
        const feeds = randomFeeds(b.model);
        const expected = Object.values(await evaluate(b.model, feeds))[0]!;
        for (const maxIsa of ['scalar', undefined] as const) {
          await using executable = await compileNative(b.model, maxIsa ? { maxIsa, threads: 1 } : { threads: 2 });
          const result = Object.values((await executable.run(feeds)).outputs)[0]!;
          assert.deepEqual(result.shape, expected.shape);
          const error = maxAbsError(result, expected);
          assert.ok(error <= tolerance + (isRounded ? step : 0), `${tail}${isRounded ? ', rounded' : ''}: ${error}`);
        }
      }
  });
