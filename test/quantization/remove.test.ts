import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verify } from '../../lib/graph/verify.ts';
import { findIgnored } from '../../lib/quantization/ignored-scope.ts';
import { setLimits } from '../../lib/quantization/insert.ts';
import { placeQuantizers, quantizersOf } from '../../lib/quantization/propagate.ts';
import { removeQuantizerGroup } from '../../lib/quantization/remove.ts';
import { rolesFor } from '../../lib/quantization/roles.ts';
import { targetOf } from '../../lib/targets/index.ts';
import { Network } from '../support/network.ts';

const roles = rolesFor(targetOf('CPU'));

function placed(): Network {
  const net = new Network();
  const x = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', [1, 4, 8, 8]), 4)]);
  const b = net.op('ReLU', 'rb', [net.convolution('b', x, 4)]);
  const join = net.op('Concat', 'join', [x, b], { axis: 1 });
  net.result(net.convolution('c', join, 4));
  const range = { low: Float32Array.of(0), high: Float32Array.of(1) };
  for (const q of placeQuantizers(net.model, roles, findIgnored(net.model, roles)).quantizers) {
    setLimits(net.model, q, { levels: 256, shape: [], input: range });
  }
  return net;
}

describe('removal of quantizers', () => {
  it('takes the data and the weights of an operation together', () => {
    const net = placed();
    const group = removeQuantizerGroup(net.model, net.model.node('a/fq_input_0'), roles);
    verify(net.model);
    assert.deepEqual(
      group.operations.map((n) => n.name),
      ['a'],
    );
    assert.deepEqual(group.quantizers.map((n) => n.name).sort(), ['a/fq_input_0', 'a/fq_weights_1']);
    assert.equal(net.model.node('a').source(0)!.node.name, 'x');
  });

  it('takes every quantizer that shares a reader, through joins', () => {
    const net = placed();
    const group = removeQuantizerGroup(net.model, net.model.node('c/fq_weights_1'), roles);
    verify(net.model);
    assert.deepEqual(group.operations.map((n) => n.name).sort(), ['b', 'c']);
    assert.deepEqual(
      quantizersOf(net.model).map((n) => n.name),
      ['a/fq_input_0', 'a/fq_weights_1'],
    );
  });

  it('leaves no limits behind', () => {
    const net = placed();
    for (const q of quantizersOf(net.model))
      if (net.model.nodeById.has(q.id)) removeQuantizerGroup(net.model, q, roles);
    assert.deepEqual(
      [...net.model.nodeById.values()].filter((n) => n.name.includes('fq_')),
      [],
    );
  });
});
