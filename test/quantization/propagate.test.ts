import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Node, OutputPort } from '../../lib/graph/node.ts';
import { verify } from '../../lib/graph/verify.ts';
import { findIgnored, type IgnoredScope } from '../../lib/quantization/ignored-scope.ts';
import { placeQuantizers } from '../../lib/quantization/propagate.ts';
import { isConstant, rolesFor } from '../../lib/quantization/roles.ts';
import { targetOf } from '../../lib/targets/index.ts';
import { Network } from '../support/network.ts';

const image = [1, 4, 8, 8];

/** Names of the quantizers of activations after placement. */
function place(
  net: Network,
  scope: IgnoredScope = {},
  device = 'CPU',
): { activations: string[]; weights: string[]; all: Node[] } {
  const roles = rolesFor(targetOf(device));
  const all = [...placeQuantizers(net.model, roles, findIgnored(net.model, roles, { scope })).quantizers];
  verify(net.model);
  const isWeights = (n: Node): boolean => isConstant(n.source(0));
  return {
    activations: all.filter((n) => !isWeights(n)).map((n) => n.name),
    weights: all.filter(isWeights).map((n) => n.name),
    all,
  };
}

function pool(net: Network, name: string, x: OutputPort): OutputPort {
  const attributes = { kernel: [2, 2], strides: [2, 2], pads_begin: [0, 0], pads_end: [0, 0] };
  return net.op('MaxPool', name, [x], attributes);
}

describe('placement', () => {
  it('puts a quantizer on the data and on the weights of a convolution, none on the bias', () => {
    const net = new Network();
    net.result(net.convolution('conv', net.input('x', image), 4));
    const { activations, weights } = place(net);
    assert.deepEqual(activations, ['conv/fq_input_0']);
    assert.deepEqual(weights, ['conv/fq_weights_1']);
  });

  it('moves a quantizer in front of an operation that only moves values', () => {
    const net = new Network();
    const pooled = pool(net, 'pool', net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]));
    net.result(net.convolution('b', pooled, 4));
    assert.deepEqual(place(net).activations, ['a/fq_input_0', 'pool/fq_input_0']);
    assert.equal(net.model.node('b').source(0)!.node.name, 'pool');
  });

  it('leaves it behind when another reader needs the value in floating point', () => {
    const net = new Network();
    const pooled = pool(net, 'pool', net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]));
    net.result(net.convolution('b', pooled, 4));
    net.result(net.op('Sigmoid', 'sigmoid', [pooled]));
    assert.deepEqual(place(net).activations, ['a/fq_input_0', 'b/fq_input_0']);
  });

  describe('and a selection', () => {
    const slice = (net: Network, name: string, x: OutputPort, from: number): OutputPort =>
      net.op(
        'StridedSlice',
        name,
        [x, ...[from, from + 4, 1].map((v, i) => net.integers(`${name}/${i}`, i < 2 ? [0, v] : [1, v]))],
        { begin_mask: [1, 0], end_mask: [1, 0] },
      );
    const image = [1, 8, 8, 8];
    const computed = (net: Network): OutputPort => net.op('ReLU', 'relu', [net.input('x', image)]);
    const parts = (from: (net: Network) => OutputPort, read: (net: Network, part: OutputPort) => OutputPort) => {
      const net = new Network();
      const x = from(net);
      net.result(net.convolution('a', slice(net, 'low', x, 0), 4));
      net.result(read(net, slice(net, 'high', x, 4)));
      return place(net).activations;
    };

    it('stays behind it when other parts of the value are read in floating point', () => {
      const sigmoid = parts(computed, (net, high) => net.op('Sigmoid', 'sigmoid', [high]));
      assert.deepEqual(sigmoid, ['a/fq_input_0']);
      const convolution = parts(computed, (net, high) => net.convolution('b', high, 4));
      assert.deepEqual(convolution, ['high/fq_input_0']);
      const shape = parts(computed, (net, high) => net.op('ShapeOf', 'shape', [high]));
      assert.deepEqual(shape, ['low/fq_input_0']);
    });

    it('stays behind it when the parts of an input go different ways', () => {
      const apart = parts(
        (net) => net.input('x', image),
        (net, high) => net.convolution('b', high, 4),
      );
      assert.deepEqual(apart, ['a/fq_input_0', 'b/fq_input_0']);
    });

    it('moves in front of it when the parts of an input are joined again, or one is all that is read', () => {
      const net = new Network();
      const x = net.input('x', image);
      const joined = net.op('Concat', 'joined', [slice(net, 'low', x, 0), slice(net, 'high', x, 4)], { axis: 1 });
      net.result(net.convolution('a', joined, 4));
      assert.deepEqual(place(net).activations, ['high/fq_input_0']);
      const single = new Network();
      single.result(single.convolution('a', slice(single, 'low', single.input('x', image), 0), 4));
      assert.deepEqual(place(single).activations, ['low/fq_input_0']);
    });
  });

  it('moves the quantizers of all branches at once when all readers are quantized', () => {
    const net = new Network();
    const pooled = pool(net, 'pool', net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]));
    net.result(net.convolution('b', pooled, 4));
    net.result(net.convolution('c', pooled, 4));
    const { activations, weights } = place(net);
    assert.deepEqual(activations, ['a/fq_input_0', 'pool/fq_input_0']);
    assert.equal(weights.length, 3);
  });

  it('does not look at readers of the shape alone', () => {
    const net = new Network();
    const pooled = pool(net, 'pool', net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]));
    net.result(net.convolution('b', pooled, 4));
    net.result(net.op('ShapeOf', 'shape', [pooled], { output_type: 'i64' }));
    assert.ok(place(net).activations.includes('pool/fq_input_0'));
  });

  it('gives one quantizer to a value with several quantized readers', () => {
    const net = new Network();
    const x = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]);
    net.result(net.convolution('b', x, 4));
    net.result(net.convolution('c', x, 4));
    assert.deepEqual(place(net).activations, ['a/fq_input_0', 'b/fq_input_0']);
    assert.equal(net.model.node('c').source(0)!.node.name, 'b/fq_input_0');
  });

  it('puts quantizers on both inputs of a residual sum', () => {
    const net = new Network();
    const x = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]);
    const sum = net.op('Add', 'sum', [net.convolution('b', x, 4), x]);
    net.result(net.op('ReLU', 'last', [sum]));
    assert.deepEqual(place(net).activations, ['a/fq_input_0', 'b/fq_input_0', 'sum/fq_input_0']);
    assert.equal(net.model.node('sum').source(1)!.node.name, 'b/fq_input_0');
  });

  it('moves the quantizer of a join to all its inputs, and onto the edge only', () => {
    const net = new Network();
    const x = net.input('x', image);
    const a = net.op('ReLU', 'ra', [net.convolution('a', x, 4)]);
    const b = net.op('ReLU', 'rb', [net.convolution('b', x, 4)]);
    net.result(net.convolution('c', net.op('Concat', 'join', [a, b], { axis: 1 }), 4));
    net.result(net.op('Sigmoid', 'sigmoid', [b]));
    assert.deepEqual(place(net).activations, ['a/fq_input_0', 'join/fq_input_0', 'join/fq_input_1']);
    assert.equal(net.model.node('sigmoid').source(0)!.node.name, 'rb');
  });

  it('moves through a split and the join behind it, as one', () => {
    const net = new Network();
    const split = net.op(
      'Split',
      'split',
      [
        net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]),
        net.value('axis', { type: 'i64', shape: [], data: BigInt64Array.of(1n) }),
      ],
      { num_splits: 2 },
    ).node;
    const join = net.op('Concat', 'join', [split.outputs[1]!, split.outputs[0]!], { axis: 1 });
    net.result(net.convolution('b', join, 4));
    assert.deepEqual(place(net).activations, ['a/fq_input_0', 'split/fq_input_0']);
  });

  it('crosses joins of joins when every reader behind them is quantized (POT: six quantizers)', () => {
    const net = new Network();
    const x = net.input('x', image);
    const part = (name: string): OutputPort => net.convolution(name, x, 4);
    const first = net.op('Concat', '12', [part('8'), part('9')], { axis: 1 });
    net.result(net.convolution('13', first, 4));
    const second = net.op('Concat', '14', [part('10'), part('11'), first], { axis: 1 });
    net.result(net.convolution('15', second, 4));
    const { all } = place(net, { names: ['8', '9', '10', '11'] });
    const readsQuantizer = (name: string): boolean[] =>
      net.model.node(name).inputs.map((i) => i.source!.node.type === 'FakeQuantize');
    assert.deepEqual(readsQuantizer('12'), [true, true]);
    assert.deepEqual(readsQuantizer('14'), [true, true, false]);
    assert.equal(all.length, 6);
  });

  it('crosses no join that an excluded product reads (POT: two quantizers)', () => {
    const net = new Network();
    const x = net.input('x', image);
    const join = net.op('Concat', '12', [net.convolution('8', x, 4), net.convolution('9', x, 4)], { axis: 1 });
    net.result(net.op('Add', '14', [net.convolution('10', join, 4), net.convolution('11', join, 4)]));
    net.result(net.convolution('13', join, 4));
    const { all } = place(net, { names: ['8', '9', '10', '11', '14'] });
    assert.deepEqual(
      all.map((q) => q.name),
      ['13/fq_input_0', '13/fq_weights_1'],
    );
  });

  it('crosses no join of which a value behind another join is read in floating point', () => {
    const net = new Network();
    const x = net.input('x', image);
    const first = net.op('Concat', 'first', [net.convolution('a', x, 4), net.convolution('b', x, 4)], { axis: 1 });
    const second = net.op('Concat', 'second', [first, net.convolution('c', x, 4)], { axis: 1 });
    net.result(net.convolution('d', first, 4));
    net.result(net.op('Sigmoid', 'sigmoid', [second]));
    assert.deepEqual(place(net).activations, ['a/fq_input_0', 'd/fq_input_0']);
  });

  it('leaves an input that is scaled and shifted in floating point, unless asked not to', () => {
    const build = (): Network => {
      const net = new Network();
      const scaled = net.op('Multiply', 'scale', [net.input('x', image), net.input('y', image)]);
      net.result(net.op('Add', 'sum', [scaled, net.op('Tanh', 't', [net.input('z', image)])]));
      return net;
    };
    const roles = rolesFor(targetOf('CPU'));
    const names = (net: Network, quantizeInputs: boolean): string[] => {
      const ignored = { reasons: new Map([[net.model.node('sum'), 'for the test']]), barriers: new Set<Node>() };
      return placeQuantizers(net.model, roles, ignored, { quantizeInputs }).quantizers.map((q) => q.name);
    };
    assert.deepEqual(names(build(), false), []);
    assert.deepEqual(names(build(), true), ['scale/fq_input_0', 'scale/fq_input_1']);
  });

  it('passes the data of Pad and of a conversion like another value', () => {
    const net = new Network();
    const x = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4)]);
    const ends = [net.integers('begin', [0, 0, 1, 1]), net.integers('end', [0, 0, 1, 1])];
    const value = net.value('value', { type: 'f32', shape: [], data: Float32Array.of(0) });
    net.result(net.convolution('b', net.op('Pad', 'pad', [x, ...ends, value], { pad_mode: 'constant' }), 4));
    const { activations, weights } = place(net);
    assert.deepEqual(activations, ['a/fq_input_0', 'pad/fq_input_0']);
    assert.deepEqual(weights, ['a/fq_weights_1', 'b/fq_weights_1']);
  });

  it('quantizes data, state and both weights of a recurrent sequence on processors only', () => {
    const build = (): Network => {
      const net = new Network();
      const [x, h, c] = [net.input('x', [1, 5, 3]), net.input('h', [1, 1, 4]), net.input('c', [1, 1, 4])];
      const computed = [x, h, c].map((v, i) => net.op('Tanh', `t${i}`, [v]));
      const lengths = net.integers('lengths', [5]);
      const weights = [
        [1, 16, 3],
        [1, 16, 4],
        [1, 16],
      ].map((shape, i) => net.weights(`w${i}`, shape, 0.3));
      const attributes = { hidden_size: 4, direction: 'forward' };
      const { outputs } = net.op('LSTMSequence', 'lstm', [...computed, lengths, ...weights], attributes).node;
      net.result(outputs[0]!);
      return net;
    };
    const { activations, weights } = place(build());
    assert.deepEqual(activations, ['lstm/fq_input_0', 'lstm/fq_input_1']);
    assert.deepEqual(weights, ['lstm/fq_weights_4', 'lstm/fq_weights_5']);
    assert.deepEqual(place(build(), {}, 'GPU').all, []);
  });

  it('quantizes both activations of a product of two', () => {
    const net = new Network();
    const x = net.op('Tanh', 'tanh', [net.input('x', [2, 8])]);
    const y = net.op('Sigmoid', 'sigmoid', [net.input('y', [8, 4])]);
    net.result(net.op('MatMul', 'product', [x, y], { transpose_a: false, transpose_b: false }));
    assert.deepEqual(place(net).activations, ['product/fq_input_0', 'product/fq_input_1']);
  });

  it('leaves whole numbers alone', () => {
    const net = new Network();
    const ids = net.op('Convert', 'ids', [net.input('x', [1, 4])], { destination_type: 'i32' });
    net.result(
      net.op('Add', 'sum', [ids, net.op('Convert', 'more', [net.input('y', [1, 4])], { destination_type: 'i32' })]),
    );
    assert.deepEqual(place(net).all, []);
  });

  it('quantizes a join that ends in a depthwise convolution in front of the join', () => {
    const net = new Network();
    const x = net.input('x', image);
    const join = net.op('Concat', 'join', [net.convolution('a', x, 4), net.convolution('b', x, 4)], { axis: 1 });
    net.result(net.depthwise('deep', join));
    assert.deepEqual(place(net).activations, ['a/fq_input_0', 'join/fq_input_0', 'join/fq_input_1']);
  });
});

describe('ignored scope', () => {
  const chain = (): Network => {
    const net = new Network();
    const a = net.op('ReLU', 'relu', [net.convolution('block/a', net.input('x', image), 4)]);
    net.result(net.convolution('block/b', pool(net, 'pool', a), 4));
    return net;
  };

  it('excludes by name, by type and by pattern', () => {
    assert.deepEqual(place(chain(), { names: ['block/a'] }).activations, ['pool/fq_input_0']);
    assert.deepEqual(place(chain(), { types: ['convolution'] }).all, []);
    assert.deepEqual(place(chain(), { patterns: ['/b$'] }).activations, ['block/a/fq_input_0']);
  });

  it('excludes the readers of an excluded operation that only moves values', () => {
    assert.deepEqual(place(chain(), { names: ['pool'] }).activations, ['block/a/fq_input_0']);
  });

  it('refuses an unknown name and suggests the nearest one', () => {
    assert.throws(() => place(chain(), { names: ['blok/a'] }), { code: 'ERR_GRAPH_NAME', help: /'block\/a'/ });
  });

  it('refuses what fits nothing and tells what is near', () => {
    const refuses = (scope: IgnoredScope, help: RegExp): void => {
      assert.throws(() => place(chain(), scope), { code: 'ERR_GRAPH_NAME', help });
    };
    refuses({ types: ['Convolutin'] }, /Did you mean 'Convolution'/);
    refuses({ types: ['LSTMCell'] }, /It has Add, Convolution, MaxPool, Parameter, ReLU, Result/);
    refuses({ patterns: ['^blok/a$'] }, /'block\/a'/);
    refuses({ types: [{ type: 'Convolution', attributes: { strides: '3,3' } }] }, /strides is 1,1/);
    refuses({ types: [{ type: 'Convolution', attributes: { group: 3 } }] }, /group is absent/);
  });

  it('takes a name that was there before the model was prepared for no mistake', () => {
    const net = chain();
    const { model } = chain();
    model.node('relu').name = 'merged';
    const roles = rolesFor(targetOf('CPU'));
    const scope = { names: ['merged'], patterns: ['^merg'] };
    assert.doesNotThrow(() => findIgnored(net.model, roles, { scope, former: model.nodes() }));
  });

  it('excludes a type by the values of its attributes', () => {
    const net = new Network();
    const a = net.op('ReLU', 'relu', [net.convolution('a', net.input('x', image), 4, { stride: 2 })]);
    net.result(net.convolution('b', a, 4));
    const excluded = (strides: string | number[]): string[] => {
      const types = [{ type: 'convolution', attributes: { strides } }];
      const roles = rolesFor(targetOf('CPU'));
      const { reasons } = findIgnored(net.model, roles, { scope: { types } });
      return [...reasons].filter(([, why]) => /strides=2,2/.test(why)).map(([node]) => node.name);
    };
    assert.deepEqual(excluded('2, 2'), ['a']);
    assert.deepEqual(excluded([2, 2]), ['a']);
  });

  it('keeps sums of transformers in floating point', () => {
    const net = new Network();
    const x = net.op('MatMul', 'fc', [net.input('x', [2, 8]), net.weights('w', [4, 8])], {
      transpose_a: false,
      transpose_b: true,
    });
    net.result(net.op('Add', 'sum', [x, net.op('Sigmoid', 's', [x])]));
    const roles = rolesFor(targetOf('CPU'));
    const { quantizers } = placeQuantizers(
      net.model,
      roles,
      findIgnored(net.model, roles, { modelType: 'transformer' }),
    );
    assert.deepEqual(
      quantizers.map((q) => q.name),
      ['fc/fq_input_0', 'fc/fq_weights_1'],
    );
  });

  it('leaves a division by a size of the sample in floating point', () => {
    const net = new Network();
    const x = net.convolution('conv', net.input('x', [1, 4, -1, 8]), 4);
    const shape = net.op('ShapeOf', 'shape', [x], { output_type: 'i64' });
    const height = net.op('Gather', 'height', [shape, net.integers('at', [2]), net.integers('axis', [0])]);
    const size = net.op('Convert', 'size', [height], { destination_type: 'f32' });
    net.result(net.op('Divide', 'mean', [x, size]));
    assert.deepEqual(place(net).activations, ['conv/fq_input_0']);
  });
});
