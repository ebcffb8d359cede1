import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { OutputPort } from '../../lib/graph/node.ts';
import { createNode } from '../../lib/ops/index.ts';
import { runPasses, scatterSlices } from '../../lib/passes/index.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { evaluate, ModelBuilder, randomFeeds } from '../support/model-builder.ts';

/** Every index tuple of a box, first axis slowest. */
function box(ranges: readonly (readonly [begin: number, end: number])[]): number[][] {
  return ranges.reduce<number[][]>(
    (tuples, [begin, end]) => tuples.flatMap((t) => Array.from({ length: end - begin }, (_, i) => [...t, begin + i])),
    [[]],
  );
}

interface Case {
  readonly shape: Shape;
  readonly ranges: readonly (readonly [begin: number, end: number])[];
  /** Replaces the indices of the box. */
  readonly indices?: readonly number[];
  readonly reduction?: string;
}

function scattered({ shape, ranges, indices, reduction }: Case): { b: ModelBuilder; y: OutputPort } {
  const b = new ModelBuilder();
  const counts = ranges.map(([begin, end]) => end - begin);
  const updates = b.parameter('updates', [...counts, ...shape.slice(ranges.length)]);
  const at = b.constant('at', [...counts, ranges.length], indices ?? box(ranges).flat(), 'i64');
  const inputs = [b.parameter('x', shape), at, updates];
  if (reduction === undefined) return { b, y: b.op('ScatterNDUpdate', inputs) };
  const notes = { opset: 'opset15' };
  const spec = { type: 'ScatterNDUpdate', name: 'reducing', attributes: { reduction }, inputs, notes };
  return { b, y: createNode(b.model, spec).output };
}

const types = (b: ModelBuilder): string[] =>
  b.model.nodes().flatMap((n) => (['Parameter', 'Constant', 'Result'].includes(n.type) ? [] : [n.type]));

async function keepsFunction(b: ModelBuilder): Promise<void> {
  const feeds = randomFeeds(b.model);
  const before = await evaluate(b.model, feeds);
  runPasses(b.model, [scatterSlices]);
  assert.deepEqual(await evaluate(b.model, feeds), before);
  assert.equal(scatterSlices.run(b.model, {}), 0);
}

test('a range in the middle of one axis becomes a Concat of what stays and what is new', async () => {
  const { b, y } = scattered({
    shape: [2, 3, 7, 2],
    ranges: [
      [0, 2],
      [0, 3],
      [2, 5],
    ],
  });
  b.result(y);
  await keepsFunction(b);
  assert.deepEqual(types(b), ['Slice', 'Slice', 'Concat']);
  const concat = b.model.nodes().find((n) => n.type === 'Concat')!;
  assert.equal(concat.attributes.axis, 2);
  assert.deepEqual(
    concat.inputs.map((i) => i.source!.fact.shape),
    [
      [2, 3, 2, 2],
      [2, 3, 3, 2],
      [2, 3, 2, 2],
    ],
  );
});

test('a Reshape of the axes in front is done with each part, so that the Concat is along the channels', async () => {
  const { b, y } = scattered({
    shape: [1, 4, 6, 3, 2],
    ranges: [
      [0, 1],
      [0, 4],
      [2, 6],
    ],
  });
  const shape = b.constant('shape', [4], [4, 6, 3, 2], 'i64');
  b.result(b.op('Reshape', [y, shape], { special_zero: false }));
  await keepsFunction(b);
  const concat = b.model.nodes().find((n) => n.type === 'Concat')!;
  assert.equal(concat.attributes.axis, 1);
  assert.deepEqual(
    concat.inputs.map((i) => [i.source!.node.type, i.source!.fact.shape]),
    [
      ['Reshape', [4, 2, 3, 2]],
      ['Reshape', [4, 4, 3, 2]],
    ],
  );
});

test('a Reshape that takes the axis apart, or is not the only reader, stays behind the Concat', async () => {
  for (const [shape, others] of [
    [[8, 3, 6], false],
    [[4, 6, 3, 2], true],
  ] as const) {
    const { b, y } = scattered({
      shape: [1, 4, 6, 3, 2],
      ranges: [
        [0, 1],
        [0, 4],
        [2, 6],
      ],
    });
    b.result(b.op('Reshape', [y, b.constant('shape', [shape.length], shape, 'i64')], { special_zero: false }));
    if (others) b.result(b.op('ReLU', [y]), 'other');
    await keepsFunction(b);
    assert.equal(b.model.nodes().find((n) => n.type === 'Concat')!.attributes.axis, 2);
  }
});

test('indices that count from the end are the same places', async () => {
  const { b, y } = scattered({ shape: [5, 2], ranges: [[3, 5]], indices: [-2, -1] });
  b.result(y, 'y');
  await keepsFunction(b);
  assert.deepEqual(types(b), ['Slice', 'Concat']);
});

test('nothing is done where two axes are partial, places are out of order or add to what is there', () => {
  const cases: Case[] = [
    {
      shape: [4, 6],
      ranges: [
        [1, 4],
        [0, 3],
      ],
    },
    { shape: [6, 2], ranges: [[2, 5]], indices: [2, 4, 3] },
    { shape: [6, 2], ranges: [[2, 5]], indices: [2, 2, 3] },
    { shape: [6, 2], ranges: [[2, 5]], reduction: 'sum' },
    {
      shape: [2, 3],
      ranges: [
        [0, 2],
        [0, 3],
      ],
    },
  ];
  for (const c of cases) {
    const { b, y } = scattered(c);
    b.result(y);
    assert.equal(scatterSlices.run(b.model, {}), 0, JSON.stringify(c));
  }
});

test('indices that are computed, or sizes that are not known, leave the scatter alone', () => {
  const b = new ModelBuilder();
  const inputs = [b.parameter('x', [4, 2]), b.parameter('at', [2, 1], 'i64'), b.parameter('updates', [2, 2])];
  b.result(b.op('ScatterNDUpdate', inputs));
  const at = b.constant('at', [2, 1], [0, 1], 'i64');
  b.result(b.op('ScatterNDUpdate', [b.parameter('z', [4, -1]), at, b.parameter('new', [2, -1])]));
  assert.equal(scatterSlices.run(b.model, {}), 0);
});

test('the function stays, whatever the shape and the range', async () => {
  const cases = fc
    .tuple(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(), fc.nat())
    .filter(([shape]) => elementCount(shape) > 1);
  await fc.assert(
    fc.asyncProperty(cases, async ([shape, a, from, count]) => {
      const axis = a % shape.length;
      fc.pre(shape[axis]! > 1);
      const length = 1 + (count % (shape[axis]! - 1));
      const begin = from % (shape[axis]! - length + 1);
      const named = shape.slice(0, axis + 1);
      const ranges = named.map((d, i) => (i === axis ? ([begin, begin + length] as const) : ([0, d] as const)));
      const { b, y } = scattered({ shape, ranges });
      b.result(y);
      await keepsFunction(b);
    }),
    { numRuns: 60 },
  );
});
