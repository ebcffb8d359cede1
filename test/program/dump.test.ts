import assert from 'node:assert/strict';
import test from 'node:test';
import type { OutputPort } from '../../lib/graph/node.ts';
import { ProgramBuilder } from '../../lib/program/builder.ts';
import { dumpProgram } from '../../lib/program/dump.ts';
import { assertGolden } from '../support/golden.ts';
import { lowerModel } from '../support/lowering.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { quantizedWeights, quantizer } from '../support/quantizers.ts';

test('one call a line: kernel, operands with kind, type and size, params that are not 0', () => {
  const b = new ProgramBuilder();
  const [x, y] = [b.input('x', 'f32', [2, 2]), b.output('y', 'u8', [4])];
  const t = b.temporary('f32', 4);
  b.call('unary', { op: 3, elements: 4, alpha: 1 / 3 }, { name: 'first', in: [x], out: [t] });
  const scale = b.constant('f32', Float32Array.of(2));
  const operands = { name: 'second', in: [t, scale, scale, undefined], out: [y] };
  b.call('quantize', { batch: 1, channels: 4, spatial: 1, outStride: 4 }, operands);
  assert.equal(
    dumpProgram(b.finish()),
    'first: unary(@0:f32[4]) -> %2:f32[4] {op=3 elements=4 alpha=0.3333333}\n' +
      'second: quantize(%2:f32[4], #3:f32[1], #3:f32[1], -) -> @1:u8[4] {batch=1 channels=4 spatial=1 outStride=4}\n',
  );
});

test('negative and infinite params are shown', () => {
  const b = new ProgramBuilder();
  const [x, y] = [b.input('x', 'f32', [2]), b.output('y', 'f32', [2])];
  const reversed = { rank: 1, d0: 2, inStride0: -1, inOffset: 1, outStride0: 1 };
  b.call('copy', reversed, { name: 'reverse', in: [x], out: [y] });
  b.call('unary', { beta: Number.NEGATIVE_INFINITY }, { name: 'clamp', in: [x], out: [y] });
  const [copy, clamp] = dumpProgram(b.finish()).split('\n');
  assert.match(copy!, /\{rank=1 d0=2 inStride0=-1 inOffset=1 outStride0=1\}$/);
  assert.match(clamp!, /\{beta=-Infinity\}$/);
});

const image = { strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0], dilations: [1, 1] };

/** Convolution with bias and ReLU, rounded to [0, high]. */
function layer(b: ModelBuilder, x: OutputPort, outputs: number, k: number, high: number, name: string): OutputPort {
  const pads = [k >> 1, k >> 1];
  const weights = quantizedWeights(b, [outputs, x.fact.shape[1]!, k, k], outputs);
  const y = b.op('Convolution', [x, weights], { ...image, pads_begin: pads, pads_end: pads }, name);
  const biased = b.op('Add', [y, b.weights('values', [1, outputs, 1, 1])], {}, `${name}/bias`);
  return quantizer(b, b.op('ReLU', [biased], {}, `${name}/relu`), 0, high);
}

test('a residual network on bytes: sums are fused, the head is a pool and a matrix product', () => {
  const b = new ModelBuilder('residual');
  const x = quantizer(b, b.parameter('image', [1, 3, 8, 8]), (-2 * 128) / 127, 2);
  const stem = layer(b, x, 16, 3, 6, 'stem');
  const inner = layer(b, stem, 16, 3, 9, 'inner');
  const weights = quantizedWeights(b, [16, 16, 3, 3], 16);
  const outer = b.convolution(inner, weights, 'outer');
  const biased = b.op('Add', [outer, b.weights('values', [1, 16, 1, 1])], {}, 'outer/bias');
  const sum = b.op('Add', [quantizer(b, biased, (-12 * 128) / 127, 12), stem], {}, 'sum');
  const block = quantizer(b, b.op('ReLU', [sum], {}, 'sum/relu'), 0, 15);
  const axes = b.constant('axes', [2], [2, 3], 'i64');
  const pooled = quantizer(b, b.op('ReduceMean', [block, axes], { keep_dims: false }, 'mean'), 0, 8);
  const product = b.op('MatMul', [pooled, quantizedWeights(b, [10, 16], 10)], { transpose_b: true }, 'head');
  b.result(b.op('Add', [product, b.weights('values', [1, 10])], {}, 'head/bias'));
  assertGolden('program-residual-int8', dumpProgram(lowerModel(b.model).program));
});

test('a fire module on bytes: both expansions write into one tensor', () => {
  const b = new ModelBuilder('fire');
  const x = quantizer(b, b.parameter('image', [1, 8, 9, 9]), 0, 4);
  const squeeze = layer(b, x, 4, 1, 5, 'squeeze');
  const parts = [layer(b, squeeze, 12, 1, 7, 'expand1x1'), layer(b, squeeze, 12, 3, 7, 'expand3x3')];
  const joined = b.op('Concat', parts, { axis: 1 }, 'concat');
  const pooled = b.op('MaxPool', [joined], { kernel: [3, 3], strides: [2, 2] }, 'pool');
  b.result(layer(b, pooled, 6, 1, 9, 'next'));
  assertGolden('program-fire-int8', dumpProgram(lowerModel(b.model).program));
});
