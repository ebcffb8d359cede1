import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addNode } from '../../lib/graph/edit.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { findIgnored } from '../../lib/quantization/ignored-scope.ts';
import { rolesFor } from '../../lib/quantization/roles.ts';
import { targetOf } from '../../lib/targets/index.ts';
import { Network } from '../support/network.ts';

const image = [1, 4, 8, 8];

function ignoredIn(net: Network, device = 'CPU'): string[] {
  return [...findIgnored(net.model, rolesFor(targetOf(device))).reasons.keys()].map((n) => n.name).sort();
}

function scale(net: Network, name: string, x: OutputPort, type = 'Multiply'): OutputPort {
  return net.op(type, name, [x, net.weights(`${name}/values`, [1, x.fact.shape[1]!, 1, 1])]);
}

describe('ignored patterns', () => {
  it('keep the bias of every product', () => {
    const net = new Network();
    net.result(net.convolution('conv', net.input('x', image), 4));
    assert.deepEqual(ignoredIn(net), ['conv/add']);
  });

  it('keep scale and shift of the input, with and without a transposition in front', () => {
    const net = new Network();
    net.result(net.convolution('conv', scale(net, 'shift', scale(net, 'scale', net.input('x', image)), 'Add'), 4));
    assert.deepEqual(ignoredIn(net), ['conv/add', 'scale', 'shift']);
    const other = new Network();
    const rows = other.op('Transpose', 'swap', [other.input('x', [1, 8, 8, 4]), other.integers('order', [0, 3, 1, 2])]);
    other.result(other.convolution('conv', scale(other, 'shift', scale(other, 'scale', rows), 'Add'), 4));
    assert.deepEqual(ignoredIn(other), ['conv/add', 'scale', 'shift', 'swap']);
  });

  it('keep a squeeze-and-excitation block, whatever order the product has', () => {
    for (const isSwapped of [false, true]) {
      const net = new Network();
      const x = net.op('ReLU', 'relu', [net.convolution('first', net.input('x', image), 4)]);
      const mean = net.op('ReduceMean', 'mean', [x, net.integers('axes', [2, 3])], { keep_dims: true });
      const squeezed = net.op('ReLU', 'inner', [net.convolution('squeeze', mean, 2, { kernel: 1 })]);
      const gate = net.op('Sigmoid', 'gate', [net.convolution('expand', squeezed, 4, { kernel: 1 })]);
      net.result(net.op('Multiply', 'weighted', isSwapped ? [gate, x] : [x, gate]));
      const block = ['expand', 'expand/add', 'gate', 'inner', 'squeeze', 'squeeze/add'];
      assert.deepEqual(ignoredIn(net), [...block, 'first/add'].sort());
    }
  });

  it('keep a hard-swish built from a clamp, in its three forms', () => {
    const clamp = { min: 0, max: 6 };
    const net = new Network();
    const y = net.convolution('conv', net.input('x', image), 4);
    const gate = net.op('Clamp', 'clamp', [scale(net, 'three', y, 'Add')], clamp);
    net.result(scale(net, 'sixth', net.op('Multiply', 'gated', [y, gate])));
    assert.deepEqual(ignoredIn(net), ['clamp', 'conv/add', 'gated', 'sixth', 'three']);
    const other = new Network();
    const z = other.op('Add', 'sum', [other.convolution('a', other.input('x', image), 4), other.input('z', image)]);
    const share = scale(other, 'sixth', other.op('Clamp', 'clamp', [scale(other, 'three', z, 'Add')], clamp));
    other.result(other.op('Multiply', 'gated', [z, share]));
    assert.deepEqual(ignoredIn(other), ['a/add', 'clamp', 'gated', 'sixth', 'three']);
  });

  it('keep a scale behind a product, unless the product is read elsewhere too', () => {
    const build = (isBranched: boolean): Network => {
      const net = new Network();
      const y = net.op('ReLU', 'relu', [net.convolution('conv', net.input('x', image), 4)]);
      net.result(scale(net, 'scale', y));
      if (isBranched) net.result(net.op('Sigmoid', 'other', [y]));
      return net;
    };
    assert.deepEqual(ignoredIn(build(false)), ['conv/add', 'scale']);
    assert.deepEqual(ignoredIn(build(true)), ['conv/add']);
    assert.deepEqual(ignoredIn(build(false), 'NPU'), ['conv/add']);
  });

  it('keep a softmax spelled out', () => {
    const net = new Network();
    const e = net.op('Exp', 'exp', [net.input('x', [1, 8])]);
    const sum = net.op('ReduceSum', 'sum', [e, net.integers('axes', [1])], { keep_dims: true });
    net.result(net.op('Divide', 'share', [e, sum]));
    assert.deepEqual(ignoredIn(net), ['exp', 'share', 'sum']);
  });

  it('do not take two different exponentials for a softmax', () => {
    const net = new Network();
    const x = net.input('x', [1, 8]);
    const sum = net.op('ReduceSum', 'sum', [net.op('Exp', 'e1', [x]), net.integers('axes', [1])], { keep_dims: true });
    net.result(net.op('Divide', 'share', [net.op('Exp', 'e2', [x]), sum]));
    assert.deepEqual(ignoredIn(net), []);
  });

  it('keep an attention block of softmax and values', () => {
    const net = new Network();
    const attention = net.op('SoftMax', 'softmax', [net.input('scores', [1, 2, 4, 4])], { axis: 3 });
    const sum = net.op('Add', 'sum', [net.input('v', [1, 4, 6]), net.weights('bias', [1, 1, 6])]);
    const heads = net.op('Reshape', 'heads', [sum, net.integers('shape', [1, 4, 2, 3])], { special_zero: false });
    const values = net.op('Transpose', 'values', [heads, net.integers('order', [0, 2, 1, 3])]);
    net.result(net.op('MatMul', 'mix', [attention, values], { transpose_a: false, transpose_b: false }));
    assert.deepEqual(ignoredIn(net), ['heads', 'mix', 'softmax', 'sum', 'values']);
  });

  it('keep everything between the last product and the selection of detections', () => {
    const net = new Network();
    const scores = net.op('Sigmoid', 'scores', [net.convolution('conv', net.input('x', image), 4)]);
    const flat = net.op('Reshape', 'flat', [scores, net.integers('shape', [1, 256])], { special_zero: false });
    const fact = { type: 'f32', shape: [1, 3] } as const;
    addNode(net.model, { type: 'TopK', name: 'best', inputs: [flat], outputs: [fact, fact] });
    assert.deepEqual(ignoredIn(net), ['conv/add', 'flat', 'scores']);
  });

  it('mark values that are known before the model runs', () => {
    const net = new Network();
    const shape = net.op('ShapeOf', 'shape', [net.input('x', image)], { output_type: 'i64' });
    net.result(shape);
    assert.deepEqual(ignoredIn(net), ['shape']);
  });
});
