// Operations behind one that stores channels last: as the reference, natively, with equal bits on every instruction set.
import assert from 'node:assert/strict';
import test from 'node:test';
import { describeExecution } from '../../lib/engines/describe.ts';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { coordinateModes, nearestModes } from '../../lib/ops/resize/coordinates.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { bitsOfTensor, runnableIsas } from '../support/isas.ts';
import { ModelBuilder } from '../support/model-builder.ts';

const pool = { kernel: [2, 2], strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0] };

/** `operation` behind a pool of two by two: the largest error is `tolerance` times the largest magnitude. */
async function check(
  input: readonly number[],
  tolerance: number,
  operation: (b: ModelBuilder, x: OutputPort) => OutputPort,
): Promise<void> {
  const b = new ModelBuilder('behind a pool', 3);
  b.result(operation(b, b.op('MaxPool', [b.parameter('x', input)], pool, 'pool')));
  const r = random(7);
  const data = Float32Array.from({ length: input.reduce((p, d) => p * d, 1) }, () => 0.5 + r.normal() / 2);
  const feeds = { x: tensor('f32', input, data) };
  await using reference = await referenceEngine.compile(b.model);
  const expected = Object.values((await reference.run(feeds)).outputs)[0]!;
  const largest = Math.max(...(expected.data as Float32Array).map(Math.abs));
  let first: string | undefined;
  for (const maxIsa of runnableIsas()) {
    for (const threads of [1, 3]) {
      await using executable = await compileNative(b.model, { maxIsa, threads });
      for (const { name, precision } of describeExecution(executable)) assert.notEqual(precision, 'host', name);
      const actual: Tensor = Object.values((await executable.run(feeds)).outputs)[0]!;
      assert.deepEqual(actual.shape, expected.shape);
      const error = maxAbsError(actual, expected) / largest;
      assert.ok(error <= tolerance, `${maxIsa}: off by ${error}`);
      first ??= bitsOfTensor(actual);
      assert.equal(bitsOfTensor(actual), first, `${maxIsa} with ${threads} threads differs from scalar`);
    }
  }
}

const reductions = ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL1', 'ReduceL2'];
const axisSets = [[], [0], [1], [2], [3], [0, 2], [1, 2], [1, 3], [2, 3], [-1, 0], [0, 1, 3], [1, 2, 3], [0, 1, 2, 3]];

for (const type of reductions) {
  test(`${type} over any axes of images`, async () => {
    for (const axes of axisSets) {
      for (const keepDims of [false, true]) {
        await check([2, 5, 4, 7], 4e-6, (b, x) =>
          b.op(type, [x, b.constant('axes', [axes.length], axes, 'i64')], { keep_dims: keepDims }, 'reduce'),
        );
      }
    }
  });
}

test('ReduceSum over many positions is cut into blocks', async () => {
  await check([1, 70, 61, 53], 1e-5, (b, x) =>
    b.op('ReduceSum', [x, b.constant('axes', [2], [2, 3], 'i64')], { keep_dims: true }, 'reduce'),
  );
});

test('Power with exponent 1/2 is a root', async () => {
  await check([1, 9, 6, 6], 1e-6, (b, x) =>
    b.op('Power', [b.op('Abs', [x], {}, 'abs'), b.constant('half', [], [0.5])], {}, 'power'),
  );
});

const modes = ['nearest', 'linear', 'linear_onnx', 'cubic'];
const sizeSets = [
  [9, 16],
  [4, 21],
  [3, 5],
  [11, 1],
];

for (const mode of modes) {
  test(`Interpolate ${mode} with all coordinates`, async () => {
    for (const coordinates of coordinateModes) {
      for (const sizes of sizeSets) {
        for (const nearest of mode === 'nearest' ? nearestModes : (['floor'] as const)) {
          await checkResize([2, 5, 5, 9], sizes, {
            mode,
            coordinate_transformation_mode: coordinates,
            nearest_mode: nearest,
            antialias: mode === 'linear' && sizes[0] === 3,
          });
        }
      }
    }
  });
}

async function checkResize(
  input: readonly number[],
  sizes: readonly number[],
  attributes: Readonly<Record<string, unknown>>,
): Promise<void> {
  await check(input, 4e-6, (b, x) => {
    const axes = b.constant('axes', [2], [input.length - 2, input.length - 1], 'i64');
    const operands = [x, b.constant('sizes', [2], sizes, 'i64'), axes];
    return b.op('Interpolate', operands, { ...attributes, shape_calculation_mode: 'sizes' }, 'resize');
  });
}

test('Interpolate of many channels stores straight into a Concat', async () => {
  for (const mode of ['nearest', 'linear_onnx']) {
    await check([1, 70, 6, 7], 4e-6, (b, x) => {
      const operands = [x, b.constant('sizes', [2], [10, 12], 'i64'), b.constant('axes', [2], [2, 3], 'i64')];
      const y = b.op('Interpolate', operands, { mode, shape_calculation_mode: 'sizes' }, 'resize');
      return b.op('Concat', [b.op('Interpolate', operands, { mode: 'cubic', shape_calculation_mode: 'sizes' }), y], {
        axis: 1,
      });
    });
  }
});

for (const mode of ['blocks_first', 'depth_first']) {
  test(`DepthToSpace and SpaceToDepth, ${mode}`, async () => {
    for (const [input, block_size] of [
      [[2, 12, 5, 4], 2],
      [[1, 18, 4, 7], 3],
      [[2, 3, 6, 4], 1],
    ] as const) {
      await check(input, 0, (b, x) => b.op('DepthToSpace', [x], { mode, block_size }, 'deep'));
    }
    for (const [input, block_size] of [
      [[2, 5, 7, 9], 2],
      [[1, 3, 7, 4], 3],
    ] as const) {
      await check(input, 0, (b, x) => b.op('SpaceToDepth', [x], { mode, block_size }, 'wide'));
    }
  });
}

test('ShuffleChannels on each axis', async () => {
  for (const [axis, group] of [
    [1, 3],
    [1, 4],
    [0, 2],
    [-1, 3],
  ]) {
    await check([4, 12, 5, 7], 0, (b, x) => b.op('ShuffleChannels', [x], { axis, group }, 'shuffle'));
  }
});

test('Tile with fewer and more repeats than axes', async () => {
  for (const repeats of [[3], [2, 1], [1, 3, 1, 1], [2, 3, 1, 1], [1, 1, 2, 2], [2, 1, 1, 1, 1], [1, 1, 1, 1]]) {
    await check([1, 5, 5, 7], 0, (b, x) =>
      b.op('Tile', [x, b.constant('repeats', [repeats.length], repeats, 'i64')], {}, 'tile'),
    );
  }
});
