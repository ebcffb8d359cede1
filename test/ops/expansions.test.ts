import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { Model } from '../../lib/graph/model.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { evaluate, ModelBuilder } from '../support/model-builder.ts';

const uneven = (shape: Shape, seed: number): Tensor => {
  const { normal } = random(seed);
  return tensor('f32', shape, Array.from({ length: elementCount(shape) }, normal));
};

/** Everything runs in kernels, and elements are at most `tolerance` away from the reference's. */
async function expectNative(model: Model, x: Tensor, tolerance: number): Promise<void> {
  const expected = await evaluate(model, { x });
  await using executable = await compileNative(model, { threads: 2 });
  assert.deepEqual(
    executable.steps.flatMap((s) => (s.kind === 'host' ? [`${s.node.type}: ${s.reason}`] : [])),
    [],
  );
  const { outputs } = await executable.run({ x });
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual(outputs[name]!.shape, value.shape);
    if (tolerance === 0) assert.deepEqual(outputs[name]!.data, value.data);
    else assert.ok(maxAbsError(outputs[name]!, value) <= tolerance, name);
  }
}

const size = fc.integer({ min: 1, max: 5 });
const dims = fc.array(size, { minLength: 3, maxLength: 5 });
const seed = fc.integer({ min: 1, max: 1e6 });

test('NormalizeL2 is its sums, roots and quotients', async () => {
  const plan = dims.chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axes: fc.uniqueArray(fc.integer({ min: 0, max: shape.length - 1 })),
      mode: fc.constantFrom('add', 'max'),
      seed,
    }),
  );
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const b = new ModelBuilder();
      const axes = b.constant('axes', [p.axes.length], p.axes, 'i64');
      b.result(b.op('NormalizeL2', [b.parameter('x', p.shape), axes], { eps: 0.5, eps_mode: p.mode }));
      await expectNative(b.model, uneven(p.shape, p.seed), 3e-6);
    }),
    { numRuns: 60 },
  );
});

test('LRN over channels, or over all axes behind them, is a mean of squares', async () => {
  const plan = fc.record({
    ...{ shape: dims, size, seed, spatial: fc.boolean() },
    beta: fc.constantFrom(0.5, 0.75, 1),
  });
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const list = p.spatial ? p.shape.slice(2).map((_, i) => i + 2) : [1];
      const b = new ModelBuilder();
      const attributes = { alpha: 0.7, beta: p.beta, bias: 1.5, size: p.size };
      const axes = b.constant('axes', [list.length], list, 'i64');
      b.result(b.op('LRN', [b.parameter('x', p.shape), axes], attributes));
      await expectNative(b.model, uneven(p.shape, p.seed), 3e-6);
    }),
    { numRuns: 60 },
  );
});

test('LRN of another power stays on the host', async () => {
  const b = new ModelBuilder();
  const attributes = { alpha: 0.7, beta: 0.6, bias: 1.5, size: 3 };
  b.result(b.op('LRN', [b.parameter('x', [1, 4, 2, 2]), b.constant('axes', [1], [1], 'i64')], attributes));
  await using executable = await compileNative(b.model);
  assert.deepEqual(
    executable.steps.map((s) => (s.kind === 'host' ? s.node.type : s.kind)),
    ['LRN'],
  );
});

test('SpaceToBatch and BatchToSpace are padding, turned blocks and cuts', async () => {
  const axis = fc.record({ blocks: size, block: fc.integer({ min: 1, max: 3 }), begin: fc.nat(2), end: fc.nat(2) });
  const plan = fc.record({ batch: size, channels: size, axes: fc.array(axis, { minLength: 1, maxLength: 2 }), seed });
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const rank = 2 + p.axes.length;
      const cut = p.axes.map((a) => {
        const whole = a.blocks * a.block;
        const begin = Math.min(a.begin, whole - 1);
        return { begin, end: Math.min(a.end, whole - 1 - begin), size: whole };
      });
      const count = p.axes.reduce((product, a) => product * a.block, 1);
      const spread = (list: readonly number[], first: number) => [first, first, ...list];
      for (const op of ['SpaceToBatch', 'BatchToSpace']) {
        const b = new ModelBuilder();
        const inside = cut.map((c) => c.size - c.begin - c.end);
        const shape =
          op === 'SpaceToBatch'
            ? [p.batch, p.channels, ...inside]
            : [p.batch * count, p.channels, ...p.axes.map((a) => a.blocks)];
        const lists = [
          spread(
            p.axes.map((a) => a.block),
            1,
          ),
          spread(
            cut.map((c) => c.begin),
            0,
          ),
          spread(
            cut.map((c) => c.end),
            0,
          ),
        ];
        const inputs = lists.map((list, i) => b.constant(`list${i}`, [rank], list, 'i64'));
        b.result(b.op(op, [b.parameter('x', shape), ...inputs]));
        await expectNative(b.model, uneven(shape, p.seed), 0);
      }
    }),
    { numRuns: 100 },
  );
});

test('RegionYolo is sigmoids and softmax of its parts', async () => {
  const plan = fc.record({
    ...{ batch: fc.integer({ min: 1, max: 2 }), height: size, width: size, classes: size, num: size, seed },
    ...{ coords: fc.constantFrom(3, 4, 5), isSoftmax: fc.boolean(), more: fc.constantFrom(0, 3) },
    ...{ axis: fc.constantFrom(1, 2), endAxis: fc.constantFrom(2, 3, -1) },
  });
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const b = new ModelBuilder();
      const channels = p.num * (p.coords + p.classes + 1) + (p.isSoftmax ? 0 : p.more);
      const shape = [p.batch, channels, p.height, p.width];
      const boxes = { coords: p.coords, classes: p.classes, num: p.isSoftmax ? p.num : 9 };
      const kind = { do_softmax: p.isSoftmax, mask: Array.from({ length: p.num }, (_, i) => i) };
      const flat = { axis: p.axis, end_axis: p.endAxis };
      b.result(b.op('RegionYolo', [b.parameter('x', shape)], { ...boxes, ...kind, ...flat }));
      // A few units in the last place of results up to 1, and of sizes none.
      await expectNative(b.model, uneven(shape, p.seed), 4e-7);
    }),
    { numRuns: 80 },
  );
});

test('ReorgYolo is SpaceToDepth of the input as it reads it', async () => {
  const plan = fc.record({
    ...{ batch: fc.integer({ min: 1, max: 3 }), height: size, width: size, planes: size, seed },
    stride: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const b = new ModelBuilder();
      const shape = [p.batch, p.planes * p.stride ** 2, p.height * p.stride, p.width * p.stride];
      b.result(b.op('ReorgYolo', [b.parameter('x', shape)], { stride: [p.stride] }));
      await expectNative(b.model, uneven(shape, p.seed), 0);
    }),
    { numRuns: 60 },
  );
});
