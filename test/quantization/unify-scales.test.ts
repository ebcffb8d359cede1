import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { OutputPort } from '../../lib/graph/node.ts';
import { noAttributes } from '../../lib/ops/attribute.ts';
import { defineOp, type OpDef } from '../../lib/ops/index.ts';
import { addOp } from '../../lib/ops/registry.ts';
import { completeChoice } from '../../lib/quantization/configuration.ts';
import { configureQuantizers } from '../../lib/quantization/configure.ts';
import { findIgnored } from '../../lib/quantization/ignored-scope.ts';
import { placeQuantizers } from '../../lib/quantization/propagate.ts';
import { rolesFor } from '../../lib/quantization/roles.ts';
import { needsPerTensor, type ScaleGroup, unifyLimits } from '../../lib/quantization/unify-scales.ts';
import { rowOf, targetOf } from '../../lib/targets/index.ts';
import { Network } from '../support/network.ts';

const image = [1, 4, 8, 8];

function configure(net: Network, device = 'CPU', preset: 'performance' | 'mixed' = 'performance') {
  const roles = rolesFor(targetOf(device));
  const placement = placeQuantizers(net.model, roles, findIgnored(net.model, roles));
  const configured = configureQuantizers(placement, roles, { preset });
  const groups = configured.groups.map((g) => g.quantizers.map((q) => q.name));
  return { groups, quantizers: configured.quantizers };
}

function joined(net: Network): OutputPort {
  const x = net.input('x', image);
  const a = net.op('ReLU', 'ra', [net.convolution('a', x, 4)]);
  const b = net.convolution('b', x, 4);
  return net.op('Concat', 'join', [a, b], { axis: 1 });
}

describe('groups that share a range', () => {
  it('are the inputs of a join in front of a convolution', () => {
    const net = new Network();
    net.result(net.convolution('c', joined(net), 4));
    assert.deepEqual(configure(net).groups, [['join/fq_input_0', 'join/fq_input_1']]);
  });

  it('are not the inputs of a join in front of a depthwise convolution, which has a scale per channel', () => {
    const net = new Network();
    net.result(net.depthwise('c', joined(net)));
    assert.deepEqual(configure(net).groups, []);
  });

  it('span joins of joins', () => {
    const net = new Network();
    const first = joined(net);
    const c = net.op('ReLU', 'rc', [net.convolution('c', first, 4)]);
    net.result(net.convolution('d', net.op('Concat', 'second', [first, c], { axis: 1 }), 4));
    const { groups } = configure(net);
    assert.deepEqual(groups, [['join/fq_input_0', 'join/fq_input_1', 'second/fq_input_1']]);
  });

  it('pass through a join that needs no common range itself', () => {
    const net = new Network();
    const first = joined(net);
    net.result(net.depthwise('deep', first));
    const c = net.op('ReLU', 'rc', [net.convolution('c', net.input('y', image), 4)]);
    net.result(net.convolution('d', net.op('Concat', 'second', [first, c], { axis: 1 }), 4));
    const { groups, quantizers } = configure(net);
    assert.deepEqual(groups, [['join/fq_input_0', 'join/fq_input_1', 'second/fq_input_1']]);
    const shared = quantizers.filter((q) => /^(join|second)/.test(q.node.name));
    assert.deepEqual(new Set(shared.map((q) => q.configuration.granularity)), new Set(['perTensor']));
  });

  it('are not the inputs of a join that no product reads', () => {
    const net = new Network();
    net.result(net.op('ReduceMean', 'mean', [joined(net), net.integers('axes', [2, 3])], { keep_dims: true }));
    assert.deepEqual(configure(net).groups, []);
  });

  it('are not the inputs of a join on the VPU, and are on the NPU', () => {
    const build = (): Network => {
      const net = new Network();
      net.result(net.convolution('c', joined(net), 4));
      return net;
    };
    assert.deepEqual(configure(build(), 'VPU').groups, []);
    assert.deepEqual(configure(build(), 'NPU').groups, [['join/fq_input_0', 'join/fq_input_1']]);
  });

  it('of the NPU do not reach through a sum to the inputs of the one before it', () => {
    const net = new Network();
    const x = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]);
    const first = net.op('Add', 'first', [x, net.op('Sigmoid', 's', [x])]);
    net.result(net.op('Add', 'second', [first, net.op('Tanh', 't', [x])]));
    assert.deepEqual(configure(net, 'NPU').groups, [
      ['first/fq_input_0', 'first/fq_input_1'],
      ['second/fq_input_0', 'second/fq_input_1'],
    ]);
  });

  it('of a repeated operand are per tensor', () => {
    const build = (shape: readonly number[]): Network => {
      const net = new Network();
      net.result(net.op('Maximum', 'sum', [net.depthwise('a', net.input('x', image)), net.input('y', shape)]));
      return net;
    };
    const group = (shape: readonly number[]): ScaleGroup => {
      const node = build(shape).model.node('sum');
      return { quantizers: [], bridges: [node] };
    };
    assert.equal(needsPerTensor(group(image)), false);
    assert.equal(needsPerTensor(group([1, 1, 1, 1])), true);
  });

  it('are the two inputs of a sum on the NPU, and not on processors', () => {
    const build = (): Network => {
      const net = new Network();
      const x = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]);
      net.result(net.op('Add', 'sum', [net.convolution('b', x, 4), net.op('Sigmoid', 's', [x])]));
      return net;
    };
    assert.deepEqual(configure(build(), 'NPU').groups, [['sum/fq_input_0', 'sum/fq_input_1']]);
    assert.deepEqual(configure(build()).groups, []);
  });
});

describe('configuration of a quantizer', () => {
  it('is per channel in front of a depthwise convolution and per tensor in front of a dense one', () => {
    const net = new Network();
    net.result(net.convolution('b', net.depthwise('a', net.input('x', image)), 4));
    const found = new Map(configure(net).quantizers.map((q) => [q.node.name, q.configuration.granularity]));
    assert.equal(found.get('a/fq_input_0'), 'perChannel');
    assert.equal(found.get('b/fq_input_0'), 'perTensor');
    assert.equal(found.get('a/fq_weights_1'), 'perChannel');
  });

  it('is per tensor when a dense and a depthwise convolution read the same value', () => {
    const net = new Network();
    const x = net.op('ReLU', 'relu', [net.convolution('first', net.input('x', image), 4)]);
    net.result(net.depthwise('a', x));
    net.result(net.convolution('b', x, 4));
    const shared = configure(net).quantizers.find((q) => q.node.name === 'a/fq_input_0')!;
    assert.equal(shared.configuration.granularity, 'perTensor');
  });
});

describe('port groups of recurrent operations', () => {
  /** Reads two computed values and two that may be constants, as a sequence reads data, state and weights. */
  const twin: OpDef = defineOp({
    type: 'TwinForTests',
    opset: 'extension',
    attributes: noAttributes,
    inputs: [4, 4],
    infer: (_, inputs) => [{ type: 'f32', shape: inputs[0]!.shape }],
    quantization: { quantizedPorts: [0, 1, 2, 3] },
  });
  const pairs = [
    [0, 1],
    [2, 3],
  ];
  const cpu = targetOf('CPU');
  const { activations = [], weights = [] } = rowOf(cpu, 'Convolution')!;
  const target = {
    ...cpu,
    name: 'TWIN',
    operations: [...cpu.operations, { types: ['TwinForTests'], activations, weights, unify: pairs }],
  };
  addOp(twin);

  it('share a range when all values are computed, and keep their own when weights are constant', () => {
    const net = new Network();
    const [x, y] = [net.op('Tanh', 'tx', [net.input('x', [1, 8])]), net.op('Tanh', 'ty', [net.input('y', [1, 8])])];
    net.result(net.op('TwinForTests', 'twin', [x, y, net.weights('w', [4, 8]), net.weights('r', [4, 8])]));
    const roles = rolesFor(target);
    const placement = placeQuantizers(net.model, roles, findIgnored(net.model, roles));
    const { groups } = configureQuantizers(placement, roles, { preset: 'performance' });
    assert.deepEqual(
      groups.map((g) => g.quantizers.map((q) => q.name)),
      [['twin/fq_input_0', 'twin/fq_input_1']],
    );
  });
});

describe('unifyLimits', () => {
  const asymmetric = completeChoice({ bits: 8, mode: 'asymmetric', granularity: 'perTensor' }, 'activations');
  const symmetric = completeChoice({ bits: 8, mode: 'symmetric', granularity: 'perTensor' }, 'activations');
  const one = (low: number, high: number) => ({ low: Float32Array.of(low), high: Float32Array.of(high) });

  it('stays unsigned when no member is negative', () => {
    const { low, high } = unifyLimits([one(0, 3), one(0, 5)], symmetric);
    assert.deepEqual([low[0], high[0]], [0, 5]);
  });

  it('keeps zero on the grid, which the plain union of [0, a] and [−b, c] does not', () => {
    const value = fc.double({ min: 0.1, max: 10, noNaN: true });
    fc.assert(
      fc.property(value, value, value, fc.constantFrom(symmetric, asymmetric), (a, b, c, configuration) => {
        const { low, high } = unifyLimits([one(0, a), one(-b, c)], configuration);
        const step = (high[0]! - low[0]!) / 255;
        const zero = -low[0]! / step;
        assert.ok(Math.abs(zero - Math.round(zero)) < 0.0102, `zero point ${zero}`);
        assert.ok(low[0]! <= -b + step / 2 && high[0]! >= Math.max(a, c) - step / 2);
      }),
    );
  });
});
