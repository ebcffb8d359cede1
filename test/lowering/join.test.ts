import assert from 'node:assert/strict';
import test from 'node:test';
import type { OutputPort } from '../../lib/graph/node.ts';
import type { Call } from '../../lib/program/program.ts';
import { kernelsOf, lowerModel, paramsOf } from '../support/lowering.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { quantizedWeights, quantizer } from '../support/quantizers.ts';

function start(shape = [1, 4, 6, 6]): { b: ModelBuilder; x: OutputPort } {
  const b = new ModelBuilder();
  return { b, x: b.parameter('x', shape) };
}

const conv = (b: ModelBuilder, x: OutputPort, outputs: number, name = 'conv'): OutputPort =>
  b.convolution(x, b.weights('w', [outputs, x.fact.shape[1]!, 3, 3]), name);
const byteConv = (b: ModelBuilder, x: OutputPort, outputs: number, name = 'conv'): OutputPort =>
  b.convolution(x, quantizedWeights(b, [outputs, x.fact.shape[1]!, 3, 3], outputs), name);
const concat = (b: ModelBuilder, parts: readonly OutputPort[], axis = 1): OutputPort =>
  b.op('Concat', parts, { axis }, 'concat');

/** Stride and offset where each call of a kernel writes. */
function placesOf(calls: readonly Call[], kernel: string): (readonly [string, number, number])[] {
  return calls
    .filter((c) => c.kernel === kernel)
    .map((c) => [c.name, paramsOf(c).outStride ?? 0, paramsOf(c).outOffset ?? 0] as const);
}

test('convolutions write side by side and the concat is no call', () => {
  const { b, x } = start();
  const parts = [conv(b, x, 3, 'a'), b.op('ReLU', [conv(b, x, 5, 'b')]), conv(b, x, 2, 'c')];
  b.result(conv(b, concat(b, parts), 4, 'last'));
  const { program } = lowerModel(b.model);
  assert.deepEqual(placesOf(program.calls, 'convolution'), [
    ['a', 10, 0],
    ['b', 10, 3],
    ['c', 10, 8],
    ['last', 4, 0],
  ]);
  assert.deepEqual(kernelsOf(program), ['copy', 'convolution', 'convolution', 'convolution', 'convolution', 'copy']);
});

test('bytes join too when all parts have one format', () => {
  const { b, x } = start();
  const q = quantizer(b, x, 0, 4);
  const part = (outputs: number): OutputPort => quantizer(b, byteConv(b, q, outputs), 0, 9);
  b.result(byteConv(b, concat(b, [part(3), part(5)]), 4, 'last'));
  const { program } = lowerModel(b.model);
  const joint = program.buffers[program.calls.at(-2)!.inputs[0]!]!;
  assert.deepEqual([joint.type, joint.elements], ['u8', 8 * 36]);
  assert.deepEqual(kernelsOf(program), ['quantize', 'convolution', 'convolution', 'convolution', 'copy']);
});

test('pools on floats and bytes join', () => {
  const { b, x } = start();
  const pooling = { kernel: [3, 3], strides: [1, 1], pads_begin: [1, 1], pads_end: [1, 1] };
  b.result(conv(b, concat(b, [b.op('AvgPool', [x], pooling), conv(b, x, 2)]), 4, 'last'));
  const { program } = lowerModel(b.model);
  assert.deepEqual(placesOf(program.calls, 'pool'), [['avgpool', 6, 0]]);
});

test('a part with another reader, an output or the input of the network is copied', () => {
  const { b, x } = start();
  const [shared, shown, own] = [conv(b, x, 3, 'shared'), conv(b, x, 2, 'shown'), conv(b, x, 1, 'own')];
  b.result(b.op('Sigmoid', [shared]));
  b.result(shown);
  b.result(conv(b, concat(b, [shared, shown, own, x]), 4, 'last'));
  const { program } = lowerModel(b.model);
  assert.deepEqual(placesOf(program.calls, 'convolution').slice(0, 3), [
    ['shared', 3, 0],
    ['shown', 2, 0],
    ['own', 10, 5],
  ]);
  const copies = program.calls.filter((c) => c.name === 'concat' && c.kernel === 'copy').map((c) => paramsOf(c));
  assert.deepEqual(
    copies.map((p) => [p.outOffset ?? 0, p.d1]),
    [
      [0, 3],
      [3, 2],
      [6, 4],
    ],
  );
});

test('one value twice is copied twice', () => {
  const { b, x } = start();
  const y = conv(b, x, 3);
  b.result(conv(b, concat(b, [y, y]), 4, 'last'));
  const { program } = lowerModel(b.model);
  assert.deepEqual(placesOf(program.calls, 'convolution')[0], ['conv', 3, 0]);
  assert.equal(program.calls.filter((c) => c.name === 'concat').length, 2);
});

test('axes other than the channels, and matrices, do not join', () => {
  const { b, x } = start();
  b.result(conv(b, concat(b, [conv(b, x, 4, 'a'), conv(b, x, 4, 'b')], 2), 4, 'last'));
  const { program } = lowerModel(b.model);
  assert.deepEqual(placesOf(program.calls, 'convolution').slice(0, 2), [
    ['a', 4, 0],
    ['b', 4, 0],
  ]);
  const copies = program.calls.filter((c) => c.name === 'concat');
  assert.equal(copies.length, 2, 'channels last, without a change of order');
  const rows = start([3, 4]);
  const product = (name: string): OutputPort => rows.b.op('MatMul', [rows.x, rows.b.weights('w', [4, 2])], {}, name);
  rows.b.result(concat(rows.b, [product('a'), product('b')]));
  assert.deepEqual(kernelsOf(lowerModel(rows.b.model).program), ['matmul', 'matmul', 'copy', 'copy']);
});

test('a concat of values in the order of the model stays in that order', () => {
  const { b, x } = start([2, 3, 8]);
  b.result(concat(b, [x, b.op('Sigmoid', [x])]));
  const { program } = lowerModel(b.model);
  assert.deepEqual(kernelsOf(program), ['unary', 'copy', 'copy']);
  assert.equal(program.buffers[program.calls.at(-1)!.outputs[0]!]!.kind, 'output');
});
