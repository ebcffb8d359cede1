import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { Model } from '../../lib/graph/model.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { createNode } from '../../lib/ops/index.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { evaluate, ModelBuilder } from '../support/model-builder.ts';

function whole(type: ElementType, shape: Shape, seed: number, most = 1e6): Tensor {
  const { normal } = random(seed);
  return tensor(
    type,
    shape,
    Array.from({ length: elementCount(shape) }, () => Math.round((normal() * most) / 4)),
  );
}

async function expectNative(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<void> {
  const expected = await evaluate(model, feeds);
  await using executable = await compileNative(model, { threads: 2 });
  const hosts = executable.steps.flatMap((s) => (s.kind === 'host' ? [`${s.node.type}: ${s.reason}`] : []));
  assert.deepEqual(hosts, []);
  assert.deepEqual((await executable.run(feeds)).outputs, expected);
}

const moves: Readonly<Record<string, (b: ModelBuilder, x: OutputPort) => OutputPort>> = {
  Reshape: (b, x) => b.op('Reshape', [x, b.constant('s', [2], [6, -1], 'i64')], { special_zero: false }),
  Transpose: (b, x) => b.op('Transpose', [x, b.constant('o', [4], [0, 2, 3, 1], 'i64')]),
  Unsqueeze: (b, x) => b.op('Unsqueeze', [x, b.constant('a', [1], [1], 'i64')]),
  Slice: (b, x) =>
    b.op('StridedSlice', [x, b.constant('b', [4], [0, 0, 1, 0], 'i64'), b.constant('e', [4], [2, 2, 3, 4], 'i64')], {
      begin_mask: [],
      end_mask: [],
    }),
  Split: (b, x) => b.op('Split', [x, b.constant('a', [], [1], 'i64')], { num_splits: 3 }),
  Concat: (b, x) =>
    b.op(
      'Concat',
      [
        x,
        x,
        b.constant(
          'c',
          [2, 1, 3, 4],
          Array.from({ length: 24 }, (_, i) => i),
          x.fact.type,
        ),
      ],
      { axis: 1 },
    ),
  Tile: (b, x) => b.op('Tile', [x, b.constant('r', [4], [1, 2, 1, 3], 'i64')]),
  Broadcast: (b, x) => b.op('Broadcast', [x, b.constant('t', [5], [2, 2, 3, 3, 4], 'i64')]),
};

for (const type of ['i32', 'i64', 'boolean'] as const) {
  for (const [name, move] of Object.entries(moves)) {
    test(`${name} moves ${type}`, async () => {
      const b = new ModelBuilder();
      b.result(move(b, b.parameter('x', [2, 3, 3, 4], type)));
      await expectNative(b.model, { x: whole(type, [2, 3, 3, 4], 3) });
    });
  }
}

const wholeFunctions = ['Add', 'Subtract', 'Multiply', 'Maximum', 'Minimum', 'Divide', 'Mod', 'FloorMod'] as const;
const relations = ['Equal', 'NotEqual', 'Less', 'LessEqual', 'Greater', 'GreaterEqual'] as const;

test('functions and relations of whole numbers, broadcast', async () => {
  const dims = fc.array(fc.record({ size: fc.integer({ min: 1, max: 6 }), repeats: fc.nat(3) }), { maxLength: 4 });
  const plan = fc.record({
    dims,
    op: fc.constantFrom(...wholeFunctions, ...relations),
    type: fc.constantFrom<ElementType>('i32', 'i64'),
    isKnown: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1e6 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ dims, op, type, isKnown, seed }) => {
      const a = dims.map((d) => (d.repeats === 1 ? 1 : d.size));
      const b = dims.map((d) => (d.repeats === 2 ? 1 : d.size));
      const builder = new ModelBuilder();
      const [x, y] = [whole(type, a, seed), whole(type, b, seed + 1)];
      const left = builder.parameter('x', a, type);
      const right = isKnown ? builder.constant('y', b, [...y.data].map(Number), type) : builder.parameter('y', b, type);
      builder.result(builder.op(op, [left, right]));
      await expectNative(builder.model, isKnown ? { x } : { x, y });
    }),
    { numRuns: 100 },
  );
});

const large = [
  0,
  1.5,
  -1.5,
  3e9,
  -3e9,
  1e19,
  -1e19,
  2 ** 31,
  -(2 ** 31),
  2 ** 63,
  2 ** 70,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];

for (const to of ['i32', 'i64', 'f32'] as const) {
  for (const from of ['f32', 'i32', 'i64', 'u8', 'i8', 'i16', 'boolean'] as const) {
    test(`Convert from ${from} to ${to}`, async () => {
      const b = new ModelBuilder();
      const values = from === 'f32' ? large : large.map((v) => (Number.isFinite(v) ? Math.trunc(v % 2 ** 40) : 7));
      const x = tensor(from, [values.length], from === 'boolean' ? values.map((v) => (v > 0 ? 1 : 0)) : values);
      b.result(b.op('Convert', [b.parameter('x', [values.length], from)], { destination_type: to }));
      await expectNative(b.model, { x });
    });
  }
}

/** Pooling whose positions are made relative to their plane, and put back: as networks export unpooling. */
function unpooling(type: ElementType): Model {
  const b = new ModelBuilder();
  const x = b.parameter('x', [2, 5, 6, 8]);
  const pool = (kernel: number) => {
    const attributes = {
      kernel: [kernel, kernel],
      strides: [kernel, kernel],
      pads_begin: [0, 0],
      pads_end: [0, 0],
      index_element_type: type,
    };
    return createNode(b.model, { type: 'MaxPool', name: `pool${kernel}`, attributes, inputs: [x] });
  };
  const [values, positions] = pool(2).outputs as [OutputPort, OutputPort];
  const all = pool(1).outputs[1]!;
  const ends = [b.constant('b', [4], [0, 0, 0, 0], 'i64'), b.constant('e', [4], [2, 5, 1, 1], 'i64')];
  const first = b.op('StridedSlice', [all, ...ends], { begin_mask: [], end_mask: [] });
  const shape = b.constant('shape', [3], [2, 5, 12], 'i64');
  const flat = (port: OutputPort, name: string) => b.op('Reshape', [port, shape], { special_zero: false }, name);
  const inPlane = b.op('Subtract', [positions, first]);
  const zeros = b.constant('zeros', [2, 5, 48], new Array(480).fill(0));
  const axis = b.constant('axis', [], [2], 'i64');
  const put = b.op('ScatterElementsUpdate', [zeros, flat(inPlane, 'at'), flat(b.op('ReLU', [values]), 'values'), axis]);
  b.result(b.op('Reshape', [put, b.constant('image', [4], [2, 5, 6, 8], 'i64')], { special_zero: false }, 'image'));
  b.result(inPlane, 'positions');
  return b.model;
}

for (const type of ['i32', 'i64'] as const) {
  test(`unpooling by positions of ${type} is native`, async () => {
    const { normal } = random(4);
    const x = tensor('f32', [2, 5, 6, 8], Array.from({ length: 480 }, normal));
    await expectNative(unpooling(type), { x });
  });
}

test('whole numbers are read as they are and as floats', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [2, 3, 4, 4], 'i64');
  const sum = b.op('Add', [x, b.constant('one', [1, 3, 1, 1], [1, 2, 3], 'i64')]);
  const floats = b.op('Convert', [sum], { destination_type: 'f32' });
  b.result(b.op('ReLU', [floats]), 'floats');
  b.result(sum, 'sum');
  b.result(b.op('Transpose', [sum, b.constant('o', [4], [1, 0, 3, 2], 'i64')]), 'turned');
  await expectNative(b.model, { x: whole('i64', [2, 3, 4, 4], 3, 2 ** 20) });
});

test('results of whole numbers may be inputs, and constants', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [4], 'i32');
  b.result(b.op('Concat', [x, b.constant('c', [2], [7, 8], 'i32'), x], { axis: 0 }), 'joined');
  b.result(x, 'same');
  await expectNative(b.model, { x: tensor('i32', [4], [1, -2, 3, -4]) });
});

test('quotients toward zero, and by zero', async () => {
  for (const type of ['i32', 'i64'] as const) {
    for (const m_pythondiv of [true, false]) {
      const b = new ModelBuilder();
      b.result(b.op('Divide', [b.parameter('x', [7], type), b.parameter('y', [7], type)], { m_pythondiv }));
      const x = tensor(type, [7], [7, -7, 7, -7, 5, -5, 0]);
      await expectNative(b.model, { x, y: tensor(type, [7], [2, 2, -2, -2, 0, 0, 0]) });
    }
  }
});

for (const type of ['f32', 'i32', 'i64', 'boolean'] as const) {
  test(`a choice between values of ${type} is native, and so is padding`, async () => {
    const b = new ModelBuilder();
    const x = b.parameter('x', [2, 3, 4], type);
    const other = b.constant('other', [3, 1], [1, 0, 1], type);
    const isFirst = b.op('Equal', [x, b.constant('first', [1, 4], [0, 1, 1, 0], type)]);
    b.result(b.op('Select', [isFirst, x, other]), 'chosen');
    const amounts = ['begin', 'end'].map((name, i) => b.constant(name, [3], [0, 1, i], 'i64'));
    b.result(b.op('Pad', [x, ...amounts, b.constant('value', [], [1], type)], { pad_mode: 'constant' }), 'padded');
    const values = Array.from({ length: 24 }, (_, i) => (i * 7) % 2);
    await expectNative(b.model, { x: tensor(type, [2, 3, 4], values) });
  });
}

test('booleans are joined and compared', async () => {
  const b = new ModelBuilder();
  const [x, y] = [b.parameter('x', [2, 2], 'boolean'), b.parameter('y', [2], 'boolean')];
  for (const op of ['LogicalAnd', 'LogicalOr', 'LogicalXor', 'NotEqual']) b.result(b.op(op, [x, y]), `result of ${op}`);
  await expectNative(b.model, { x: tensor('boolean', [2, 2], [0, 0, 1, 1]), y: tensor('boolean', [2], [0, 1]) });
});

test('floats are compared as they are, with NaN', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [1, 4, 1, 1]);
  const y = b.constant('y', [4, 1, 1], [1, Number.NaN, 0, -1]);
  for (const op of relations) b.result(b.op(op, [x, y]), `result of ${op}`);
  await expectNative(b.model, { x: tensor('f32', [1, 4, 1, 1], [1, Number.NaN, -0, 2]) });
});
