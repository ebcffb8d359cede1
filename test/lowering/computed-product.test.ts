import assert from 'node:assert/strict';
import test from 'node:test';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import { bitsOfTensor, runnableIsas } from '../support/isas.ts';
import { kernelsOf, lowerModel } from '../support/lowering.ts';
import { evaluate, ModelBuilder, randomFeeds } from '../support/model-builder.ts';

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

test('layer normalization takes its scale and shift', async () => {
  const b = new ModelBuilder();
  const mvn = b.op('MVN', [b.parameter('x', [2, 6, 24]), b.constant('axes', [1], [-1], 'i64')], { eps: 1e-5 });
  b.result(b.op('Add', [b.op('Multiply', [mvn, b.weights('gamma', [24])]), b.weights('beta', [24])]));
  assert.deepEqual(await agrees(b), ['layer_norm']);
});
