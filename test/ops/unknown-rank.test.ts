// Shapes whose number of dimensions is the length of an input that claims to be enormous.
import assert from 'node:assert/strict';
import test from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { Fact } from '../../lib/graph/node.ts';
import { getOp } from '../../lib/ops/index.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

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
