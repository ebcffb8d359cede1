import assert from 'node:assert/strict';
import test from 'node:test';
import type { OutputPort } from '../../lib/graph/node.ts';
import { type NodePrecision, planPrecision } from '../../lib/lowering/plan.ts';
import { computedNodes, kernelsOf, lowerModel, paramsOf } from '../support/lowering.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { quantizedWeights, quantizer } from '../support/quantizers.ts';

/** Precision of each node by name. */
function planOf(b: ModelBuilder): Record<string, NodePrecision> {
  const nodes = computedNodes(b.model);
  const { precision } = planPrecision(nodes);
  return Object.fromEntries(nodes.map((n) => [n.name, precision.get(n)!]));
}

function start(shape = [1, 4, 6, 6]): { b: ModelBuilder; x: OutputPort } {
  const b = new ModelBuilder();
  return { b, x: b.parameter('x', shape) };
}

function byteConv(b: ModelBuilder, x: OutputPort, outputs = 4, name = 'conv'): OutputPort {
  return b.convolution(x, quantizedWeights(b, [outputs, x.fact.shape[1]!, 3, 3], outputs), name);
}

const integers = (b: ModelBuilder, ...values: number[]): OutputPort => b.constant('i', [values.length], values, 'i64');

test('a convolution with quantized input and weights runs on bytes, and so does its quantizer', () => {
  const { b, x } = start();
  b.result(byteConv(b, quantizer(b, x, 0, 4)));
  const plan = planOf(b);
  assert.deepEqual(plan.fq, { bytes: true });
  assert.deepEqual(plan.conv, { bytes: true });
});

test('signed ranges are bytes around 128, at the cost of unsigned ones', () => {
  const lowered = (signed: boolean): ReturnType<typeof lowerModel>['program'] => {
    const { b, x } = start();
    const quantized = (port: OutputPort, high: number): OutputPort =>
      quantizer(b, port, signed ? (-high * 128) / 127 : 0, high);
    const layer = (port: OutputPort, outputs: number): OutputPort =>
      b.op('Add', [byteConv(b, port, outputs), b.weights('bias', [1, outputs, 1, 1])]);
    b.result(layer(quantized(layer(quantized(x, 4), 5), 9), 6));
    return lowerModel(b.model).program;
  };
  const [signed, unsigned] = [lowered(true), lowered(false)];
  assert.deepEqual(kernelsOf(signed), ['quantize', 'convolution', 'convolution', 'copy']);
  assert.deepEqual(kernelsOf(signed), kernelsOf(unsigned));
  const memory = ({ buffers }: typeof signed): unknown => buffers.map((f) => [f.kind, f.type, f.elements]);
  assert.deepEqual(memory(signed), memory(unsigned));
  for (const [i, call] of signed.calls.entries()) {
    if (call.kernel !== 'convolution') continue;
    const { inZeroPoint, ...rest } = paramsOf(call);
    assert.equal(inZeroPoint, 128);
    assert.deepEqual(rest, paramsOf(unsigned.calls[i]!), 'nothing but the zero point differs');
  }
});

test('a convolution says what keeps it in FP32', () => {
  const { b, x } = start();
  const q = quantizer(b, x, 0, 4);
  b.result(b.convolution(q, b.weights('w', [2, 4, 3, 3]), 'float_weights'));
  b.result(byteConv(b, x, 2, 'float_input'));
  b.result(byteConv(b, quantizer(b, x, [0, 0, 0, 0], [1, 2, 3, 4]), 2, 'scales'));
  const plan = planOf(b);
  assert.match(plan.float_weights!.reason!, /weights are not quantized/);
  assert.match(plan.float_input!.reason!, /input is not quantized/);
  assert.match(plan.scales!.reason!, /one scale per channel/);
});

test('quantizers that nothing on bytes reads only round floats', () => {
  const { b, x } = start();
  b.result(b.op('Sigmoid', [quantizer(b, x, 0, 4)]));
  b.result(quantizer(b, x, 0, 4));
  const plan = planOf(b);
  assert.match(plan.fq!.reason!, /nothing behind it reads bytes/);
  assert.match(plan.fq_1!.reason!, /nothing behind it reads bytes/);
});

test('a quantizer off the grid says so', () => {
  const { b, x } = start();
  b.result(byteConv(b, quantizer(b, x, 1, 4)));
  const plan = planOf(b);
  assert.match(plan.fq!.reason!, /zero is not on its grid/);
  assert.equal(plan.conv!.bytes, false);
});

test('operations that move values pass bytes on when a product reads them', () => {
  const { b, x } = start();
  const turned = b.op('Transpose', [quantizer(b, x, 0, 4), integers(b, 0, 1, 3, 2)], {}, 'turn');
  const pooled = b.op('MaxPool', [turned], { kernel: [2, 2], strides: [2, 2] }, 'pool');
  b.result(byteConv(b, pooled));
  b.result(b.op('Sigmoid', [b.op('Transpose', [turned, integers(b, 0, 1, 3, 2)], {}, 'back')]));
  const plan = planOf(b);
  for (const name of ['fq', 'turn', 'pool', 'conv']) assert.deepEqual(plan[name], { bytes: true }, name);
  assert.match(plan.back!.reason!, /nothing behind it reads bytes/);
});

test('a depthwise convolution and a maximum take one scale per channel, a reshape does not', () => {
  const { b, x } = start();
  const q = quantizer(b, x, [0, 0, 0, 0], [1, 2, 3, 4]);
  const pooled = b.op('MaxPool', [q], { kernel: [2, 2], strides: [2, 2] }, 'pool');
  b.result(b.convolution(pooled, quantizedWeights(b, [4, 1, 1, 3, 3], 4), 'dw', 'GroupConvolution'));
  const flat = b.op('Reshape', [q, integers(b, 1, -1)], { special_zero: false }, 'flat');
  b.result(b.op('MatMul', [flat, quantizedWeights(b, [3, 144], 3)], { transpose_b: true }, 'fc'));
  const plan = planOf(b);
  assert.deepEqual(plan.pool, { bytes: true });
  assert.deepEqual(plan.dw, { bytes: true });
  assert.match(plan.flat!.reason!, /one scale per channel/);
  assert.match(plan.fc!.reason!, /Reshape 'flat' in front: its input has one scale per channel/);
});

test('a concat of channels keeps a scale for each, other ones need one format, a sum does not', () => {
  const { b, x } = start();
  const [p, q, r] = [quantizer(b, x, 0, 4), quantizer(b, x, 0, 4), quantizer(b, x, 0, 5)];
  const depthwise = (port: OutputPort): OutputPort =>
    b.convolution(port, quantizedWeights(b, [8, 1, 1, 3, 3], 8), 'dw', 'GroupConvolution');
  b.result(depthwise(b.op('Concat', [p, r], { axis: 1 }, 'apart')));
  b.result(byteConv(b, b.op('Concat', [p, quantizer(b, x, 0, 4, 255)], { axis: 1 }, 'levels'), 2));
  b.result(byteConv(b, b.op('Concat', [p, r], { axis: 2 }, 'rows'), 2));
  b.result(byteConv(b, b.op('Concat', [p, q], { axis: 1 }, 'same'), 2));
  b.result(byteConv(b, b.op('Concat', [p, r], { axis: 1 }, 'other'), 2));
  b.result(byteConv(b, b.op('Concat', [p, x], { axis: 1 }, 'open'), 2));
  b.result(b.op('Add', [p, r], {}, 'sum'));
  const plan = planOf(b);
  assert.deepEqual(plan.same, { bytes: true });
  assert.deepEqual([plan.apart, plan.dw], [{ bytes: true }, { bytes: true }]);
  assert.match(plan.levels!.reason!, /different scales/);
  assert.match(plan.rows!.reason!, /different scales/);
  // A dense convolution adds up all channels; it was split before, where its weights allow that.
  assert.match(plan.other!.reason!, /nothing behind it reads bytes/);
  assert.match(plan.open!.reason!, /one of its inputs is not quantized/);
  assert.deepEqual(plan.sum, { bytes: true });
});

test('a sum on bytes needs operands of one shape that are computed', () => {
  const { b, x } = start();
  const q = quantizer(b, x, 0, 4);
  const row = quantizer(b, b.parameter('row', [1, 4, 1, 1]), 0, 4);
  b.result(b.op('Add', [q, row], {}, 'broadcast'));
  b.result(b.op('Add', [q, b.weights('c', [1, 4, 6, 6])], {}, 'constant'));
  b.result(b.op('Add', [q, x], {}, 'open'));
  const plan = planOf(b);
  assert.match(plan.broadcast!.reason!, /different shapes/);
  assert.match(plan.constant!.reason!, /one of its inputs is constant/);
  assert.match(plan.open!.reason!, /one of its inputs is not quantized/);
});

test('padding needs a value on the grid', () => {
  const { b, x } = start();
  const q = quantizer(b, x, (-4 * 128) / 127, 4);
  const pad = (value: number, name: string): OutputPort =>
    b.op('Pad', [q, integers(b, 0, 0, 1, 1), integers(b, 0, 0, 1, 1), b.constant('v', [], [value])], {}, name);
  b.result(byteConv(b, pad(0, 'zero')));
  b.result(byteConv(b, pad(4, 'last')));
  b.result(byteConv(b, pad(0.01, 'between')));
  b.result(byteConv(b, pad(-9, 'outside')));
  const plan = planOf(b);
  assert.deepEqual([plan.zero!.bytes, plan.last!.bytes], [true, true]);
  assert.match(plan.between!.reason!, /pad value 0\.01.* is not on the grid/);
  assert.match(plan.outside!.reason!, /pad value -9 is not on the grid/);
});

test('means read bytes: a pool, and a reduction over all positions', () => {
  const { b, x } = start();
  const q = quantizer(b, x, 0, 4);
  b.result(b.op('AvgPool', [q], { kernel: [2, 2], strides: [2, 2] }, 'pool'));
  b.result(b.op('ReduceMean', [q, integers(b, 2, 3)], { keep_dims: true }, 'mean'));
  const plan = planOf(b);
  assert.deepEqual([plan.pool, plan.mean], [{ bytes: true }, { bytes: true }]);
});

test('formats do not leave the list of nodes: a reader elsewhere gets floats', () => {
  const { b, x } = start();
  const q = quantizer(b, x, 0, 4);
  b.result(byteConv(b, q));
  const nodes = computedNodes(b.model);
  const alone = planPrecision(nodes.filter((n) => n.type === 'FakeQuantize'));
  assert.equal(alone.precision.get(q.node)!.bytes, false);
  const rest = planPrecision(nodes.filter((n) => n.type === 'Convolution'));
  assert.match([...rest.precision.values()][0]!.reason!, /input is not quantized/);
});
