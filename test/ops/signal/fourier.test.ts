import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../../lib/engines/native-engine.ts';
import { expandNode } from '../../../lib/ops/expand-node.ts';
import { maxAbsError } from '../../../lib/tensor/compare.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { expectNative, uneven } from '../../support/expect-native.ts';
import { evaluate, ModelBuilder } from '../../support/model-builder.ts';

const seed = fc.integer({ min: 1, max: 1e6 });

/** Axes with a length each: the axis itself, less, or more. */
const transformed = fc.array(fc.integer({ min: 2, max: 7 }), { minLength: 1, maxLength: 3 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    axes: fc.uniqueArray(fc.nat(shape.length - 1), { minLength: 1 }),
    lengths: fc.option(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 3 })),
    seed,
  }),
);

test('Fourier transforms are products with matrices', async () => {
  await fc.assert(
    fc.asyncProperty(transformed, async (p) => {
      const lengths = p.lengths?.slice(0, p.axes.length);
      for (const type of ['DFT', 'IDFT', 'RDFT', 'IRDFT']) {
        const b = new ModelBuilder();
        const shape = type === 'RDFT' ? p.shape : [...p.shape, 2];
        const lists = [p.axes, ...(lengths ? [lengths] : [])];
        const inputs = lists.map((list, i) => b.constant(`list${i}`, [list.length], list, 'i64'));
        b.result(b.op(type, [b.parameter('x', shape), ...inputs]));
        await expectNative(b.model, { x: uneven(shape, p.seed) }, 1e-4);
      }
    }),
    { numRuns: 12 },
  );
});

test('IRDFT undoes RDFT on one axis and on several', async () => {
  for (const [shape, axes] of [
    [[6], [0]],
    [
      [5, 6],
      [0, 1],
    ],
    [
      [3, 4, 5],
      [0, 2, 1],
    ],
  ] as const) {
    const b = new ModelBuilder();
    const list = b.constant('axes', [axes.length], axes, 'i64');
    const sizes = b.constant(
      'sizes',
      [axes.length],
      axes.map((axis) => shape[axis]!),
      'i64',
    );
    b.result(b.op('IRDFT', [b.op('RDFT', [b.parameter('x', shape), list]), list, sizes]));
    const x = uneven(shape, 3);
    const [result] = Object.values(await evaluate(b.model, { x }));
    assert.ok(maxAbsError(result!, x) < 1e-6, `${shape}`);
  }
});

test('STFT is a product with a matrix, whatever its window', async () => {
  const plan = fc.record({
    ...{ batch: fc.nat(3), frame: fc.integer({ min: 1, max: 9 }), step: fc.integer({ min: 1, max: 5 }), seed },
    ...{ more: fc.nat(20), shorter: fc.nat(4), constant: fc.boolean(), transpose_frames: fc.boolean() },
  });
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const b = new ModelBuilder();
      const length = p.frame + p.more;
      const shape = p.batch === 0 ? [length] : [p.batch, length];
      const width = Math.max(1, p.frame - p.shorter);
      const window = uneven([width], p.seed + 1);
      const inputs = [
        b.parameter('x', shape),
        p.constant ? b.constant('window', [width], [...window.data].map(Number)) : b.parameter('window', [width]),
        b.constant('frame', [], [p.frame], 'i64'),
        b.constant('step', [], [p.step], 'i64'),
      ];
      b.result(b.op('STFT', inputs, { transpose_frames: p.transpose_frames }));
      const feeds = { x: uneven(shape, p.seed), ...(p.constant ? {} : { window }) };
      await expectNative(b.model, feeds, 3e-5);
    }),
    { numRuns: 15 },
  );
});

test('STFT stays on the host with a window of unknown length, and when its frames are many', () => {
  for (const [window, frame, length, expands] of [
    [3, 4, 10, true],
    [-1, 4, 10, false],
    [4, 4, 2 ** 20 + 3, true],
    [4, 4, 2 ** 20 + 4, false],
  ] as const) {
    const b = new ModelBuilder();
    const numbers = [frame, 1].map((n, i) => b.constant(`number${i}`, [], [n], 'i64'));
    const inputs = [b.parameter('x', [length]), b.parameter('window', [window]), ...numbers];
    const y = b.op('STFT', inputs, { transpose_frames: false });
    b.result(y);
    assert.equal(expandNode(b.model, y.node), expands, `a window of ${window}, a signal of ${length}`);
  }
});

test('a transform of a long axis stays on the host', async () => {
  const b = new ModelBuilder();
  b.result(b.op('DFT', [b.parameter('x', [1, 1200, 2]), b.constant('axes', [1], [1], 'i64')]));
  await using executable = await compileNative(b.model);
  assert.deepEqual(
    executable.steps.map((s) => (s.kind === 'host' ? s.node.type : s.kind)),
    ['DFT'],
  );
  const ones = tensor('f32', [1, 1200, 2], new Array<number>(2400).fill(1));
  const { outputs } = await executable.run({ x: ones });
  assert.equal(Object.values(outputs)[0]!.data[0], 1200);
});
