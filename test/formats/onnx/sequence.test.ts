import assert from 'node:assert/strict';
import test from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import type { ErrorCode } from '../../../lib/errors/codes.ts';
import { type ModelProto, ModelProtoSchema, TypeProtoSchema } from '../../../lib/formats/onnx/onnx_pb.ts';
import { type ReadOnnxOptions, readOnnx } from '../../../lib/formats/onnx/read.ts';
import { openModel } from '../../../lib/formats/open.ts';
import { hasRank } from '../../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { bodyProto, node, type OnnxSpec, onnxBytes, onnxProto } from '../../support/onnx.ts';

type Tensors = Readonly<Record<string, Tensor>>;

async function run(bytes: Uint8Array, feeds: Tensors, options: ReadOnnxOptions = {}): Promise<Tensors> {
  await using executable = await referenceEngine.compile(readOnnx(bytes, options));
  return (await executable.run(feeds)).outputs;
}

function refuses(bytes: Uint8Array, code: ErrorCode, pattern: RegExp, options: ReadOnnxOptions = {}): void {
  assert.throws(
    () => readOnnx(bytes, options),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, pattern);
      return true;
    },
  );
}

const f32 = (values: readonly number[], shape = [values.length]) => tensor('f32', shape, values);
const i64 = (value: number) => tensor('i64', [], [value]);
const truth = (value: boolean) => tensor('boolean', [], [Number(value)]);

const vector = ['f32', [2]] as const;
const counter = { i: ['i64', []], going: ['boolean', []] } as const;
const on = node('Identity', ['going'], ['on']);
const feeds = { x: f32([1, 2]), y: f32([3, 4]) };

/** A model of two vectors and the sequence `s` of both. */
function pair(nodes: OnnxSpec['nodes'], outputs: readonly string[], more: Partial<OnnxSpec> = {}): Uint8Array {
  return onnxBytes({
    inputs: { x: vector, y: vector, ...more.inputs },
    initializers: { ...more.initializers },
    nodes: [node('SequenceConstruct', ['x', 'y'], ['s']), ...nodes],
    outputs,
  });
}

test('an output that is a sequence is an output for each of its tensors', async () => {
  assert.deepEqual(await run(pair([], ['s']), feeds), { 's.0': feeds.x, 's.1': feeds.y });
});

test('elements are inserted, erased, counted and read at positions from both ends', async () => {
  const nodes = [
    node('Neg', ['x'], ['z']),
    node('SequenceInsert', ['s', 'z', 'second'], ['three']),
    node('SequenceErase', ['three', 'last'], ['two']),
    node('SequenceLength', ['three'], ['count']),
    node('SequenceAt', ['three', 'last'], ['end']),
    node('SequenceErase', ['two'], ['one']),
  ];
  const bytes = pair(nodes, ['two', 'count', 'end', 'one'], { initializers: { second: i64(1), last: i64(-1) } });
  assert.deepEqual(await run(bytes, feeds), {
    'two.0': feeds.x,
    'two.1': f32([-1, -2]),
    count: i64(3),
    end: feeds.y,
    'one.0': feeds.x,
  });
  const beyond = pair([node('SequenceAt', ['s', 'p'], ['e'])], ['e'], { initializers: { p: i64(2) } });
  refuses(beyond, 'ERR_ONNX_GRAPH', /'e': its position is 2, the sequence has 2 elements/);
});

test('a computed position picks among tensors of one shape', async () => {
  const bytes = pair([node('SequenceAt', ['s', 'p'], ['e'])], ['e'], { inputs: { p: ['i64', []] } });
  assert.deepEqual(await run(bytes, { ...feeds, p: i64(1) }), { e: feeds.y });
  assert.deepEqual(await run(bytes, { ...feeds, p: i64(-2) }), { e: feeds.x });
  const grown = [node('Concat', ['x', 'y'], ['u'], { axis: 0n }), node('SequenceInsert', ['s', 'u'], ['t'])];
  const other = pair([...grown, node('SequenceAt', ['t', 'p'], ['e'])], ['e'], { inputs: { p: ['i64', []] } });
  refuses(other, 'ERR_ONNX_UNSUPPORTED', /position is computed.*f32\[2\], f32\[4\]/);
});

test('tensors are split into sequences and joined from them', async () => {
  const nodes = [
    node('Concat', ['x', 'y'], ['c'], { axis: 0n }),
    node('SplitToSequence', ['c', 'three'], ['uneven']),
    node('SplitToSequence', ['c', 'list'], ['listed']),
    node('SplitToSequence', ['c'], ['scalars'], { keepdims: 0n }),
    node('ConcatFromSequence', ['scalars'], ['stacked'], { axis: 0n, new_axis: 1n }),
    node('ConcatFromSequence', ['s'], ['joined'], { axis: -1n }),
    node('ConcatFromSequence', ['s'], ['columns'], { axis: -1n, new_axis: 1n }),
  ];
  const initializers = { three: i64(3), list: tensor('i64', [2], [1, 3]) };
  const bytes = pair(nodes, ['uneven', 'listed', 'stacked', 'joined', 'columns'], { initializers });
  assert.deepEqual(await run(bytes, feeds), {
    'uneven.0': f32([1, 2, 3]),
    'uneven.1': f32([4]),
    'listed.0': f32([1]),
    'listed.1': f32([2, 3, 4]),
    stacked: f32([1, 2, 3, 4]),
    joined: f32([1, 2, 3, 4]),
    columns: f32([1, 3, 2, 4], [2, 2]),
  });
  const dynamic = onnxBytes({
    inputs: { x: ['f32', [-1]] },
    nodes: [node('SplitToSequence', ['x'], ['s'])],
    outputs: ['s'],
  });
  refuses(dynamic, 'ERR_ONNX_UNSUPPORTED', /axis 0 has a dynamic size, so the length of the sequence is not known/);
});

/** s grows by x · i in each iteration. */
const growing = bodyProto({
  inputs: { ...counter, list: vector },
  nodes: [
    on,
    node('Cast', ['i'], ['f'], { to: 1n }),
    node('Mul', ['x', 'f'], ['p']),
    node('SequenceInsert', ['list', 'p'], ['next']),
    node('SequenceLength', ['next'], ['length']),
  ],
  outputs: { on: ['boolean', []], next: vector, length: ['i64', []] },
});

test('a loop that passes a sequence on is written out', async () => {
  const nodes = [node('SequenceEmpty', [], ['e']), node('Loop', ['m', '', 'e'], ['r', 'n'], { body: growing })];
  assert.deepEqual(await run(pair(nodes, ['r', 'n'], { initializers: { m: i64(3) } }), feeds), {
    'r.0': f32([0, 0]),
    'r.1': f32([1, 2]),
    'r.2': f32([2, 4]),
    n: tensor('i64', [3], [1, 2, 3]),
  });
  const computed = pair(nodes, ['r'], { inputs: { m: ['i64', []] } });
  refuses(
    computed,
    'ERR_ONNX_UNSUPPORTED',
    /begins as a sequence of 0 and becomes a sequence of 1.*must be a constant/,
  );
  const many = pair(nodes, ['r'], { initializers: { m: i64(10_000_000) } });
  refuses(many, 'ERR_ONNX_UNSUPPORTED', /passes through 10000000 iterations; at most 65536/);
});

test('a loop of any length passes a sequence on whose length stays', async () => {
  const body = bodyProto({
    inputs: { ...counter, list: vector },
    nodes: [
      on,
      node('SequenceAt', ['list', 'first'], ['a']),
      node('SequenceAt', ['list', 'last'], ['b']),
      node('Add', ['a', 'b'], ['c']),
      node('SequenceConstruct', ['b', 'c'], ['next']),
    ],
    outputs: { on: ['boolean', []], next: vector },
  });
  const bytes = pair([node('Loop', ['m', '', 's'], ['r'], { body })], ['r'], {
    inputs: { m: ['i64', []] },
    initializers: { first: i64(0), last: i64(-1) },
  });
  assert.deepEqual(await run(bytes, { ...feeds, m: i64(2) }), { 'r.0': f32([4, 6]), 'r.1': f32([7, 10]) });
  assert.deepEqual(await run(bytes, { ...feeds, m: i64(0) }), { 'r.0': feeds.x, 'r.1': feeds.y });
});

test('branches give sequences of one length', async () => {
  const branch = (op: string, name: string) =>
    bodyProto({
      nodes: [
        node('SequenceAt', ['s', 'p'], [`${name}0`]),
        node(op, [`${name}0`], [`${name}1`]),
        node('SequenceConstruct', [`${name}1`, `${name}0`], [name]),
      ],
      outputs: { [name]: vector },
    });
  const nodes = [node('If', ['c'], ['r'], { then_branch: branch('Neg', 't'), else_branch: branch('Abs', 'e') })];
  const bytes = pair(nodes, ['r'], { inputs: { c: ['boolean', []] }, initializers: { p: i64(1) } });
  assert.deepEqual(await run(bytes, { ...feeds, c: truth(true) }), { 'r.0': f32([-3, -4]), 'r.1': feeds.y });
  assert.deepEqual(await run(bytes, { ...feeds, c: truth(false) }), { 'r.0': feeds.y, 'r.1': feeds.y });
});

test('a map runs its body for each element', async () => {
  const body = bodyProto({
    inputs: { a: vector, b: vector, k: vector },
    nodes: [node('Add', ['a', 'b'], ['sum']), node('Mul', ['sum', 'k'], ['product'])],
    outputs: { product: vector, sum: vector },
  });
  const bytes = pair([node('SequenceMap', ['s', 's', 'x'], ['p', 'q'], { body })], ['p', 'q']);
  assert.deepEqual(await run(bytes, feeds), {
    'p.0': f32([2, 8]),
    'p.1': f32([6, 16]),
    'q.0': f32([2, 4]),
    'q.1': f32([6, 8]),
  });
  const uneven = [node('SequenceInsert', ['s', 'x'], ['t']), node('SequenceMap', ['s', 't', 'x'], ['p'], { body })];
  refuses(pair(uneven, ['p']), 'ERR_ONNX_GRAPH', /its input 1 has 3 elements, input 0 has 2/);
});

test('optionals are present or absent', async () => {
  const nodes = [
    node('Optional', ['x'], ['some']),
    node('Optional', [], ['none']),
    node('OptionalHasElement', ['some'], ['has']),
    node('OptionalHasElement', ['none'], ['lacks']),
    node('OptionalGetElement', ['some'], ['content']),
    node('Relu', ['content'], ['z']),
  ];
  assert.deepEqual(await run(pair(nodes, ['has', 'lacks', 'z', 'none', 'some']), feeds), {
    has: truth(true),
    lacks: truth(false),
    z: feeds.x,
    some: feeds.x,
  });
  const absent = pair([...nodes.slice(0, 2), node('OptionalGetElement', ['none'], ['z'])], ['z']);
  refuses(absent, 'ERR_ONNX_GRAPH', /reads the content of an optional that is absent/);
});

test('a model whose outputs are all empty is refused', () => {
  refuses(
    pair([node('SequenceEmpty', [], ['e'])], ['e']),
    'ERR_ONNX_UNSUPPORTED',
    /empty sequences and absent optionals/,
  );
});

test('an operator on tensors refuses a sequence', () => {
  refuses(pair([node('Relu', ['s'], ['r'])], ['r']), 'ERR_ONNX_UNSUPPORTED', /input 0 is a sequence of 2 \(a tensor\)/);
  refuses(pair([node('SequenceLength', ['x'], ['r'])], ['r']), 'ERR_ONNX_GRAPH', /is a tensor, expected a sequence/);
});

/** Joins the sequence `s`, or gives `x` when the optional `o` is absent. */
function inputs(): ModelProto {
  const proto = onnxProto({
    inputs: { x: vector, s: vector, o: vector },
    initializers: {},
    nodes: [
      node('ConcatFromSequence', ['s'], ['joined'], { axis: 0n }),
      node('OptionalHasElement', ['o'], ['has']),
      node('If', ['has'], ['z'], {
        then_branch: bodyProto({ nodes: [node('OptionalGetElement', ['o'], ['t'])], outputs: { t: vector } }),
        else_branch: bodyProto({ nodes: [node('Neg', ['x'], ['e'])], outputs: { e: vector } }),
      }),
    ],
    outputs: ['joined', 'z'],
  });
  const elemType = create(TypeProtoSchema, { tensorType: { elemType: 1 } });
  proto.graph!.input[1]!.type = create(TypeProtoSchema, { sequenceType: { elemType } });
  proto.graph!.input[2]!.type = create(TypeProtoSchema, { optionalType: { elemType } });
  return proto;
}

test('inputs that are sequences or optional are what the caller states', async () => {
  const bytes = toBinary(ModelProtoSchema, inputs());
  const s = { 's.0': f32([1, 2, 3]), 's.1': f32([4]) };
  const stated = { s: [[3], [-1]], o: [[2]] };
  const given = await run(bytes, { ...s, x: feeds.x, o: feeds.y }, { elements: stated });
  assert.deepEqual(given, { joined: f32([1, 2, 3, 4]), z: feeds.y });
  const without = await run(bytes, { ...s, x: feeds.x }, { elements: { ...stated, o: null } });
  assert.deepEqual(without, { joined: f32([1, 2, 3, 4]), z: f32([-1, -2]) });
  const opened = await openModel(bytes, { elements: stated });
  assert.deepEqual(
    opened.parameters().map((p) => p.name),
    ['x', 's.0', 's.1', 'o'],
  );
});

test('what is not stated of an input, or wrongly, is refused', async () => {
  const bytes = toBinary(ModelProtoSchema, inputs());
  refuses(bytes, 'ERR_ONNX_UNSUPPORTED', /the input 's' is a sequence of tensors/);
  refuses(bytes, 'ERR_ONNX_UNSUPPORTED', /the input 'o' is optional/, { elements: { s: [[2]] } });
  refuses(bytes, 'ERR_CONFIG_INVALID', /'s' is a sequence, which cannot be absent/, { elements: { s: null } });
  refuses(bytes, 'ERR_CONFIG_INVALID', /'o' is one tensor, 2 are given/, { elements: { s: [[2]], o: [[2], [2]] } });
  const proto = inputs();
  proto.graph!.input[0]!.type = create(TypeProtoSchema, { tensorType: { elemType: 1 } });
  const open = toBinary(ModelProtoSchema, proto);
  const elements = { s: [[2]], o: null };
  assert.equal(hasRank(readOnnx(open, { elements }).parameters()[0]!.output.fact.shape), false);
  assert.deepEqual(readOnnx(open, { elements, shapes: { x: [5] } }).parameters()[0]!.output.fact.shape, [5]);
  const reshaped = await openModel(bytes, { elements, shapes: { x: [5] } });
  assert.deepEqual(reshaped.parameters()[0]!.output.fact.shape, [5]);
  const dim = [{ value: { case: 'dimValue' as const, value: 2n } }];
  const elemType = create(TypeProtoSchema, { tensorType: { elemType: 1, shape: { dim } } });
  const two = inputs();
  two.graph!.input[1]!.type = create(TypeProtoSchema, { sequenceType: { elemType } });
  const wrong = { elements: { s: [[5]], o: null } };
  refuses(toBinary(ModelProtoSchema, two), 'ERR_CONFIG_INVALID', /'s.0' is declared as \[2\].*\[5\]/, wrong);
});
