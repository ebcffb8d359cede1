import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verify } from '../../lib/graph/verify.ts';
import { findIgnored } from '../../lib/quantization/ignored-scope.ts';
import { placeQuantizers } from '../../lib/quantization/propagate.ts';
import { rolesFor } from '../../lib/quantization/roles.ts';
import { targetOf } from '../../lib/targets/index.ts';
import { Network } from '../support/network.ts';

const image = [1, 4, 8, 8];

function place(net: Network, device = 'CPU_SPR'): string[] {
  const roles = rolesFor(targetOf(device));
  const { quantizers } = placeQuantizers(net.model, roles, findIgnored(net.model, roles));
  verify(net.model);
  return quantizers.map((q) => q.name).filter((name) => !name.includes('fq_weights'));
}

describe('sums on processors with matrix tiles', () => {
  it('read the product in floating point when the other input has more readers', () => {
    const build = (): Network => {
      const net = new Network();
      const x = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]);
      net.result(net.op('ReLU', 'last', [net.op('Add', 'sum', [net.convolution('b', x, 4), x])]));
      return net;
    };
    assert.deepEqual(place(build()), ['a/fq_input_0', 'b/fq_input_0']);
    assert.deepEqual(place(build(), 'CPU'), ['a/fq_input_0', 'b/fq_input_0', 'sum/fq_input_0']);
    const net = build();
    place(net);
    assert.equal(net.model.node('sum').source(0)!.node.name, 'b/add');
  });

  it('read the larger of two products in floating point, the one with more readers when both are equal', () => {
    const net = new Network();
    const x = net.input('x', image);
    const pooled = net.op('ReduceMean', 'mean', [net.convolution('b', x, 4), net.integers('axes', [2, 3])], {
      keep_dims: true,
    });
    const small = net.convolution('d', pooled, 4, { kernel: 1 });
    net.result(net.op('Add', 'sum', [small, net.op('ReLU', 'relu', [net.convolution('c', x, 4)])]));
    assert.deepEqual(
      place(net).filter((name) => name.startsWith('sum')),
      ['sum/fq_input_0'],
    );
  });

  it('keep both quantizers when a value comes from no single product', () => {
    const net = new Network();
    const x = net.convolution('a', net.input('x', image), 4);
    const gate = net.op('Multiply', 'gate', [net.op('Sigmoid', 's', [x]), net.op('Tanh', 't', [x])]);
    net.result(net.op('Add', 'sum', [net.op('ReLU', 'relu', [net.convolution('b', x, 4)]), gate]));
    assert.deepEqual(
      place(net).filter((name) => name.startsWith('sum')),
      ['sum/fq_input_0', 'sum/fq_input_1'],
    );
  });

  it('keep the quantizer of a value that is added to itself', () => {
    const net = new Network();
    const x = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]);
    net.result(net.op('Add', 'sum', [x, x]));
    assert.deepEqual(place(net), ['a/fq_input_0', 'sum/fq_input_0']);
  });
});
