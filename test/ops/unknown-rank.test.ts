// Inference where ranks or lengths are unknown, or enormous.
import assert from 'node:assert/strict';
import test from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { Fact } from '../../lib/graph/node.ts';
import { agreedRanks } from '../../lib/ops/any-rank.ts';
import { inferFacts, parseAttributes } from '../../lib/ops/create-node.ts';
import { factOf } from '../../lib/ops/fact.ts';
import { getOp } from '../../lib/ops/index.ts';
import { formatShape, isWithin, type Shape, unknownRank } from '../../lib/tensor/shape.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { opCases } from '../conformance/cases/index.ts';

const x: Fact = { type: 'f32', shape: [2, 3] };
const huge: Fact = { type: 'i64', shape: [2 ** 31] };
const axis: Fact = { type: 'i64', shape: [], value: tensor('i64', [], [1]) };
const size: Fact = { type: 'i64', shape: [], value: tensor('i64', [], [4]) };

type Case = readonly [type: string, opset: string, attributes: object, inputs: readonly Fact[], code: string];

const cases: readonly Case[] = [
  ['Broadcast', 'opset3', { mode: 'bidirectional' }, [x, huge], 'ERR_SHAPE_RANK'],
  ['Reshape', 'opset1', { special_zero: false }, [x, huge], 'ERR_SHAPE_RANK'],
  ['Unsqueeze', 'opset1', {}, [x, huge], 'ERR_SHAPE_RANK'],
  ['Tile', 'opset1', {}, [x, huge], 'ERR_SHAPE_RANK'],
  ['Eye', 'opset9', { output_type: 'f32' }, [size, size, axis, huge], 'ERR_SHAPE_RANK'],
  [
    'Squeeze',
    'opset1',
    {},
    [
      { type: 'f32', shape: [3, 1, 2] },
      { type: 'i64', shape: [3] },
    ],
    'ERR_SHAPE_MISMATCH',
  ],
  ['VariadicSplit', 'opset1', {}, [x, axis, huge], 'ERR_LIMIT_SIZE'],
];

for (const [type, opset, attributes, inputs, code] of cases) {
  test(`${type}: a length that the result cannot have is refused before a list is made of it`, () => {
    const definition = getOp(type, opset, 'node');
    const isExpected = (error: unknown): boolean => error instanceof LowpError && error.code === code;
    assert.throws(() => definition.infer(definition.attributes.parse(attributes) as never, inputs), isExpected);
  });
}

const code = (wanted: string) => (error: unknown) => error instanceof LowpError && error.code === wanted;

/** What is inferred, as one text for each output. */
function inferred(type: string, opset: string, attributes: object, inputs: readonly Fact[]): string[] {
  const definition = getOp(type, opset, 'node');
  const parsed = parseAttributes(definition, { ...attributes }, 'node');
  return inferFacts(definition, parsed, inputs, 'node').map(({ shape }) => formatShape(shape));
}

const integers = (shape: Shape): Fact => ({ type: 'i64', shape });

for (const shape of [unknownRank, [-1]]) {
  test(`axes, repeats and sizes of shape ${formatShape(shape)} leave the rank of the output open`, () => {
    const open = integers(shape);
    const input: Fact = { type: 'f32', shape: [2, 3, 4] };
    const line: Fact = { type: 'f32', shape: [1, 1, 1] };
    assert.deepEqual(inferred('ReduceSum', 'opset1', { keep_dims: false }, [input, open]), ['[...]']);
    assert.deepEqual(inferred('ReduceSum', 'opset1', { keep_dims: true }, [input, open]), ['[?,?,?]']);
    assert.deepEqual(inferred('Unsqueeze', 'opset1', {}, [input, open]), ['[...]']);
    assert.deepEqual(inferred('Squeeze', 'opset1', {}, [line, open]), ['[...]']);
    assert.deepEqual(inferred('Tile', 'opset1', {}, [input, open]), ['[...]']);
    assert.deepEqual(inferred('Eye', 'opset9', { output_type: 'f32' }, [size, size, axis, open]), ['[...]']);
    assert.throws(() => inferred('VariadicSplit', 'opset1', {}, [input, axis, open]), code('ERR_SHAPE_DYNAMIC'));
  });
}

test('what is inferred for an input of unknown rank or sizes holds for every case', () => {
  let held = 0;
  for (const c of opCases) {
    const definition = getOp(c.op, c.opset);
    if (definition.control) continue;
    const attributes = parseAttributes(definition, c.attributes, c.name);
    const facts = c.inputs.map(factOf);
    for (const [i, { type, shape }] of facts.entries()) {
      for (const open of [unknownRank, shape.map(() => -1)]) {
        let outputs: readonly Fact[];
        try {
          outputs = inferFacts(definition, attributes, facts.with(i, { type, shape: open }), c.name);
        } catch (error) {
          // Some need their axes or kernels; refusing is no claim.
          assert.ok(error instanceof LowpError, `${c.name}: ${error}`);
          continue;
        }
        const where = `${c.name}, input ${i} of shape ${formatShape(open)}`;
        assert.equal(outputs.length, c.expected.length, where);
        for (const [k, expected] of c.expected.entries()) {
          const told = outputs[k]!;
          assert.ok(isWithin(expected.shape, told.shape), `${where}: output ${k} is ${formatShape(told.shape)}`);
          assert.equal(told.type, expected.type, where);
        }
        held++;
      }
    }
  }
  assert.ok(held > 1000, `${held} inferences`);
});

test('a computed size of -2 is no unknown rank', () => {
  const shape: Fact = { type: 'i64', shape: [2], value: tensor('i64', [2], [-2, 3]) };
  const one: Fact = { type: 'i64', shape: [1], value: tensor('i64', [1], [-2]) };
  const bound = (value: number): Fact => ({ type: 'f32', shape: [], value: tensor('f32', [], [value]) });
  for (const wanted of [shape, one]) {
    const inputs = [wanted, bound(0), bound(1)];
    assert.throws(
      () => inferred('RandomUniform', 'opset8', { output_type: 'f32' }, inputs),
      code('ERR_SHAPE_OVERFLOW'),
    );
  }
  const [rois, scores]: Fact[] = [
    { type: 'f32', shape: [8, 4] },
    { type: 'f32', shape: [8] },
  ];
  const topRois = () => inferred('ExperimentalDetectronTopKROIs', 'opset6', { max_rois: -2 }, [rois!, scores!]);
  assert.throws(topRois, (e) => e instanceof LowpError);
});

test('ranks are tried for as many values as can be combined, and one that is not known of is not left out', () => {
  assert.deepEqual(
    agreedRanks('node', 3, () => 'same'),
    [1, 1, 1],
  );
  assert.deepEqual(
    agreedRanks('node', 1, ([rank]) => {
      if (rank !== 0) throw new LowpError('ERR_SHAPE_RANK', 'scalars only');
      return 'scalar';
    }),
    [0],
  );
  let attempts = 0;
  const attempt = () => `${attempts++}`;
  const isExplained = (e: unknown) =>
    e instanceof LowpError && e.code === 'ERR_SHAPE_DYNAMIC' && e.node === 'node' && /shapes/.test(e.help ?? '');
  const hasOddOne = (ranks: readonly number[]) => (new Set(ranks).size > 1 ? 'odd' : 'alike');
  assert.throws(() => agreedRanks('node', 4, hasOddOne), isExplained);
  assert.throws(() => agreedRanks('node', 9, attempt), isExplained);
  assert.equal(attempts, 0);
  assert.throws(() => agreedRanks('node', 1, attempt), isExplained);
  assert.equal(attempts, 2, 'the second differs');
  const unknown = ([rank]: readonly number[]) => {
    if (rank === 3) throw new LowpError('ERR_SHAPE_DYNAMIC', 'not known');
    return 'same';
  };
  assert.throws(() => agreedRanks('node', 1, unknown), code('ERR_SHAPE_DYNAMIC'));
});

test('a variable that is declared without a rank has none, and is written so', () => {
  const definition = getOp('ReadValue', 'opset6');
  const declared = { variable_id: 'v', variable_type: 'f32', variable_shape: '...' };
  const attributes = parseAttributes(definition, declared, 'read');
  assert.equal(inferFacts(definition, attributes, [], 'read')[0]!.shape, unknownRank);
  assert.deepEqual(definition.ir!.write!(attributes as never), declared);
});
