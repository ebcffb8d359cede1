// Placement for accelerators of 16 bits: quantizers behind operations, priorities, names of outputs.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outputName } from '../../lib/graph/model.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { verify } from '../../lib/graph/verify.ts';
import type { Preset } from '../../lib/quantization/configuration.ts';
import { configureQuantizers } from '../../lib/quantization/configure.ts';
import { findIgnored } from '../../lib/quantization/ignored-scope.ts';
import { placeQuantizers } from '../../lib/quantization/propagate.ts';
import { rolesFor } from '../../lib/quantization/roles.ts';
import { targetOf } from '../../lib/targets/index.ts';
import { Network } from '../support/network.ts';

const image = [1, 4, 8, 8];

/** Group and levels of every quantizer, by its name. */
function placed(net: Network, device = 'GNA', preset: Preset = 'performance'): Record<string, string> {
  const roles = rolesFor(targetOf(device));
  const placement = placeQuantizers(net.model, roles, findIgnored(net.model, roles));
  verify(net.model);
  const { quantizers } = configureQuantizers(placement, roles, { preset });
  return Object.fromEntries(
    quantizers.map(({ node, group, configuration }) => [
      node.name,
      `${group} ${configuration.levels} ${configuration.granularity}`,
    ]),
  );
}

const narrow = 'perTensor';
const input16 = `activations 65536 ${narrow}`;
const output16 = `outputs 65536 ${narrow}`;
const sum32 = `activations 4294967296 ${narrow}`;
const weights16 = `weights 65535 ${narrow}`;

describe('placement for GNA', () => {
  it('rounds the input, the sum behind the bias and what a function gives', () => {
    const net = new Network();
    net.result(net.op('ReLU', 'relu', [net.convolution('conv', net.input('x', image), 4)]));
    assert.deepEqual(placed(net), {
      'x/fq_output_0_0': output16,
      'conv/fq_weights_1': weights16,
      'conv/add/fq_output_0_0': sum32,
      relu: output16,
    });
  });

  it('lets a function decide about its output, and a reader about a sum', () => {
    const net = new Network();
    const relu = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]);
    const b = net.convolution('b', relu, 4);
    net.result(net.convolution('c', b, 4));
    const found = placed(net);
    assert.equal(found['relu/fq_output_0_0'], output16);
    assert.equal(found['b/add/fq_output_0_0'], input16);
    assert.equal(found['c/add'], input16);
  });

  it('lets the sum decide when its reader is not in the table', () => {
    const net = new Network();
    const sum = net.convolution('a', net.input('x', image), 4);
    net.result(net.op('Elu', 'elu', [sum], { alpha: 1 }));
    assert.equal(placed(net)['a/add/fq_output_0_0'], `outputs 4294967296 ${narrow}`);
  });

  it('gives weights of matrix products 8 bits per channel for performance, and 16 for accuracy', () => {
    const build = (): Network => {
      const net = new Network();
      const attributes = { transpose_a: false, transpose_b: true };
      net.result(net.op('MatMul', 'fc', [net.input('x', [1, 8]), net.weights('w', [4, 8])], attributes));
      return net;
    };
    assert.equal(placed(build())['fc/fq_weights_1'], 'weights 255 perChannel');
    assert.equal(placed(build(), 'GNA', 'accuracy')['fc/fq_weights_1'], weights16);
  });

  it('lets a convolution of the third generation decide about what it reads', () => {
    const build = (): Network => {
      const net = new Network();
      const relu = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]);
      net.result(net.convolution('b', relu, 4));
      return net;
    };
    assert.equal(placed(build(), 'GNA3')['relu/fq_output_0_0'], `activations 255 ${narrow}`);
    assert.equal(placed(build(), 'GNA3', 'accuracy')['relu/fq_output_0_0'], input16);
    assert.equal(placed(build(), 'GNA3')['b/fq_weights_1'], 'weights 255 perChannel');
    assert.equal(placed(build(), 'GNA')['relu/fq_output_0_0'], output16);
  });

  it('takes 16 bits when readers ask for 16 and for 32', () => {
    const net = new Network();
    const sum = net.convolution('a', net.input('x', image), 4);
    net.result(net.op('Tanh', 'tanh', [sum]));
    net.result(net.convolution('b', sum, 4));
    assert.equal(placed(net)['a/add/fq_output_0_0'], input16);
  });

  it('puts no quantizer in front of a reader of the shape', () => {
    const net = new Network();
    const relu = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]);
    net.result(net.op('ShapeOf', 'shape', [relu], { output_type: 'i64' }));
    net.result(net.convolution('b', relu, 4));
    assert.equal(placed(net)['relu/fq_output_0_1'], output16);
    assert.equal(net.model.node('shape').source(0)!.node.name, 'relu');
  });

  it('keeps an operation between values on the grid of its input', () => {
    const net = new Network();
    const relu = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]);
    const attributes = { kernel: [2, 2], strides: [2, 2], pads_begin: [0, 0], pads_end: [0, 0] };
    net.result(net.convolution('b', net.op('MaxPool', 'pool', [relu], attributes), 4));
    const found = placed(net);
    assert.equal(found['relu/fq_output_0_0'], output16);
    assert.equal(net.model.node('b').source(0)!.node.name, 'pool');
  });

  it('needs no common range for the inputs of a join', () => {
    const net = new Network();
    const x = net.input('x', image);
    const join = net.op('Concat', 'join', [net.convolution('a', x, 4), net.convolution('b', x, 4)], { axis: 1 });
    net.result(net.convolution('c', join, 4));
    const roles = rolesFor(targetOf('GNA'));
    const placement = placeQuantizers(net.model, roles, findIgnored(net.model, roles));
    assert.deepEqual(configureQuantizers(placement, roles, { preset: 'performance' }).groups, []);
  });
});

describe('outputs of the model', () => {
  const result = (net: Network): string => outputName(net.model.results()[0]!);

  it('keep their names in front of a quantizer', () => {
    const net = new Network();
    net.result(net.op('ReLU', 'relu', [net.convolution('conv', net.input('x', image), 4)]));
    placed(net);
    assert.equal(result(net), 'relu');
    assert.equal(net.model.node('relu').type, 'FakeQuantize');
    assert.equal(net.model.node('relu').source(0)!.node.name, 'relu/pre_fq_input');
  });

  it('keep their tensor names', () => {
    const net = new Network();
    const relu = net.op('ReLU', 'relu', [net.convolution('conv', net.input('x', image), 4)]);
    relu.names = ['scores'];
    net.result(relu);
    placed(net);
    assert.equal(result(net), 'scores');
    assert.deepEqual(relu.names, []);
  });

  it('keep the number of a port', () => {
    const net = new Network();
    const relu: OutputPort = net.op('ReLU', 'relu', [net.convolution('conv', net.input('x', image), 4)]);
    const axis = net.value('axis', { type: 'i64', shape: [], data: BigInt64Array.of(1n) });
    const split = net.op('Split', 'split', [relu, axis], { num_splits: 2 }).node;
    for (const port of split.outputs) net.result(net.op('Tanh', `t${port.index}`, [port]));
    net.result(split.outputs[1]!, 'direct');
    const before = net.model.results().map(outputName);
    placed(net);
    assert.deepEqual(net.model.results().map(outputName), before);
  });

  it('do not rename an input of the model', () => {
    const net = new Network();
    const x = net.input('x', image);
    net.result(net.convolution('conv', x, 4));
    net.result(x, 'direct');
    placed(net);
    assert.equal(net.model.parameters()[0]!.name, 'x');
  });
});
