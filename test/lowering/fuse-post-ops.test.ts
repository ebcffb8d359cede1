import assert from 'node:assert/strict';
import test from 'node:test';
import type { OutputPort } from '../../lib/graph/node.ts';
import { gatherChains } from '../../lib/lowering/fuse-post-ops.ts';
import { planPrecision } from '../../lib/lowering/plan.ts';
import { computedNodes } from '../support/lowering.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { quantizedWeights, quantizer } from '../support/quantizers.ts';

/** Names fused behind each node, for nodes with anything behind them. */
function chainsOf(b: ModelBuilder, exposed: readonly OutputPort[] = []): Record<string, string[]> {
  const nodes = computedNodes(b.model);
  const read = b.model.results().map((r) => r.source(0)!);
  const { byAnchor } = gatherChains(nodes, planPrecision(nodes), new Set([...read, ...exposed]));
  const chains = [...byAnchor.values()].filter((c) => c.absorbed.length > 0);
  return Object.fromEntries(chains.map((c) => [c.anchor.name, c.absorbed.map((n) => n.name)]));
}

function start(shape = [1, 4, 6, 6]): { b: ModelBuilder; x: OutputPort } {
  const b = new ModelBuilder();
  return { b, x: b.parameter('x', shape) };
}

const conv = (b: ModelBuilder, x: OutputPort, name = 'conv'): OutputPort =>
  b.convolution(x, b.weights('w', [4, 4, 3, 3]), name);
const byteConv = (b: ModelBuilder, x: OutputPort, name = 'conv'): OutputPort =>
  b.convolution(x, quantizedWeights(b, [4, 4, 3, 3], 4), name);
const bias = (b: ModelBuilder, x: OutputPort, name = 'bias'): OutputPort =>
  b.op('Add', [x, b.weights('values', [1, 4, 1, 1])], {}, name);
const relu = (b: ModelBuilder, x: OutputPort, name = 'relu'): OutputPort => b.op('ReLU', [x], {}, name);
const add = (b: ModelBuilder, x: OutputPort, y: OutputPort, name = 'sum'): OutputPort => b.op('Add', [x, y], {}, name);

test('a float product takes bias, sum and clamp', () => {
  const { b, x } = start();
  b.result(relu(b, add(b, bias(b, conv(b, x)), x)));
  assert.deepEqual(chainsOf(b), { conv: ['bias', 'sum', 'relu'] });
});

test('a byte product takes bias, clamp, rounding, sum, clamp and rounding', () => {
  const { b, x } = start();
  const q = quantizer(b, x, 0, 4);
  const mid = quantizer(b, relu(b, bias(b, byteConv(b, q))), 0, 9);
  const sum = quantizer(b, relu(b, add(b, mid, q), 'relu_2'), 0, 12);
  b.result(byteConv(b, sum, 'last'));
  assert.deepEqual(chainsOf(b), { conv: ['bias', 'relu', 'fq_1', 'sum', 'relu_2', 'fq_2'] });
});

test('a function takes a factor, a number and a rounding, but no values for each channel', () => {
  const number = (b: ModelBuilder, value: number): OutputPort => b.constant('n', [1], [value]);
  const { b, x } = start();
  const scaled = b.op('Multiply', [b.op('HSwish', [x], {}, 'swish'), number(b, 0.5)], {}, 'scale');
  const q = quantizer(b, b.op('Add', [number(b, 3), scaled], {}, 'shift'), 0, 9);
  const side = b.op('Multiply', [b.op('Tanh', [x], {}, 'tanh'), b.weights('factors', [1, 4, 1, 1])], {}, 'channels');
  b.result(add(b, byteConv(b, q), bias(b, side)));
  assert.deepEqual(chainsOf(b), { swish: ['scale', 'shift', 'fq'], conv: ['sum'] });
});

test('a value with two readers ends the chain', () => {
  const { b, x } = start();
  const y = bias(b, conv(b, x));
  b.result(relu(b, y));
  b.result(b.op('Sigmoid', [y]));
  assert.deepEqual(chainsOf(b), { conv: ['bias'] });
});

test('a sum of a value with itself is not fused', () => {
  const { b, x } = start();
  const y = conv(b, x);
  b.result(relu(b, add(b, y, y)));
  assert.deepEqual(chainsOf(b), { sum: ['relu'] });
});

test('an observed or tapped value ends the chain', () => {
  const { b, x } = start();
  const y = bias(b, conv(b, x));
  b.result(relu(b, y));
  assert.deepEqual(chainsOf(b, [y]), { conv: ['bias'] });
  assert.deepEqual(chainsOf(b, [y.node.source(0)!]), { bias: ['relu'] });
});

test('a residual that depends on the product itself is not fused into it', () => {
  const { b, x } = start();
  const q = quantizer(b, x, 0, 4);
  const mid = quantizer(b, byteConv(b, q), 0, 9);
  const side = b.op('Sigmoid', [mid]);
  b.result(add(b, mid, side));
  const y = conv(b, x, 'float');
  b.result(add(b, y, b.op('Sigmoid', [conv(b, y, 'second')]), 'later'));
  assert.deepEqual(chainsOf(b), {});
});

test('a residual that depends on an earlier value in the chain goes into the other product', () => {
  const { b, x } = start();
  const first = relu(b, conv(b, x, 'first'));
  const second = conv(b, first, 'second');
  b.result(add(b, first, second));
  assert.deepEqual(chainsOf(b), { first: ['relu'], second: ['sum'] });
});

test('one of two products takes their sum', () => {
  const { b, x } = start();
  b.result(relu(b, add(b, bias(b, conv(b, x, 'left'), 'bias_1'), bias(b, conv(b, x, 'right'), 'bias_2'))));
  assert.deepEqual(chainsOf(b), { left: ['bias_1', 'sum', 'relu'], right: ['bias_2'] });
});

test('a clamp in front of a sum is fused only with a rounding between them', () => {
  const { b, x } = start();
  b.result(add(b, relu(b, conv(b, x)), x));
  assert.deepEqual(chainsOf(b), { conv: ['relu'] });
});

test('scales per channel are stored, but not in front of a sum or behind one', () => {
  const { b, x } = start();
  const q = quantizer(b, x, 0, 4);
  const scales = [
    [0, 0, 0, 0],
    [1, 2, 3, 4],
  ] as const;
  const dw = (y: OutputPort, name: string): OutputPort =>
    b.convolution(y, quantizedWeights(b, [4, 1, 1, 3, 3], 4), name, 'GroupConvolution');
  b.result(dw(quantizer(b, byteConv(b, q, 'stored'), ...scales), 'dw_1'));
  b.result(add(b, quantizer(b, byteConv(b, q, 'before'), ...scales), q));
  b.result(dw(quantizer(b, add(b, quantizer(b, byteConv(b, q, 'behind'), 0, 9), q, 'sum_2'), ...scales), 'dw_2'));
  assert.deepEqual(chainsOf(b), { stored: ['fq_1'], behind: ['fq_3', 'sum_2'] });
});

test('scales of axis 1 are not stored by a product whose channels are the last axis', () => {
  const b = new ModelBuilder();
  const product = (shape: readonly number[], name: string): OutputPort => {
    const q = quantizer(b, b.parameter(`x_${name}`, shape), 0, 4);
    return b.op('MatMul', [q, quantizedWeights(b, [4, 8], 4)], { transpose_b: true }, name);
  };
  const scales = [
    [0, 0, 0, 0],
    [1, 2, 3, 4],
  ] as const;
  const image = quantizer(b, product([1, 4, 5, 8], 'rank4'), ...scales);
  b.result(b.convolution(image, quantizedWeights(b, [4, 1, 1, 3, 3], 4), 'dw', 'GroupConvolution'));
  assert.deepEqual(chainsOf(b), {});
});

test('a sum takes a clamp, and a rounding when it runs on bytes', () => {
  const { b, x } = start();
  const [p, q] = [quantizer(b, x, 0, 4), quantizer(b, x, 0, 5)];
  b.result(byteConv(b, quantizer(b, relu(b, add(b, p, q)), 0, 9)));
  b.result(byteConv(b, quantizer(b, relu(b, add(b, x, q, 'float'), 'relu_2'), 0, 9), 'conv_2'));
  assert.deepEqual(chainsOf(b), { sum: ['relu', 'fq_2'], float: ['relu_2'] });
});

test('a mean takes a rounding to whole bytes only', () => {
  const { b, x } = start();
  const q = quantizer(b, x, 0, 4);
  const pool = (name: string): OutputPort => b.op('AvgPool', [q], { kernel: [2, 2], strides: [1, 1] }, name);
  b.result(byteConv(b, quantizer(b, pool('whole'), 0, 4)));
  b.result(byteConv(b, quantizer(b, pool('part'), 0, 4, 255), 'conv_2'));
  b.result(byteConv(b, quantizer(b, relu(b, pool('clamped')), 0, 4), 'conv_3'));
  assert.deepEqual(chainsOf(b), { whole: ['fq_1'], relu: ['fq_3'] });
});

test('a second bias, a bias behind a clamp and a constant that is no bias stay apart', () => {
  const { b, x } = start();
  b.result(bias(b, bias(b, conv(b, x, 'a'), 'a_1'), 'a_2'));
  b.result(bias(b, relu(b, conv(b, x, 'b'), 'b_1'), 'b_2'));
  b.result(b.op('Add', [conv(b, x, 'c'), b.weights('image', [1, 4, 6, 6])], {}, 'c_1'));
  assert.deepEqual(chainsOf(b), { a: ['a_1'], b: ['b_1'] });
});

test('a quantizer whose limits come from the value is no step', () => {
  const { b, x } = start();
  const y = byteConv(b, quantizer(b, x, 0, 4));
  const limit = b.op('ReduceMax', [y, b.constant('axes', [4], [0, 1, 2, 3], 'i64')], { keep_dims: true });
  const zero = b.constant('zero', [], [0]);
  b.result(b.op('FakeQuantize', [y, zero, limit, zero, limit], { levels: 256 }, 'dynamic'));
  assert.deepEqual(chainsOf(b), {});
});
