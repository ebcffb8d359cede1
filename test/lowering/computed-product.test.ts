import assert from 'node:assert/strict';
import test from 'node:test';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import { bitsOfTensor, runnableIsas } from '../support/isas.ts';
import { kernelsOf, lowerModel } from '../support/lowering.ts';
import { evaluate, ModelBuilder, randomFeeds } from '../support/model-builder.ts';
import { quantizedWeights, quantizer } from '../support/quantizers.ts';

/** Sums of at most 40 products of numbers near 1, in f32. */
const tolerance = 1e-5;

/** The native result on every instruction set is near the reference's, with equal bits. Returns the kernels. */
async function agrees(b: ModelBuilder): Promise<string[]> {
  const feeds = randomFeeds(b.model);
  const expected = await evaluate(b.model, feeds);
  const bits = new Set<string>();
  for (const maxIsa of runnableIsas()) {
    await using executable = await compileNative(b.model, { maxIsa, threads: 2 });
    assert.ok(executable.steps.every((s) => s.kind === 'native'));
    const { outputs } = await executable.run(feeds);
    for (const [name, value] of Object.entries(expected))
      assert.ok(maxAbsError(outputs[name]!, value) <= tolerance * 40, `${name} on ${maxIsa}`);
    bits.add(Object.values(outputs).map(bitsOfTensor).join());
  }
  assert.equal(bits.size, 1);
  return kernelsOf(lowerModel(b.model).program);
}

function product(x: Shape, y: Shape, attributes = {}): ModelBuilder {
  const b = new ModelBuilder();
  b.result(b.op('MatMul', [b.parameter('x', x), b.parameter('y', y)], attributes));
  return b;
}

test('matrices of every rank, transposed and broadcast, are one call', async () => {
  const swap = { transpose_a: true, transpose_b: true };
  assert.deepEqual(await agrees(product([5, 7], [7, 9])), ['batched_matmul']);
  assert.deepEqual(await agrees(product([5, 7], [9, 7], { transpose_b: true })), ['batched_matmul']);
  assert.deepEqual(await agrees(product([2, 3, 5, 7], [2, 3, 7, 4])), ['batched_matmul']);
  assert.deepEqual(await agrees(product([2, 3, 5, 7], [7, 4])), ['batched_matmul']);
  assert.deepEqual(await agrees(product([3, 5, 7], [2, 1, 7, 4])), ['batched_matmul']);
  assert.deepEqual(await agrees(product([7], [2, 7, 4])), ['batched_matmul']);
  assert.deepEqual(await agrees(product([2, 5, 7], [7])), ['batched_matmul']);
  assert.deepEqual(await agrees(product([7], [7])), ['batched_matmul']);
  assert.deepEqual(await agrees(product([2, 7, 5], [2, 4, 7], swap)), ['copy', 'batched_matmul']);
  assert.deepEqual(await agrees(product([1, 1], [1, 1], swap)), ['batched_matmul']);
});

test('more than two batch axes that cannot be joined are several calls', async () => {
  const kernels = await agrees(product([2, 1, 3, 1, 4, 5], [1, 2, 1, 3, 5, 6]));
  assert.ok(kernels.length > 1 && kernels.every((k) => k === 'batched_matmul'));
});

test('a constant on the left is an operand like any other', async () => {
  const b = new ModelBuilder();
  b.result(b.op('MatMul', [b.weights('w', [4, 6]), b.parameter('x', [2, 6, 5])]));
  assert.deepEqual(await agrees(b), ['batched_matmul']);
});

const heads = (b: ModelBuilder, x: OutputPort, order: readonly number[]): OutputPort => {
  const shaped = b.op('Reshape', [x, b.constant('shape', [4], [2, 6, 3, 8], 'i64')], { special_zero: false });
  return b.op('Transpose', [shaped, b.constant('order', [4], order, 'i64')]);
};

function attention(b: ModelBuilder, mask: OutputPort | undefined): OutputPort {
  const x = b.parameter('x', [2, 6, 24]);
  const [q, k, v] = ['q', 'k', 'v'].map((name) => b.op('MatMul', [x, b.weights(name, [24, 24])]));
  const keys = heads(b, k!, [0, 2, 3, 1]);
  let scores = b.op('Multiply', [b.op('MatMul', [heads(b, q!, [0, 2, 1, 3]), keys]), b.constant('s', [], [0.05])]);
  if (mask) scores = b.op('Add', [scores, mask]);
  const mixed = b.op('MatMul', [b.op('SoftMax', [scores], { axis: -1 }), heads(b, v!, [0, 2, 1, 3])]);
  const merged = b.op('Transpose', [mixed, b.constant('back', [4], [0, 2, 1, 3], 'i64')]);
  return b.op('Reshape', [merged, b.constant('flat', [3], [2, 6, 24], 'i64')], { special_zero: false });
}

/** The copy is that of an output that is another value's memory. */
const attentionKernels = ['matmul', 'matmul', 'matmul', 'batched_matmul', 'softmax', 'batched_matmul', 'copy'];

test('attention has no copies: transposes, scale and mask are part of the products', async () => {
  for (const shape of [undefined, [2, 1, 1, 6], [2, 3, 6, 6], [6, 6]]) {
    const b = new ModelBuilder();
    b.result(attention(b, shape && b.parameter('mask', shape)));
    assert.deepEqual(await agrees(b), attentionKernels, `mask ${shape}`);
  }
  const b = new ModelBuilder();
  b.result(attention(b, b.weights('mask', [1, 1, 6, 6])));
  assert.deepEqual(await agrees(b), attentionKernels);
});

test('a transposed value that others read dense is copied for them', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [2, 3, 4, 5]);
  const y = b.op('Transpose', [x, b.constant('order', [4], [0, 2, 1, 3], 'i64')]);
  b.result(b.op('MatMul', [y, b.parameter('w', [2, 4, 5, 2])]), 'product');
  b.result(b.op('Sigmoid', [y]), 'sigmoid');
  assert.deepEqual(await agrees(b), ['batched_matmul', 'copy', 'unary']);
});

test('a transposed result that is an output is written once and copied', async () => {
  const b = new ModelBuilder();
  const y = b.op('MatMul', [b.parameter('x', [2, 3, 4, 5]), b.parameter('w', [2, 3, 5, 2])]);
  b.result(b.op('Transpose', [y, b.constant('order', [4], [0, 2, 1, 3], 'i64')]));
  await agrees(b);
});

test('what follows a product of two computed matrices is fused: sums of both orders, clamps', async () => {
  const b = new ModelBuilder();
  const y = b.op('MatMul', [b.parameter('x', [3, 4, 5]), b.parameter('w', [3, 5, 7])]);
  const sum = b.op('Add', [b.parameter('other', [4, 7]), y]);
  b.result(b.op('ReLU', [sum]));
  assert.deepEqual(await agrees(b), ['batched_matmul']);
});

test('one number, or one for each column, is added in the epilogue, and one for each row behind it', async () => {
  const shifted = (shape: Shape): ModelBuilder => {
    const b = new ModelBuilder();
    const sum = b.op('Add', [
      b.op('MatMul', [b.parameter('x', [2, 4, 17]), b.parameter('y', [2, 17, 19])]),
      b.weights('w', shape),
    ]);
    b.result(sum);
    return b;
  };
  for (const shape of [[], [1], [1, 1, 1], [19], [1, 19], [1, 1, 19]]) {
    assert.deepEqual(await agrees(shifted(shape)), ['batched_matmul'], `[${shape}]`);
  }
  for (const shape of [
    [4, 1],
    [2, 1, 1],
    [2, 4, 1],
  ])
    await agrees(shifted(shape));
});

test('layer normalization takes its scale and shift', async () => {
  const b = new ModelBuilder();
  const mvn = b.op('MVN', [b.parameter('x', [2, 6, 24]), b.constant('axes', [1], [-1], 'i64')], { eps: 1e-5 });
  b.result(b.op('Add', [b.op('Multiply', [mvn, b.weights('gamma', [24])]), b.weights('beta', [24])]));
  assert.deepEqual(await agrees(b), ['layer_norm']);
});

/** A quantizer to bytes `real = scale · (q − zero)`. */
const bytes = (b: ModelBuilder, x: OutputPort, scale: number, zero = 128): OutputPort =>
  quantizer(b, x, -scale * zero, scale * (255 - zero));

/** Two steps of the grid of a result: each rounding in front of it moves it by less. */
async function agreesOnBytes(b: ModelBuilder, step: number): Promise<string[]> {
  const feeds = randomFeeds(b.model);
  const expected = await evaluate(b.model, feeds);
  const bits = new Set<string>();
  for (const maxIsa of runnableIsas())
    for (const threads of [1, 2]) {
      await using executable = await compileNative(b.model, { maxIsa, threads });
      const { outputs } = await executable.run(feeds);
      for (const [name, value] of Object.entries(expected))
        assert.ok(maxAbsError(outputs[name]!, value) <= 2 * step, `${name} on ${maxIsa}`);
      bits.add(Object.values(outputs).map(bitsOfTensor).join());
    }
  assert.equal(bits.size, 1);
  return kernelsOf(lowerModel(b.model).program);
}

test('two matrices of bytes are multiplied as bytes, whatever their zero points', async () => {
  for (const zero of [128, 0, 64, 255]) {
    const b = new ModelBuilder();
    const [x, y] = [b.parameter('x', [2, 3, 5, 40]), b.parameter('y', [2, 3, 40, 7])];
    const product = b.op('MatMul', [bytes(b, x, 0.02, 51), bytes(b, y, 0.02, zero)]);
    const scaled = bytes(b, b.op('Multiply', [product, b.constant('s', [], [0.25])]), 0.05);
    b.result(b.op('MatMul', [scaled, quantizedWeights(b, [4, 7], 4)], { transpose_b: true }));
    const kernels = await agreesOnBytes(b, 10 * 0.05);
    assert.deepEqual(kernels, ['quantize', 'quantize', 'batched_matmul', 'matmul']);
  }
});

test('quantized attention has no conversion of its own', async () => {
  const b = new ModelBuilder();
  const x = bytes(b, b.parameter('x', [2, 6, 24]), 0.025);
  const linear = (name: string): OutputPort =>
    bytes(b, b.op('MatMul', [x, quantizedWeights(b, [24, 24], 24)], { transpose_b: true }, name), 0.15);
  const [q, k, v] = ['q', 'k', 'v'].map(linear);
  const keys = heads(b, k!, [0, 2, 3, 1]);
  const scores = b.op('Multiply', [b.op('MatMul', [heads(b, q!, [0, 2, 1, 3]), keys]), b.constant('s', [], [0.01])]);
  const weights = quantizer(b, b.op('SoftMax', [scores], { axis: -1 }), 0, 1);
  const mixed = bytes(b, b.op('MatMul', [weights, heads(b, v!, [0, 2, 1, 3])]), 0.15);
  const merged = b.op('Transpose', [mixed, b.constant('back', [4], [0, 2, 1, 3], 'i64')]);
  const flat = b.op('Reshape', [merged, b.constant('flat', [3], [2, 6, 24], 'i64')], { special_zero: false });
  b.result(b.op('MatMul', [flat, quantizedWeights(b, [24, 24], 24)], { transpose_b: true }));
  // The last product multiplies steps of 0.15 by rows of weights whose magnitudes add up to about 20.
  const kernels = await agreesOnBytes(b, 20 * 0.15);
  const products = ['matmul', 'matmul', 'matmul', 'batched_matmul', 'softmax', 'batched_matmul', 'matmul'];
  assert.deepEqual(kernels, ['quantize', ...products]);
});

test('normalization stores bytes beside its floats, and GELU stores bytes', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [2, 6, 24]);
  const mvn = b.op('MVN', [x, b.constant('axes', [1], [-1], 'i64')], { eps: 1e-5 });
  const norm = b.op('Add', [b.op('Multiply', [mvn, b.weights('gamma', [24])]), b.weights('beta', [24])]);
  const wide = b.op('MatMul', [bytes(b, norm, 0.05), quantizedWeights(b, [40, 24], 40)], { transpose_b: true });
  const gelu = bytes(b, b.op('Gelu', [wide]), 0.0625, 16);
  const back = b.op('MatMul', [gelu, quantizedWeights(b, [24, 40], 24)], { transpose_b: true });
  b.result(b.op('Add', [back, norm]));
  const kernels = await agreesOnBytes(b, 40 * 0.0625);
  assert.deepEqual(kernels, ['layer_norm', 'matmul', 'unary', 'matmul']);
});

test('zero beside the grid keeps a product of two matrices in floats', () => {
  const b = new ModelBuilder();
  const [x, y] = [b.parameter('x', [2, 5, 8]), b.parameter('y', [2, 8, 4])];
  b.result(b.op('MatMul', [quantizer(b, x, -1, 1.02), bytes(b, y, 0.01)]));
  assert.ok(!kernelsOf(lowerModel(b.model).program).includes('quantize'));
});
