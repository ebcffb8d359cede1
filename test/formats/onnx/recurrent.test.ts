// LSTM, GRU and RNN of ONNX beside ONNX Runtime: all directions and options, on both engines.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { describeExecution } from '../../../lib/engines/describe.ts';
import { compileNative } from '../../../lib/engines/native-engine.ts';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import type { AttributeValue } from '../../../lib/formats/onnx/build.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import type { Model } from '../../../lib/graph/model.ts';
import { maxAbsError } from '../../../lib/tensor/compare.ts';
import { elementCount, type Shape } from '../../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { random } from '../../../lib/util/random.ts';
import { randomFeeds } from '../../support/model-builder.ts';
import { node, onnxBytes } from '../../support/onnx.ts';
import { runOnnxRuntime, withoutOnnxRuntime } from '../../support/onnxruntime.ts';
import { sharedFolder } from '../../support/shared-folder.ts';

const gates = { LSTM: 4, GRU: 3, RNN: 1 };
type Kind = keyof typeof gates;

interface Variant {
  readonly kind: Kind;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Steps of each sample; absent: all. */
  readonly lengths?: readonly number[];
  readonly states?: boolean;
  readonly peepholes?: boolean;
  readonly noBias?: boolean;
}

const [steps, batch, inputSize, hidden] = [5, 3, 4, 6];

function modelOf(v: Variant, batchSize: number | string) {
  const { normal } = random(11);
  const values = (shape: Shape): Tensor =>
    tensor(
      'f32',
      shape,
      Float32Array.from({ length: elementCount(shape) }, () => normal() / 2),
    );
  const d = v.attributes.direction === 'bidirectional' ? 2 : 1;
  const rows = gates[v.kind] * hidden;
  const states = v.kind === 'LSTM' ? ['h0', 'c0'] : ['h0'];
  const initializers = {
    w: values([d, rows, inputSize]),
    r: values([d, rows, hidden]),
    ...(v.noBias ? {} : { b: values([d, 2 * rows]) }),
    ...(v.lengths ? { lengths: tensor('i32', [batch], [...v.lengths]) } : {}),
    ...(v.states ? Object.fromEntries(states.map((s) => [s, values([d, batch, hidden])])) : {}),
    ...(v.peepholes ? { p: values([d, 3 * hidden]) } : {}),
  };
  const has = (name: string) => (name in initializers ? name : '');
  const inputs = [
    'x',
    'w',
    'r',
    has('b'),
    has('lengths'),
    has('h0'),
    ...(v.kind === 'LSTM' ? [has('c0'), has('p')] : []),
  ];
  const outputs = ['y', 'y_h', ...(v.kind === 'LSTM' ? ['y_c'] : [])];
  const bytes = onnxBytes({
    opset: 13,
    inputs: { x: ['f32', [steps, batchSize === 'dynamic' ? -1 : batch, inputSize]] },
    initializers,
    nodes: [node(v.kind, inputs, outputs, { hidden_size: BigInt(hidden), ...v.attributes })],
    outputs,
  });
  return { bytes, feeds: { x: values([steps, batch, inputSize]) } };
}

const directions = ['forward', 'reverse', 'bidirectional'];
const variants: readonly Variant[] = [
  ...(Object.keys(gates) as Kind[]).flatMap((kind) => [
    ...directions.map((direction) => ({ kind, attributes: { direction } })),
    ...directions.map((direction) => ({ kind, attributes: { direction }, lengths: [5, 2, 3], states: true })),
    { kind, attributes: { clip: 0.25 }, states: true },
    { kind, attributes: {}, noBias: true },
  ]),
  ...directions.map((direction) => ({ kind: 'GRU' as const, attributes: { direction, linear_before_reset: 1n } })),
  { kind: 'LSTM', attributes: { direction: 'bidirectional' }, peepholes: true, states: true },
  { kind: 'LSTM', attributes: { input_forget: 1n } },
  {
    kind: 'LSTM',
    attributes: {
      activations: ['HardSigmoid', 'ScaledTanh', 'Elu'],
      activation_alpha: [0.3, 0.5, 2],
      activation_beta: [0.4, 0.25],
    },
  },
  {
    kind: 'RNN',
    attributes: { direction: 'bidirectional', activations: ['Relu', 'LeakyRelu'], activation_alpha: [0.3] },
  },
];

async function compare(
  model: Model,
  feeds: Record<string, Tensor>,
  expected: Record<string, Tensor>,
  tolerance: number,
) {
  for (const engine of [referenceEngine, { compile: compileNative }]) {
    await using executable = await engine.compile(model, {
      shapes: Object.fromEntries(Object.entries(feeds).map(([k, t]) => [k, t.shape])),
    });
    const { outputs } = await executable.run(feeds);
    assert.deepEqual(Object.keys(outputs).sort(), Object.keys(expected).sort());
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual(outputs[name]!.shape, value.shape, name);
      const error = maxAbsError(outputs[name]!, value);
      assert.ok(error <= tolerance, `${name} is off by ${error}`);
    }
  }
}

for (const v of variants) {
  const { attributes, kind, ...rest } = v;
  test(`${kind} ${JSON.stringify({ ...attributes, ...rest }, (_, v) => (typeof v === 'bigint' ? Number(v) : v))}`, {
    skip: withoutOnnxRuntime,
  }, async () => {
    const { bytes, feeds } = modelOf(v, batch);
    await compare(readOnnx(bytes), feeds, await runOnnxRuntime(bytes, feeds), 2e-6);
  });
}

test('a dynamic batch is filled with zero states and full lengths', { skip: withoutOnnxRuntime }, async () => {
  for (const kind of Object.keys(gates) as Kind[]) {
    const { bytes, feeds } = modelOf({ kind, attributes: {} }, 'dynamic');
    await compare(readOnnx(bytes), feeds, await runOnnxRuntime(bytes, feeds), 2e-6);
  }
});

test('sequences of known length run natively', async () => {
  const { bytes } = modelOf({ kind: 'LSTM', attributes: { direction: 'bidirectional' }, states: true }, batch);
  await using executable = await compileNative(readOnnx(bytes));
  assert.deepEqual(
    describeExecution(executable).filter((n) => n.precision === 'host'),
    [],
  );
});

const models = sharedFolder('models');

for (const name of ['dtln_model_1', 'dtln_model_2']) {
  test(`${name} as in ONNX Runtime`, { skip: models.skip || withoutOnnxRuntime }, async () => {
    const bytes = readFileSync(path.join(models.path, `${name}.onnx`));
    const model = readOnnx(bytes);
    const feeds = randomFeeds(model);
    await compare(model, feeds, await runOnnxRuntime(bytes, feeds), 1e-4);
  });
}
