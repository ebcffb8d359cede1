import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { expandNode } from '../../lib/ops/expand-node.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { expectNative, uneven } from '../support/expect-native.ts';
import { evaluate, ModelBuilder } from '../support/model-builder.ts';

const size = fc.integer({ min: 1, max: 5 });
const dims = fc.array(size, { minLength: 3, maxLength: 5 });
const seed = fc.integer({ min: 1, max: 1e6 });

test('NormalizeL2 is its sums, roots and quotients', async () => {
  // Of five axes those that are divided and those that are summed may alternate more often than the kernel has axes.
  const few = fc.array(size, { minLength: 3, maxLength: 4 });
  const plan = few.chain((shape) =>
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
      await expectNative(b.model, { x: uneven(p.shape, p.seed) }, 3e-6);
    }),
    { numRuns: 15 },
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
      await expectNative(b.model, { x: uneven(p.shape, p.seed) }, 3e-6);
    }),
    { numRuns: 15 },
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
        await expectNative(b.model, { x: uneven(shape, p.seed) }, 0);
      }
    }),
    { numRuns: 15 },
  );
});

/** Whole numbers in [low, high], or booleans. */
function whole(type: ElementType, shape: Shape, low: number, high: number, from: number): Tensor {
  const { normal } = random(from);
  const next = () => low + (Math.floor(Math.abs(normal() * 1e4)) % (high - low + 1));
  return tensor(type, shape, Array.from({ length: elementCount(shape) }, next));
}

test('LogSoftmax is a difference to the logarithm of a sum', async () => {
  const plan = dims.chain((shape) =>
    fc.record({ shape: fc.constant(shape), axis: fc.integer({ min: -shape.length, max: shape.length - 1 }), seed }),
  );
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const b = new ModelBuilder();
      b.result(b.op('LogSoftmax', [b.parameter('x', p.shape)], { axis: p.axis }));
      await expectNative(b.model, { x: uneven(p.shape, p.seed) }, 2e-6);
    }),
    { numRuns: 15 },
  );
});

test('OneHot compares each position with the index', async () => {
  const plan = fc.record({
    shape: fc.array(size, { maxLength: 4 }),
    ...{ depth: size, seed, axis: fc.nat(4) },
    index: fc.constantFrom<ElementType>('i32', 'i64'),
    type: fc.constantFrom<ElementType>('f32', 'i32', 'i64', 'boolean'),
  });
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const b = new ModelBuilder();
      const [on, off] = [1, 0].map((v) => b.constant(`value${v}`, [], [v], p.type));
      const inputs = [b.parameter('x', p.shape, p.index), b.constant('depth', [], [p.depth], 'i64'), on!, off!];
      b.result(b.op('OneHot', inputs, { axis: p.axis % (p.shape.length + 1) }));
      await expectNative(b.model, { x: whole(p.index, p.shape, -1, p.depth, p.seed) }, 0);
    }),
    { numRuns: 15 },
  );
});

test('ReverseSequence gathers each sequence from its end', async () => {
  const plan = dims.chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axes: fc.uniqueArray(fc.nat(shape.length - 1), { minLength: 2, maxLength: 2 }),
      type: fc.constantFrom<ElementType>('i32', 'i64'),
      seed,
    }),
  );
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const [batch, axis] = p.axes as [number, number];
      const b = new ModelBuilder();
      const lengths = b.parameter('lengths', [p.shape[batch]!], p.type);
      const attributes = { batch_axis: batch, seq_axis: axis };
      b.result(b.op('ReverseSequence', [b.parameter('x', p.shape), lengths], attributes));
      const feeds = { lengths: whole(p.type, [p.shape[batch]!], 0, p.shape[axis]!, p.seed) };
      await expectNative(b.model, { x: uneven(p.shape, p.seed), ...feeds }, 0);
    }),
    { numRuns: 15 },
  );
});

test('ReverseSequence refuses lengths outside of the axis', async () => {
  const b = new ModelBuilder();
  const lengths = b.parameter('lengths', [2], 'i32');
  b.result(b.op('ReverseSequence', [b.parameter('x', [2, 3]), lengths], { batch_axis: 0, seq_axis: 1 }));
  await using executable = await compileNative(b.model);
  for (const wrong of [-1, -7, 4, 100]) {
    const feeds = { x: uneven([2, 3], 1), lengths: tensor('i32', [2], [2, wrong]) };
    await assert.rejects(executable.run(feeds), { code: 'ERR_SHAPE_MISMATCH' }, `${wrong}`);
  }
});

test('questions about booleans and floats are comparisons', async () => {
  const values = [0, -1, 1e38, Infinity, -Infinity, NaN, 1e-45, 3];
  const b = new ModelBuilder();
  const x = b.parameter('x', [2, 4]);
  const plans: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['IsNaN', {}],
    ['IsFinite', {}],
    ...[true, false].flatMap((detect_negative) =>
      [true, false].map((detect_positive) => ['IsInf', { detect_negative, detect_positive }] as const),
    ),
  ];
  for (const [i, [type, attributes]] of plans.entries()) b.result(b.op(type, [x], attributes, `op${i}`), `result${i}`);
  const y = b.op('IsFinite', [x], {}, 'finite');
  b.result(b.op('LogicalNot', [y]), 'not');
  for (const [i, axes] of [[0], [1], [0, 1]].entries()) {
    const list = b.constant(`axes${i}`, [axes.length], axes, 'i64');
    for (const type of ['ReduceLogicalAnd', 'ReduceLogicalOr'])
      b.result(b.op(type, [y, list], { keep_dims: i === 0 }, `${type}${i}`), `${type}${i}`);
  }
  await expectNative(b.model, { x: tensor('f32', [2, 4], values) }, 0);
  const out = Object.values(await evaluate(b.model, { x: tensor('f32', [2, 4], values) }));
  assert.deepEqual([...out[plans.length]!.data], [0, 0, 0, 1, 1, 1, 0, 0]);
});

test('of no booleans all are true, and none is', async () => {
  const b = new ModelBuilder();
  const [x, axes] = [b.parameter('x', [2, 0], 'boolean'), b.constant('axes', [1], [1], 'i64')];
  for (const type of ['ReduceLogicalAnd', 'ReduceLogicalOr']) b.result(b.op(type, [x, axes], {}, type), `is_${type}`);
  const feeds = { x: tensor('boolean', [2, 0], []) };
  await using executable = await compileNative(b.model);
  for (const outputs of [await evaluate(b.model, feeds), (await executable.run(feeds)).outputs]) {
    const [all, any] = Object.values(outputs);
    assert.deepEqual([...all!.data, ...any!.data], [1, 1, 0, 0]);
  }
});

test('ConvertLike is a conversion', async () => {
  const b = new ModelBuilder();
  const like = b.constant('like', [1], [0], 'i32');
  b.result(b.op('ConvertLike', [b.parameter('x', [4]), like]));
  await expectNative(b.model, { x: tensor('f32', [4], [-1.5, 0, 2.7, 3e9]) }, 0);
});

test('ExtractImagePatches is slices of a padded image', async () => {
  const pair = (least: number, most: number) =>
    fc.array(fc.integer({ min: least, max: most }), { minLength: 2, maxLength: 2 });
  const plan = fc.record({
    shape: fc.tuple(fc.constantFrom(1, 2), size, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    ...{ sizes: pair(1, 3), strides: pair(1, 3), rates: pair(1, 2), seed },
    auto_pad: fc.constantFrom('valid', 'same_upper', 'same_lower'),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ shape, seed: from, ...attributes }) => {
      const b = new ModelBuilder();
      const y = b.op('ExtractImagePatches', [b.parameter('x', shape)], attributes);
      fc.pre(!y.fact.shape.includes(0));
      b.result(y);
      await expectNative(b.model, { x: uneven(shape, from) }, 0);
    }),
    { numRuns: 15 },
  );
});

test('ExtractImagePatches of large windows stays on the host', () => {
  for (const [width, expands] of [
    [16, true],
    [17, false],
  ] as const) {
    const b = new ModelBuilder();
    const attributes = { sizes: [16, width], strides: [1, 1], rates: [1, 1], auto_pad: 'valid' };
    const y = b.op('ExtractImagePatches', [b.parameter('x', [1, 1, 20, 20])], attributes);
    b.result(y);
    assert.equal(expandNode(b.model, y.node), expands, `${width}`);
  }
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
      await expectNative(b.model, { x: uneven(shape, p.seed) }, 4e-7);
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
      await expectNative(b.model, { x: uneven(shape, p.seed) }, 0);
    }),
    { numRuns: 60 },
  );
});
