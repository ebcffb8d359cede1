// Operations with kernels of their own, against the reference on every instruction set and on one and two threads.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { expectNative, uneven } from '../support/expect-native.ts';
import { ModelBuilder } from '../support/model-builder.ts';

const seed = fc.integer({ min: 1, max: 1e6 });
const size = fc.integer({ min: 1, max: 5 });
const dims = fc.array(size, { minLength: 1, maxLength: 4 });
const numeric = fc.constantFrom<ElementType>('f32', 'i32', 'i64');
const index = fc.constantFrom<ElementType>('i32', 'i64');
const flag = fc.boolean();

/** Whole numbers in [low, high]. */
function whole(type: ElementType, shape: Shape, low: number, high: number, from: number): Tensor {
  const { normal } = random(from);
  const next = () => low + (Math.floor(Math.abs(normal() * 1e4)) % (high - low + 1));
  return tensor(type, shape, Array.from({ length: elementCount(shape) }, next));
}

const runs = { numRuns: 15 };

test('functions of one element', async () => {
  const types = ['Log', 'Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan', 'Sinh', 'Cosh', 'Asinh', 'Acosh', 'Atanh'];
  const b = new ModelBuilder();
  const x = b.parameter('x', [3, 700]);
  for (const type of types) b.result(b.op(type, [x]), `${type}_result`);
  b.result(b.op('Round', [x], { mode: 'half_away_from_zero' }), 'round');
  const { normal } = random(3);
  const values = Array.from({ length: 2100 }, (_, i) => (i % 7 === 0 ? Math.round(normal() * 9) / 2 : normal() * 2));
  // Values stay below 4e4 but for Tan beside its poles.
  await expectNative(b.model, { x: tensor('f32', [3, 700], values) }, 1e-2);
});

test('CumSum of floats and whole numbers', async () => {
  const plan = dims.chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
      ...{ type: numeric, exclusive: flag, reverse: flag, seed },
    }),
  );
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const b = new ModelBuilder();
      const inputs = [b.parameter('x', p.shape, p.type), b.constant('axis', [], [p.axis], 'i64')];
      b.result(b.op('CumSum', inputs, { exclusive: p.exclusive, reverse: p.reverse }));
      const x = p.type === 'f32' ? uneven(p.shape, p.seed) : whole(p.type, p.shape, -9, 9, p.seed);
      await expectNative(b.model, { x }, 0);
    }),
    runs,
  );
});

test('Bucketize and SearchSorted', async () => {
  const plan = fc.record({ type: numeric, output_type: index, rows: size, size, values: size, right: flag, seed });
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const sorted = (shape: Shape): Tensor => {
        const values = [...whole(p.type, shape, -4, 4, p.seed).data].map(Number);
        const width = shape.at(-1)!;
        const rows = values.map((_, i) => values.slice(i - (i % width), i - (i % width) + width).sort((u, v) => u - v));
        return tensor(
          p.type,
          shape,
          values.map((_, i) => rows[i]![i % width]!),
        );
      };
      const b = new ModelBuilder();
      const x = b.parameter('x', [p.rows, p.values], p.type);
      const list = b.parameter('list', [p.size], p.type);
      const rows = b.parameter('rows', [p.rows, p.size], p.type);
      const attributes = { output_type: p.output_type };
      b.result(b.op('Bucketize', [x, list], { ...attributes, with_right_bound: p.right }), 'buckets');
      b.result(b.op('SearchSorted', [list, x], { ...attributes, right_mode: p.right }, 'search'), 'one');
      b.result(b.op('SearchSorted', [rows, x], { ...attributes, right_mode: p.right }, 'searches'), 'each');
      const feeds = { list: sorted([p.size]), rows: sorted([p.rows, p.size]) };
      await expectNative(b.model, { x: whole(p.type, [p.rows, p.values], -5, 5, p.seed + 1), ...feeds }, 0);
    }),
    runs,
  );
});

test('bitwise operations', async () => {
  const shapes = fc.constantFrom<[Shape, Shape]>(
    [
      [2, 3],
      [2, 3],
    ],
    [[2, 3], [3]],
    [
      [4, 1],
      [1, 5],
    ],
  );
  await fc.assert(
    fc.asyncProperty(shapes, index, seed, async ([left, right], type, from) => {
      const b = new ModelBuilder();
      const [x, y] = [b.parameter('x', left, type), b.parameter('y', right, type)];
      for (const op of ['And', 'Or', 'Xor', 'LeftShift', 'RightShift'])
        b.result(b.op(`Bitwise${op}`, [x, y]), `r${op}`);
      b.result(b.op('BitwiseNot', [x]), 'not');
      const feeds = { x: whole(type, left, -1000, 1000, from), y: whole(type, right, 0, 31, from + 1) };
      await expectNative(b.model, feeds, 0);
    }),
    runs,
  );
});

test('GridSample on lines, images and volumes', async () => {
  const plan = fc.record({
    spatial: fc.array(size, { minLength: 1, maxLength: 3 }),
    ...{ batch: fc.constantFrom(1, 2), channels: fc.integer({ min: 1, max: 9 }), seed, align_corners: flag },
    mode: fc.constantFrom('bilinear', 'bicubic', 'nearest'),
    padding_mode: fc.constantFrom('zeros', 'border', 'reflection'),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ spatial, batch, channels, seed: from, ...attributes }) => {
      const b = new ModelBuilder();
      const [data, places] = [
        [batch, channels, ...spatial],
        [batch, ...spatial.map((d) => d + 1), spatial.length],
      ];
      b.result(b.op('GridSample', [b.parameter('x', data), b.parameter('grid', places)], attributes));
      await expectNative(b.model, { x: uneven(data, from), grid: uneven(places, from + 1) }, 1e-5);
    }),
    { numRuns: 25 },
  );
});

test('DeformableConvolution is columns and a product', async () => {
  const plan = fc.record({
    ...{ batch: fc.constantFrom(1, 2), group: fc.constantFrom(1, 2), deformable_group: fc.constantFrom(1, 2) },
    ...{ kernel: fc.integer({ min: 1, max: 3 }), stride: fc.constantFrom(1, 2), pad: fc.constantFrom(0, 1), seed },
    ...{ dilation: fc.constantFrom(1, 2), masked: flag, padded: flag, constant: flag },
  });
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const [height, width, channels, outputs] = [7, 6, 4, 6];
      const out = [height, width].map(
        (d) => Math.floor((d + 2 * p.pad - (p.kernel - 1) * p.dilation - 1) / p.stride) + 1,
      );
      const taps = p.kernel * p.kernel * p.deformable_group;
      const shapes = {
        x: [p.batch, channels, height, width],
        offsets: [p.batch, 2 * taps, ...out],
        weights: [outputs, channels / p.group, p.kernel, p.kernel],
        mask: [p.batch, taps, ...out],
      };
      const b = new ModelBuilder();
      const feeds: Record<string, Tensor> = {
        x: uneven(shapes.x, p.seed),
        offsets: uneven(shapes.offsets, p.seed + 1),
      };
      const inputs = [b.parameter('x', shapes.x), b.parameter('offsets', shapes.offsets)];
      if (p.constant) inputs.push(b.weights('weights', shapes.weights));
      else {
        inputs.push(b.parameter('weights', shapes.weights));
        feeds.weights = uneven(shapes.weights, p.seed + 2);
      }
      if (p.masked) {
        inputs.push(b.parameter('mask', shapes.mask));
        feeds.mask = uneven(shapes.mask, p.seed + 3);
      }
      const both = (v: number) => [v, v];
      const attributes = {
        ...{ strides: both(p.stride), dilations: both(p.dilation), pads_begin: both(p.pad), pads_end: both(p.pad) },
        ...{ group: p.group, deformable_group: p.deformable_group, bilinear_interpolation_pad: p.padded },
      };
      b.result(b.op('DeformableConvolution', inputs, attributes));
      await expectNative(b.model, feeds, 1e-4);
    }),
    { numRuns: 20 },
  );
});

test('BatchNormInference with computed statistics', async () => {
  const b = new ModelBuilder();
  const shape = [2, 3, 4];
  const inputs = ['x', 'gamma', 'beta', 'mean', 'variance'].map((name, i) => b.parameter(name, i === 0 ? shape : [3]));
  b.result(b.op('BatchNormInference', inputs, { epsilon: 0.01 }));
  const variance = tensor('f32', [3], [0.5, 1, 4]);
  const rest = { gamma: uneven([3], 2), beta: uneven([3], 3), mean: uneven([3], 4), variance };
  await expectNative(b.model, { x: uneven(shape, 1), ...rest }, 1e-5);
});

test('embedding bags, by offsets, packed and by segments', async () => {
  const plan = fc.record({
    ...{ type: index, members: fc.integer({ min: 1, max: 12 }), bags: size, width: dims, weighted: flag, seed },
    ...{ otherwise: fc.constantFrom(-1, 0, 2), reduction: fc.constantFrom('sum', 'mean') },
  });
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const table = [5, ...p.width];
      const [count, packed] = [[p.members], [p.bags, p.members]];
      const begins = [...whole(p.type, [p.bags], 0, p.members, p.seed).data].map(Number).sort((u, v) => u - v);
      const feeds: Record<string, Tensor> = {
        table: uneven(table, p.seed),
        indices: whole(p.type, count, 0, 4, p.seed + 1),
        packed: whole(p.type, packed, 0, 4, p.seed + 2),
        offsets: tensor(p.type, [p.bags], begins),
        segments: whole(p.type, count, 0, p.bags - 1, p.seed + 3),
        weights: uneven(count, p.seed + 4),
        packedWeights: uneven(packed, p.seed + 5),
      };
      for (const type of ['OffsetsSum', 'Offsets', 'PackedSum', 'Packed', 'SegmentsSum']) {
        const b = new ModelBuilder();
        const used: Record<string, Tensor> = {};
        const input = (name: string) => {
          used[name] = feeds[name]!;
          return b.parameter(name, feeds[name]!.shape, feeds[name]!.type);
        };
        const otherwise = b.constant('otherwise', [], [p.otherwise], p.type);
        const more = () => (p.weighted ? [otherwise, input('weights')] : [otherwise]);
        const inputs = type.startsWith('Packed')
          ? [input('table'), input('packed'), ...(p.weighted ? [input('packedWeights')] : [])]
          : type.startsWith('Offsets')
            ? [input('table'), input('indices'), input('offsets'), ...more()]
            : [
                input('table'),
                input('indices'),
                input('segments'),
                b.constant('bags', [], [p.bags], p.type),
                ...more(),
              ];
        const name = type === 'SegmentsSum' ? 'EmbeddingSegmentsSum' : `EmbeddingBag${type}`;
        b.result(b.op(name, inputs, type.endsWith('Sum') ? {} : { reduction: p.reduction }));
        await expectNative(b.model, used, 1e-6);
      }
    }),
    { numRuns: 8 },
  );
});

test('embedding bags name what lies outside', async () => {
  const b = new ModelBuilder();
  const inputs = [b.parameter('table', [4, 2]), b.parameter('indices', [3], 'i64'), b.parameter('offsets', [2], 'i64')];
  b.result(b.op('EmbeddingBagOffsetsSum', inputs));
  await using executable = await compileNative(b.model);
  const run = (indices: number[], offsets: number[]) =>
    executable.run({
      ...{ table: uneven([4, 2], 1), indices: tensor('i64', [3], indices), offsets: tensor('i64', [2], offsets) },
    });
  await run([0, 1, -1], [0, 2]);
  await assert.rejects(run([0, 4, 1], [0, 2]), { code: 'ERR_SHAPE_MISMATCH' });
  await assert.rejects(run([0, 1, 1], [2, 1]), /bag 1 begins at 1 of 3 indices/);
});
