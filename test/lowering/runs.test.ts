import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { Model } from '../../lib/graph/model.ts';
import { runsOf } from '../../lib/ops/movement/lower-runs.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { evaluate, ModelBuilder } from '../support/model-builder.ts';

test('positions are runs, those outside of the input none', () => {
  assert.deepEqual(runsOf([2, 1, 0, 1, 2, 3]), [
    { to: 0, from: 2, step: -1, count: 3 },
    { to: 3, from: 1, step: 1, count: 3 },
  ]);
  assert.deepEqual(runsOf([0, 0, 0, 1, 1]), [
    { to: 0, from: 0, step: 0, count: 3 },
    { to: 3, from: 1, step: 0, count: 2 },
  ]);
  assert.deepEqual(runsOf([-1, -1, 4, -1, 7, 9]), [
    { to: 2, from: 4, step: 0, count: 1 },
    { to: 4, from: 7, step: 2, count: 2 },
  ]);
  assert.deepEqual(runsOf([]), []);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1, max: 4 }), { maxLength: 12 }), (positions) => {
      const taken = positions.map(() => -1);
      for (const { to, from, step, count } of runsOf(positions))
        for (let i = 0; i < count; i++) taken[to + i] = from + i * step;
      assert.deepEqual(taken, positions);
    }),
  );
});

async function expectNative(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<void> {
  const expected = await evaluate(model, feeds);
  await using executable = await compileNative(model, { threads: 2 });
  assert.deepEqual(
    executable.steps.flatMap((s) => (s.kind === 'host' ? [`${s.node.type}: ${s.reason}`] : [])),
    [],
  );
  assert.deepEqual((await executable.run(feeds)).outputs, expected);
}

const numbered = (type: ElementType, shape: Shape): Tensor =>
  tensor(
    type,
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => (type === 'boolean' ? i % 2 : i + 1)),
  );

const dims = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
const type = fc.constantFrom<ElementType>('f32', 'i32', 'i64', 'boolean');
const share = fc.integer({ min: -4, max: 4 });

test('Pad: every mode, amounts that crop, every type', async () => {
  const plan = dims.chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      amounts: fc.array(fc.tuple(share, share), { minLength: shape.length, maxLength: shape.length }),
      mode: fc.constantFrom('constant', 'edge', 'reflect', 'symmetric'),
      type,
    }),
  );
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const most = { constant: 4, edge: 4, reflect: -1, symmetric: 0 }[p.mode]!;
      // Axes keep one element at least, and mirrored ones have as many as they need.
      const fitting = p.shape.map((d, i) => {
        const [begin, end] = p.amounts[i]!.map((n) => Math.min(n, p.mode === 'reflect' || most === 0 ? d + most : 4));
        return begin! + end! + d >= 1 && -begin! < d && -end! < d ? [begin!, end!] : [0, 0];
      });
      const b = new ModelBuilder();
      const rank = p.shape.length;
      const ends = [0, 1].map((side) =>
        b.constant(
          `end${side}`,
          [rank],
          fitting.map((f) => f[side]!),
          'i64',
        ),
      );
      const inputs = [b.parameter('x', p.shape, p.type), ...ends, b.constant('value', [], [1], p.type)];
      b.result(b.op('Pad', inputs, { pad_mode: p.mode }));
      await expectNative(b.model, { x: numbered(p.type, p.shape) });
    }),
    { numRuns: 200 },
  );
});

test('Roll and Reverse: any axes, every type', async () => {
  const plan = dims.chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axes: fc.uniqueArray(fc.integer({ min: 0, max: shape.length - 1 }), { minLength: 1 }),
      shifts: fc.array(fc.integer({ min: -7, max: 7 }), { minLength: 4, maxLength: 4 }),
      type,
    }),
  );
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const b = new ModelBuilder();
      const x = b.parameter('x', p.shape, p.type);
      const axes = b.constant('axes', [p.axes.length], p.axes, 'i64');
      const shifts = b.constant('shifts', [p.axes.length], p.shifts.slice(0, p.axes.length), 'i64');
      b.result(b.op('Roll', [x, shifts, axes]), 'rolled');
      b.result(b.op('Reverse', [x, axes], { mode: 'index' }), 'reversed');
      await expectNative(b.model, { x: numbered(p.type, p.shape) });
    }),
    { numRuns: 100 },
  );
});

test('mirrored padding behind a convolution keeps its layout', async () => {
  const b = new ModelBuilder();
  const weights = Array.from({ length: 8 * 3 }, (_, i) => (i % 5) - 2);
  const window = { strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0], dilations: [1, 1] };
  const first = b.op('Convolution', [b.parameter('x', [1, 3, 4, 5]), b.constant('w', [8, 3, 1, 1], weights)], window);
  const amounts = ['begin', 'end'].map((name) => b.constant(name, [4], [0, 0, 2, 1], 'i64'));
  const padded = b.op('Pad', [first, ...amounts], { pad_mode: 'reflect' });
  const next = Array.from({ length: 8 * 9 }, (_, i) => (i % 7) - 3);
  b.result(b.op('Convolution', [padded, b.constant('w2', [1, 8, 3, 3], next)], window));
  await expectNative(b.model, { x: numbered('f32', [1, 3, 4, 5]) });
  await using executable = await compileNative(b.model);
  const [step] = executable.steps;
  assert.ok(step?.kind === 'native');
  const rows = step.executable.info.calls.map((call) => call.row);
  assert.equal(rows.filter((row) => row.startsWith('copy_transpose')).length <= 1, true, rows.join());
});
