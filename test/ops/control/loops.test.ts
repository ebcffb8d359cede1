// Loops and conditions read from IR: inferred, verified, printed, run by both engines, and written as the same bytes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { describeExecution } from '../../../lib/engines/describe.ts';
import type { Feeds } from '../../../lib/engines/engine.ts';
import { compileNative } from '../../../lib/engines/native-engine.ts';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import { readIr } from '../../../lib/formats/ir/read.ts';
import { writeIr } from '../../../lib/formats/ir/write.ts';
import type { Model } from '../../../lib/graph/model.ts';
import { printModel } from '../../../lib/graph/print.ts';
import { verify } from '../../../lib/graph/verify.ts';
import { toFloat64 } from '../../../lib/tensor/convert.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { type EdgeText, irText, type LayerText } from '../../support/ir-text.ts';

/** The `<body>` of the text of a whole net. */
function bodyText(name: string, layers: readonly LayerText[], edges: readonly EdgeText[]): string {
  const text = irText(layers, edges);
  const inner = text.slice(text.indexOf('<layers>'), text.indexOf('</net>'));
  return `<${name}>${inner}</${name}>`;
}

function constantData(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** Reads the net, checks what must hold for every model, and returns it. */
function read(xml: string, bin?: Uint8Array): Model {
  const model = readIr(xml, bin);
  verify(model);
  const first = writeIr(model);
  const again = readIr(first.xml, first.bin);
  verify(again);
  assert.equal(printModel(again), printModel(model));
  const second = writeIr(again);
  assert.equal(second.xml, first.xml);
  assert.deepEqual(second.bin, first.bin);
  assert.equal(writeIr(model.clone()).xml, first.xml);
  return again;
}

async function expectOutputs(model: Model, feeds: Feeds, expected: readonly Tensor[]): Promise<void> {
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, t.shape]));
  for (const engine of [referenceEngine, { compile: compileNative }]) {
    await using executable = await engine.compile(model, { shapes });
    const outputs = Object.values((await executable.run(feeds)).outputs);
    assert.deepEqual(
      outputs.map((t) => [t.type, [...t.shape], [...toFloat64(t)]]),
      expected.map((t) => [t.type, [...t.shape], [...toFloat64(t)]]),
    );
  }
}

const f32 = (shape: number[], values: number[]) => tensor('f32', shape, values);

/** A body that adds its piece to the sum so far: parameters piece (0) and sum (1), results sum (3) and piece + sum (4). */
const summing = bodyText(
  'body',
  [
    { id: 0, type: 'Parameter', name: 'piece', data: 'element_type="f32" shape="1,2"' },
    { id: 1, type: 'Parameter', name: 'sum', data: 'element_type="f32" shape="1,2"' },
    { id: 2, type: 'Add', name: 'next', inputs: 2 },
    { id: 3, type: 'Result', name: 'carried', inputs: 1, outputs: 0 },
    { id: 4, type: 'Result', name: 'stored', inputs: 1, outputs: 0 },
  ],
  [
    [0, 0, 2, 0],
    [1, 0, 2, 1],
    [2, 2, 3, 0],
    [2, 2, 4, 0],
  ],
);

function iterator(slice: string, joinSlice: string, steps: number | string = 3): string {
  const ports =
    `<port_map><input external_port_id="0" internal_layer_id="0" ${slice}/>` +
    '<input external_port_id="1" internal_layer_id="1"/>' +
    `<output external_port_id="2" internal_layer_id="4" ${joinSlice}/>` +
    '<output external_port_id="3" internal_layer_id="3"/></port_map>' +
    '<back_edges><edge from-layer="3" to-layer="1"/></back_edges>';
  return irText(
    [
      { id: 0, type: 'Parameter', name: 'x', data: `element_type="f32" shape="${steps},2"` },
      { id: 1, type: 'Parameter', name: 'start', data: 'element_type="f32" shape="1,2"' },
      { id: 2, type: 'TensorIterator', name: 'loop', inputs: 2, outputs: 2, extra: `${ports}${summing}` },
      { id: 3, type: 'Result', name: 'all', inputs: 1, outputs: 0 },
      { id: 4, type: 'Result', name: 'last', inputs: 1, outputs: 0 },
    ],
    [
      [0, 0, 2, 0],
      [1, 0, 2, 1],
      [2, 2, 3, 0],
      [2, 3, 4, 0],
    ],
  );
}

const x = f32([3, 2], [1, 2, 10, 20, 100, 200]);
const start = f32([1, 2], [0.5, 0.25]);

test('TensorIterator runs over pieces and joins its results', async () => {
  const model = read(iterator('axis="0"', 'axis="0" start="0" end="-1" stride="1" part_size="1"'));
  assert.deepEqual(model.results()[0]!.output.fact.shape, [3, 2]);
  assert.match(printModel(model), /body body\n\s+piece = Parameter/);
  const sums = [1.5, 2.25, 11.5, 22.25, 111.5, 222.25];
  await expectOutputs(model, { x, start }, [f32([3, 2], sums), f32([1, 2], sums.slice(4))]);
  await using executable = await compileNative(model);
  const onHost = describeExecution(executable).filter((n) => n.precision === 'host');
  assert.deepEqual(onHost, [], 'a loop of known length is written out');
});

test('a negative stride walks from the end, and joins in the order of the input', async () => {
  const model = read(iterator('axis="0" start="-1" end="0" stride="-1"', 'axis="0" start="-1" end="0" stride="-1"'));
  const all = [111.5, 222.25, 110.5, 220.25, 100.5, 200.25];
  await expectOutputs(model, { x, start }, [f32([3, 2], all), f32([1, 2], all.slice(0, 2))]);
});

test('a range of the axis leaves out the other pieces', async () => {
  const model = read(iterator('axis="0" start="1" end="2"', 'axis="0"'));
  await expectOutputs(model, { x, start }, [f32([2, 2], [10.5, 20.25, 110.5, 220.25]), f32([1, 2], [110.5, 220.25])]);
});

test('the number of steps may be dynamic', async () => {
  const model = read(iterator('axis="0"', 'axis="0"', '?'));
  assert.deepEqual(model.results()[0]!.output.fact.shape, [-1, 2]);
  const two = f32([2, 2], [1, 2, 10, 20]);
  await expectOutputs(model, { x: two, start }, [f32([2, 2], [1.5, 2.25, 11.5, 22.25]), f32([1, 2], [11.5, 22.25])]);
});

/** sum += step as long as sum < limit, at most `count` times; the sums and the numbers of the iterations are joined. */
const counting =
  '<port_map><input external_port_id="2" internal_layer_id="0"/><input external_port_id="3" internal_layer_id="1"/>' +
  '<input external_port_id="4" internal_layer_id="2"/>' +
  '<input external_port_id="-1" internal_layer_id="3" purpose="current_iteration"/>' +
  '<output external_port_id="-1" internal_layer_id="7" purpose="execution_condition"/>' +
  '<output external_port_id="5" internal_layer_id="6"/><output external_port_id="6" internal_layer_id="6" axis="0"/>' +
  '<output external_port_id="7" internal_layer_id="8" axis="0"/></port_map>' +
  `<back_edges><edge from-layer="6" to-layer="0"/></back_edges>${bodyText(
    'body',
    [
      { id: 0, type: 'Parameter', name: 'sum', data: 'element_type="f32" shape="1"' },
      { id: 1, type: 'Parameter', name: 'step', data: 'element_type="f32" shape="1"' },
      { id: 2, type: 'Parameter', name: 'limit', data: 'element_type="f32" shape="1"' },
      { id: 3, type: 'Parameter', name: 'i', data: 'element_type="i64" shape="1"' },
      { id: 4, type: 'Add', inputs: 2 },
      { id: 5, type: 'Less', inputs: 2 },
      { id: 6, type: 'Result', inputs: 1, outputs: 0 },
      { id: 7, type: 'Result', inputs: 1, outputs: 0 },
      { id: 8, type: 'Result', inputs: 1, outputs: 0 },
    ],
    [
      [0, 0, 4, 0],
      [1, 0, 4, 1],
      [4, 2, 5, 0],
      [2, 0, 5, 1],
      [4, 2, 6, 0],
      [5, 2, 7, 0],
      [3, 0, 8, 0],
    ],
  )}`;

const loopModel = irText(
  [
    { id: 0, type: 'Parameter', name: 'count', data: 'element_type="i64" shape=""' },
    { id: 1, type: 'Parameter', name: 'go', data: 'element_type="boolean" shape=""' },
    { id: 2, type: 'Parameter', name: 'start', data: 'element_type="f32" shape="1"' },
    { id: 3, type: 'Parameter', name: 'step', data: 'element_type="f32" shape="1"' },
    { id: 4, type: 'Parameter', name: 'limit', data: 'element_type="f32" shape="1"' },
    { id: 5, type: 'Loop', name: 'loop', opset: 'opset5', inputs: 5, outputs: 3, extra: counting },
    ...[6, 7, 8].map((id) => ({ id, type: 'Result', inputs: 1, outputs: 0 })),
  ],
  [
    ...([0, 1, 2, 3, 4].map((i) => [i, 0, 5, i]) as EdgeText[]),
    ...([5, 6, 7].map((i) => [5, i, i + 1, 0]) as EdgeText[]),
  ],
);

async function expectLoop(count: number, go: number, limit: number, sums: number[], last: number): Promise<void> {
  const feeds = {
    count: tensor('i64', [], [count]),
    go: tensor('boolean', [], [go]),
    start: f32([1], [1]),
    step: f32([1], [2]),
    limit: f32([1], [limit]),
  };
  const numbers = tensor(
    'i64',
    [sums.length],
    sums.map((_, i) => i),
  );
  await expectOutputs(read(loopModel), feeds, [f32([1], [last]), f32([sums.length], sums), numbers]);
}

test('Loop ends after its trip count', () => expectLoop(2, 1, 100, [3, 5], 5));
test('Loop ends when its condition is false', () => expectLoop(-1, 1, 6, [3, 5, 7], 7));
test('Loop without an iteration gives what it began with', async () => {
  await expectLoop(0, 1, 6, [], 1);
  await expectLoop(5, 0, 6, [], 1);
});

test('If runs the body that its condition chooses', async () => {
  const branch = (name: string, type: string, offset: number) =>
    bodyText(
      name,
      [
        { id: 0, type: 'Parameter', name: 'x', data: 'element_type="f32" shape="2"' },
        { id: 1, type: 'Const', name: 'c', data: `element_type="f32" shape="1" offset="${offset}" size="4"` },
        { id: 2, type, inputs: 2 },
        { id: 3, type: 'Result', inputs: 1, outputs: 0 },
      ],
      [
        [0, 0, 2, 0],
        [1, 0, 2, 1],
        [2, 2, 3, 0],
      ],
    );
  const map = (name: string) =>
    `<${name}><input external_port_id="1" internal_layer_id="0"/><output external_port_id="2" internal_layer_id="3"/></${name}>`;
  const extra =
    map('then_port_map') + map('else_port_map') + branch('then_body', 'Add', 0) + branch('else_body', 'Multiply', 4);
  const xml = irText(
    [
      { id: 0, type: 'Parameter', name: 'c', data: 'element_type="boolean" shape=""' },
      { id: 1, type: 'Parameter', name: 'x', data: 'element_type="f32" shape="2"' },
      { id: 2, type: 'If', name: 'if', opset: 'opset8', inputs: 2, outputs: 1, extra },
      { id: 3, type: 'Result', inputs: 1, outputs: 0 },
    ],
    [
      [0, 0, 2, 0],
      [1, 0, 2, 1],
      [2, 2, 3, 0],
    ],
  );
  const model = read(xml, constantData(10, -3));
  assert.deepEqual(model.results()[0]!.output.fact.shape, [2]);
  for (const [condition, values] of [
    [1, [11, 12]],
    [0, [-3, -6]],
  ] as const) {
    const feeds = { c: tensor('boolean', [], [condition]), x: f32([2], [1, 2]) };
    await expectOutputs(model, feeds, [f32([2], [...values])]);
  }
});

test('port maps that name what does not exist are refused', () => {
  const good = iterator('axis="0"', 'axis="0"');
  const cases: [RegExp | string, string, string][] = [
    ['internal_layer_id="1"', 'internal_layer_id="7"', 'ERR_IR_EDGE'],
    ['external_port_id="1"', 'external_port_id="9"', 'ERR_IR_EDGE'],
    ['from-layer="3" to-layer="1"', 'from-layer="0" to-layer="1"', 'ERR_IR_EDGE'],
    ['<input external_port_id="1" internal_layer_id="1"/>', '', 'ERR_IR_EDGE'],
    ['internal_layer_id="0" axis="0"', 'internal_layer_id="0" axis="x"', 'ERR_IR_EDGE'],
    ['internal_layer_id="0" axis="0"', 'internal_layer_id="0" axis="0" stride="0"', 'ERR_IR_EDGE'],
    ['internal_layer_id="0" axis="0"', 'internal_layer_id="0" axis="5"', 'ERR_SHAPE_RANK'],
    ['internal_layer_id="0" axis="0"', 'internal_layer_id="0" axis="0" part_size="2"', 'ERR_SHAPE_MISMATCH'],
    ['internal_layer_id="0" axis="0"', 'internal_layer_id="0"', 'ERR_OP_INPUTS'],
    [/<body>.*<\/body>/s, '', 'ERR_IR_SYNTAX'],
  ];
  for (const [from, to, code] of cases) {
    const xml = good.replace(from, to);
    assert.notEqual(xml, good);
    assert.throws(
      () => readIr(xml, undefined),
      (e) => e instanceof LowpError && e.code === code && e.message.includes('loop'),
      `${from} → ${to}`,
    );
  }
});
