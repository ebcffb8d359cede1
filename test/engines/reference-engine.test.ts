import assert from 'node:assert/strict';
import test from 'node:test';
import { doubleEngine, referenceEngine } from '../../lib/engines/reference-engine.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { addConstant } from '../../lib/graph/edit.ts';
import { Model } from '../../lib/graph/model.ts';
import { createNode } from '../../lib/ops/index.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { f32 } from '../conformance/cases/op-case.ts';
import { ModelBuilder } from '../support/model-builder.ts';

/** x `[?, 2, 2]` → scale (×10) → relu → y; `shift` is a node that no output needs. */
function smallModel(): Model {
  const model = new Model('small');
  const x = createNode(model, { type: 'Parameter', name: 'x', attributes: { shape: '?,2,2' }, inputs: [] }).output;
  const ten = addConstant(model, 'ten', f32([], [10])).output;
  const scale = createNode(model, { type: 'Multiply', name: 'scale', inputs: [x, ten] }).output;
  const relu = createNode(model, { type: 'ReLU', name: 'relu', inputs: [scale], names: [['y']] }).output;
  createNode(model, { type: 'Add', name: 'shift', inputs: [scale, ten] });
  createNode(model, { type: 'Result', name: 'result', inputs: [relu] });
  return model;
}

const fed = { x: f32([1, 2, 2], [1, -2, 3, NaN]) };

function throwsWith(code: string, pattern: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof LowpError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    return true;
  };
}

test('runs a model and returns outputs by name', async () => {
  await using executable = await referenceEngine.compile(smallModel());
  const { outputs } = await executable.run(fed);
  assert.deepEqual(Object.keys(outputs), ['y']);
  assert.deepEqual(Array.from(outputs.y!.data, Number), [10, 0, 30, NaN]);
});

test('taps and observes values that no output needs', async () => {
  const model = smallModel();
  const [scale, shift] = [model.node('scale').output, model.node('shift').output];
  await using executable = await referenceEngine.compile(model, {
    taps: [shift, model.node('x').output],
    observe: [
      { port: scale, granularity: 'perTensor' },
      { port: scale, granularity: 'perChannel', channelAxis: 1 },
      { port: scale, granularity: 'perChannel', channelAxis: -1 },
    ],
  });
  const { taps, observations } = await executable.run(fed);
  assert.deepEqual(Array.from(taps[0]!.data, Number), [20, -10, 40, NaN]);
  assert.equal(taps[1], fed.x);
  const plain = observations.map((o) => [o.min, o.max, o.absMax, o.mean].map((a) => Array.from(a)));
  assert.deepEqual(plain[0], [[-20], [30], [30], [Math.fround(20 / 3)]]);
  assert.deepEqual(plain[1], [
    [-20, 30],
    [10, 30],
    [20, 30],
    [-5, 30],
  ]);
  assert.deepEqual(plain[2], [
    [10, -20],
    [30, -20],
    [30, 20],
    [20, -20],
  ]);
  assert.deepEqual(
    observations.map((o) => o.nonFinite),
    [1, 1, 1],
  );
});

test('changes of the model after compilation do not reach the session', async () => {
  const model = smallModel();
  await using executable = await referenceEngine.compile(model);
  model.node('scale').attributes = { auto_broadcast: 'none' };
  const { outputs } = await executable.run(fed);
  assert.equal(outputs.y!.data[0], 10);
});

test('refuses feeds that do not fit the inputs', async () => {
  await using executable = await referenceEngine.compile(smallModel(), { shapes: { x: [1, 2, 2] } });
  const refuses = (feeds: Record<string, ReturnType<typeof f32>>, pattern: RegExp): Promise<void> =>
    assert.rejects(executable.run(feeds), throwsWith('ERR_RUN_INPUT', pattern));
  await refuses({}, /'x' is not fed/);
  await refuses({ ...fed, z: fed.x }, /no input 'z'; its inputs are 'x'/);
  await refuses({ x: f32([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]) }, /takes f32\[1,2,2\], it was fed f32\[2,2,2\]/);
  await refuses({ x: tensor('u8', [1, 2, 2], [1, 2, 3, 4]) }, /it was fed u8/);
});

test('names the node whose evaluation fails', async () => {
  const model = new Model('failing');
  const x = createNode(model, { type: 'Parameter', name: 'x', attributes: { shape: '-1,4' }, inputs: [] }).output;
  const y = createNode(model, { type: 'Parameter', name: 'y', attributes: { shape: '-1,4' }, inputs: [] }).output;
  const sum = createNode(model, { type: 'Add', name: 'sum', inputs: [x, y] }).output;
  createNode(model, { type: 'Result', name: 'result', inputs: [sum] });
  await using executable = await referenceEngine.compile(model);
  const feeds = { x: f32([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), y: f32([3, 4], new Array<number>(12).fill(0)) };
  await assert.rejects(executable.run(feeds), (error) => {
    assert.equal((error as LowpError).node, 'sum');
    return throwsWith('ERR_SHAPE_MISMATCH', /Add 'sum'.*f32\[2,4\], f32\[3,4\]/)(error);
  });
});

test('stops between nodes when it is aborted, and refuses to run when closed', async () => {
  const executable = await referenceEngine.compile(smallModel());
  const controller = new AbortController();
  const run = executable.run(fed, { signal: controller.signal });
  controller.abort();
  await assert.rejects(run, throwsWith('ERR_ABORTED', /interrupted/));
  const again = await executable.run(fed);
  assert.equal(again.outputs.y!.data[0], 10);
  await executable.close();
  await assert.rejects(executable.run(fed), throwsWith('ERR_RUN_CLOSED', /small/));
});

test('in doubles neither values between nodes nor quantizers are rounded to narrower floats', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [2], 'f16');
  const third = b.constant('third', [], [0x3555], 'f16'); // 1365 / 4096
  const product = b.op('Multiply', [x, third]);
  const [low, high] = [b.constant('low', [], [0], 'f16'), b.constant('high', [], [0x4000], 'f16')]; // 0 to 2
  b.result(product, 'product');
  b.result(b.op('FakeQuantize', [product, low, high, low, high], { levels: 4 }, 'rounded'), 'quantizer');
  const ones = tensor('f16', [2], Uint16Array.of(0x3c01, 0x3c00)); // 1 + 2^-10 and 1
  await using doubles = await doubleEngine.compile(b.model);
  const { outputs } = await doubles.run({ x: ones });
  assert.deepEqual(outputs.multiply, tensor('f64', [2], Float64Array.of((1025 / 1024) * (1365 / 4096), 1365 / 4096)));
  // Limit 1/3 between levels 0 and 1: the first is above it, the second below.
  assert.deepEqual(outputs.rounded, tensor('f64', [2], Float64Array.of(2 / 3, 0)));
  await using half = await referenceEngine.compile(b.model);
  assert.equal((await half.run({ x: ones })).outputs.multiply!.type, 'f16');
});

test('variables keep the type of the model between runs in doubles', async () => {
  const b = new ModelBuilder();
  const variable = { variable_id: 'state' };
  const read = b.op('ReadValue', [b.constant('zero', [1], [0])], variable);
  const next = b.op('Add', [read, b.parameter('x', [1])]);
  b.op('Assign', [next], variable);
  b.result(next);
  await using doubles = await doubleEngine.compile(b.model);
  const variables = new Map();
  for (const sum of [0.5, 1]) {
    const { outputs } = await doubles.run({ x: f32([1], [0.5]) }, { variables });
    assert.deepEqual(outputs.add, tensor('f64', [1], Float64Array.of(sum)));
  }
  assert.equal(variables.get('state').type, 'f32');
});
