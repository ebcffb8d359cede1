// Every sub-graph that stays in floating point, one small network each: general ones, then those of single devices.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addNode } from '../../lib/graph/edit.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { findIgnored } from '../../lib/quantization/ignored-scope.ts';
import { rolesFor } from '../../lib/quantization/roles.ts';
import { targetOf } from '../../lib/targets/index.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import { Network } from '../support/network.ts';

const image = [1, 4, 8, 8];

/** Names of nodes in a network, with what is short to write. */
class Sketch extends Network {
  private count = 0;

  /** One of a type; operands that are numbers of a shape become constants. */
  add(
    name: string,
    type: string,
    inputs: readonly (OutputPort | Shape)[],
    attributes: Record<string, unknown> = {},
  ): OutputPort {
    const ports = inputs.map((x) => ('node' in x ? x : this.weights(`c${this.count++}`, x)));
    return this.op(type, name, ports, attributes);
  }

  /** An operation that lowp need not know. */
  unknown(name: string, type: string, inputs: readonly OutputPort[], shape: Shape): OutputPort {
    return addNode(this.model, { type, name, inputs, outputs: [{ type: 'f32', shape }] }).output;
  }

  perChannel(name: string, type: string, x: OutputPort): OutputPort {
    return this.add(name, type, [x, x.fact.shape.map((d, i) => (i === 1 ? d : 1))]);
  }

  reshape(name: string, x: OutputPort, shape: readonly number[]): OutputPort {
    return this.op('Reshape', name, [x, this.integers(`${name}/to`, shape)], { special_zero: false });
  }

  transpose(name: string, x: OutputPort, order: readonly number[]): OutputPort {
    return this.op('Transpose', name, [x, this.integers(`${name}/order`, order)]);
  }

  matMul(name: string, a: OutputPort, b: OutputPort): OutputPort {
    return this.op('MatMul', name, [a, b], { transpose_a: false, transpose_b: false });
  }
}

/** Ignored names but for biases, which every convolution has. */
function ignoredIn(build: (net: Sketch) => OutputPort, device = 'NPU'): string[] {
  const net = new Sketch();
  net.result(build(net));
  const { reasons } = findIgnored(net.model, rolesFor(targetOf(device)));
  for (const reason of reasons.values()) assert.ok(reason.length > 15);
  return [...reasons.keys()]
    .map((n) => n.name)
    .filter((name) => !/^conv\w*\/add$/.test(name))
    .sort();
}

const excitation =
  (activation: string) =>
  (net: Sketch): OutputPort => {
    const x = net.add('x0', 'ReLU', [net.input('x', image)]);
    const mean = net.op('ReduceMean', 'mean', [x, net.integers('axes', [2, 3])], { keep_dims: true });
    const inner = net.add('inner', activation, [net.convolution('convA', mean, 2, { kernel: 1 })]);
    const gate = net.add('gate', 'Sigmoid', [net.convolution('convB', inner, 4, { kernel: 1 })]);
    return net.add('weighted', 'Multiply', [x, gate]);
  };

const attention = (net: Sketch): { scores: OutputPort; values: OutputPort } => {
  const scores = net.op('SoftMax', 'softmax', [net.input('scores', [1, 2, 4, 4])], { axis: 3 });
  const sum = net.add('sum', 'Add', [net.input('v', [1, 4, 6]), [1, 1, 6]]);
  return { scores, values: net.transpose('values', net.reshape('heads', sum, [1, 4, 2, 3]), [0, 2, 1, 3]) };
};

const general: Record<string, readonly [build: (net: Sketch) => OutputPort, expected: string]> = {
  'swish behind a biased product': [
    (net) => net.add('swish', 'Swish', [net.convolution('conv', net.input('x', image), 4)]),
    'swish',
  ],
  'squeeze and excitation with ReLU': [excitation('ReLU'), 'convA convB gate inner'],
  'squeeze and excitation with Swish': [excitation('Swish'), 'convA convB gate inner'],
  'a sum behind a product': [
    (net) =>
      net.perChannel('shift', 'Add', net.add('scale', 'Multiply', [net.input('x', image), net.input('y', image)])),
    'scale shift',
  ],
  'sum, scale and shift in front of an output': [
    (net) => {
      const sum = net.add('sum', 'Add', [
        net.add('a', 'Tanh', [net.input('x', image)]),
        net.add('b', 'Tanh', [net.input('y', image)]),
      ]);
      return net.perChannel('shift', 'Add', net.perChannel('scale', 'Multiply', sum));
    },
    'scale shift shift/result',
  ],
  'scale and shift behind a normalization': [
    (net) => {
      const norm = net.op(
        'MVN',
        'norm',
        [net.add('t', 'Tanh', [net.input('x', image)]), net.integers('axes', [2, 3])],
        {
          eps: 1e-5,
          eps_mode: 'inside_sqrt',
          normalize_variance: true,
        },
      );
      return net.add('t2', 'Tanh', [net.perChannel('shift', 'Add', net.perChannel('scale', 'Multiply', norm))]);
    },
    'scale shift',
  ],
  'a product behind NormalizeL2': [
    (net) => {
      const norm = net.op(
        'NormalizeL2',
        'norm',
        [net.add('t', 'Tanh', [net.input('x', image)]), net.integers('axes', [1])],
        {
          eps: 1e-5,
          eps_mode: 'add',
        },
      );
      return net.perChannel('scale', 'Multiply', norm);
    },
    'scale',
  ],
  'a softmax spelled with a power': [
    (net) => {
      const e = net.add('exp', 'Exp', [net.input('x', [1, 8])]);
      const sum = net.op('ReduceSum', 'sum', [e, net.integers('axes', [1])], { keep_dims: true });
      return net.add('share', 'Multiply', [e, net.add('power', 'Power', [sum, []])]);
    },
    'exp power share sum',
  ],
  'reshaped probabilities times values': [
    (net) => {
      const { scores, values } = attention(net);
      return net.matMul('mix', net.reshape('flat', scores, [1, 2, 4, 4]), values);
    },
    'flat heads mix softmax sum values',
  ],
  'probabilities times reshaped values': [
    (net) => {
      const scores = net.op('SoftMax', 'softmax', [net.input('scores', [1, 2, 4, 4])], { axis: 3 });
      const first = net.reshape('first', net.add('t', 'Tanh', [net.input('w', [1, 4, 6])]), [1, 4, 2, 3]);
      const last = net.reshape('last', net.transpose('swap', first, [0, 2, 1, 3]), [1, 2, 4, 3]);
      return net.matMul('mix', scores, last);
    },
    'first last mix softmax swap',
  ],
  'a normalization of a matrix product': [
    (net) => {
      const wide = net.op('Unsqueeze', 'wide', [
        net.add('t', 'Tanh', [net.input('x', [2, 4])]),
        net.integers('a', [2]),
      ]);
      const shifted = net.perChannel('shift', 'Add', net.perChannel('scale', 'Multiply', wide));
      return net.op('Squeeze', 'narrow', [shifted, net.integers('b', [2])]);
    },
    'narrow scale shift wide',
  ],
  'a batch index': [
    (net) => {
      const x = net.add('difference', 'Subtract', [
        net.add('t', 'Tanh', [net.input('x', [1, 4])]),
        net.add('u', 'Tanh', [net.input('y', [1, 4])]),
      ]);
      const scaled = net.add('scaled', 'Multiply', [
        net.add('product', 'Multiply', [x, net.add('s', 'Tanh', [net.input('z', [1, 4])])]),
        [1, 4],
      ]);
      const moved = net.add('moved', 'Add', [scaled, net.add('w', 'Tanh', [net.input('q', [1, 4])])]);
      const wide = net.op('Unsqueeze', 'wide', [moved, net.integers('axis', [2])]);
      const joined = net.op('Concat', 'joined', [wide, wide], { axis: 2 });
      const indexed = net.op('Concat', 'indexed', [net.weights('index', [1, 4, 2]), joined], { axis: 2 });
      return net.convolution('convL', net.reshape('planes', indexed, [1, 4, 2, 2]), 4, { kernel: 1, bias: false });
    },
    'convL difference indexed joined moved planes product scaled wide',
  ],
};

describe('ignored on every device', () => {
  for (const [name, [build, expected]] of Object.entries(general)) {
    it(name, () => assert.equal(ignoredIn(build).join(' '), expected));
  }

  for (const type of ['ExperimentalDetectronDetectionOutput', 'ExperimentalDetectronROIFeatureExtractor']) {
    it(`a sum behind ${type}`, () => {
      const found = ignoredIn((net) =>
        net.add('moved', 'Add', [net.unknown('boxes', type, [net.input('x', [4, 4])], [4, 4]), [4, 4]]),
      );
      assert.deepEqual(found, ['boxes', 'moved']);
    });
  }

  it('a negated comparison', () => {
    const found = ignoredIn((net) => {
      const equal = net.add('equal', 'Equal', [net.input('x', [4]), net.input('y', [4])]);
      return net.add('other', 'LogicalNot', [equal]);
    });
    assert.deepEqual(found, ['equal', 'other']);
  });

  it('what leads to TopK and NonMaxSuppression, not the selection itself', () => {
    const found = ignoredIn((net) => {
      const scores = net.add('scores', 'Sigmoid', [net.convolution('conv', net.input('x', image), 4)]);
      return net.unknown('best', 'NonMaxSuppression', [net.reshape('flat', scores, [1, 256])], [3]);
    });
    assert.deepEqual(found, ['flat', 'scores']);
  });
});

describe('the arithmetic of an input', () => {
  const prefixes: Record<string, (net: Sketch) => OutputPort> = {
    '': (net) => net.input('x', image),
    swap: (net) => net.transpose('swap', net.input('x', image), [0, 1, 2, 3]),
    'cast swap': (net) =>
      net.transpose(
        'swap',
        net.op('Convert', 'cast', [net.input('x', image)], { destination_type: 'f32' }),
        [0, 1, 2, 3],
      ),
  };
  const reversed = (net: Sketch, x: OutputPort): OutputPort => {
    const axis = net.value('axis', { type: 'i64', shape: [], data: BigInt64Array.of(1n) });
    const { outputs } = net.op('Split', 'parts', [x, axis], { num_splits: 2 }).node;
    return net.op('Concat', 'turned', [outputs[1]!, outputs[0]!], { axis: 1 });
  };
  const then = (net: Sketch, x: OutputPort): OutputPort => net.add('last', 'Tanh', [x]);
  for (const [marks, prefix] of Object.entries(prefixes)) {
    const expected = (...more: string[]): string[] => [...(marks === '' ? [] : marks.split(' ')), ...more].sort();
    const name = marks === '' ? 'at the input' : `behind ${marks}`;
    it(`${name}: scale and shift, shift alone, a product`, () => {
      const scaled = (net: Sketch) => net.perChannel('shift', 'Add', net.perChannel('scale', 'Multiply', prefix(net)));
      assert.deepEqual(
        ignoredIn((net) => then(net, scaled(net))),
        expected('scale', 'shift'),
      );
      assert.deepEqual(
        ignoredIn((net) => then(net, net.perChannel('shift', 'Add', prefix(net)))),
        expected('shift'),
      );
      const product = (net: Sketch) =>
        net.add('product', 'Multiply', [prefix(net), net.add('t', 'Tanh', [net.input('y', image)])]);
      assert.deepEqual(
        ignoredIn((net) => then(net, product(net))),
        expected('product'),
      );
    });
    it(`${name}: channels in another order, then scale and shift, or shift alone`, () => {
      const scaled = (net: Sketch) =>
        net.perChannel('shift', 'Add', net.perChannel('scale', 'Multiply', reversed(net, prefix(net))));
      assert.deepEqual(
        ignoredIn((net) => then(net, scaled(net))),
        expected('parts', 'scale', 'shift', 'turned'),
      );
      const shifted = (net: Sketch) => net.perChannel('shift', 'Add', reversed(net, prefix(net)));
      assert.deepEqual(
        ignoredIn((net) => then(net, shifted(net))),
        expected('parts', 'shift', 'turned'),
      );
    });
  }

  it('a difference', () => {
    assert.deepEqual(
      ignoredIn((net) => then(net, net.perChannel('minus', 'Subtract', net.input('x', image)))),
      ['minus'],
    );
  });
});

describe('ignored on single devices', () => {
  const bases: Record<string, (net: Sketch) => OutputPort> = {
    'a product': (net) => net.convolution('conv', net.input('x', image), 4, { bias: false }),
    'a biased product': (net) => net.convolution('conv', net.input('x', image), 4),
    'an activated product': (net) =>
      net.add('act', 'ReLU', [net.convolution('conv', net.input('x', image), 4, { bias: false })]),
    'a biased and activated product': (net) =>
      net.add('act', 'Sigmoid', [net.convolution('conv', net.input('x', image), 4)]),
  };
  for (const [name, base] of Object.entries(bases)) {
    it(`scale and shift, and any constant operand, behind ${name} on processors and GPUs`, () => {
      for (const device of ['CPU', 'ANY', 'CPU_SPR', 'GPU']) {
        const scaled = (net: Sketch) =>
          net.add('last', 'Tanh', [net.perChannel('shift', 'Add', net.perChannel('scale', 'Multiply', base(net)))]);
        assert.deepEqual(ignoredIn(scaled, device), ['scale', 'shift'], device);
        const least = (net: Sketch) => net.perChannel('least', 'Maximum', base(net));
        assert.deepEqual(ignoredIn(least, device), ['least'], device);
      }
      assert.deepEqual(
        ignoredIn((net) => net.perChannel('least', 'Maximum', base(net))),
        [],
      );
    });
  }

  it('a scaled clamp, everywhere but on GNA', () => {
    const build = (net: Sketch) =>
      net.perChannel('scale', 'Multiply', net.add('clamp', 'Clamp', [net.input('x', image)], { min: 0, max: 6 }));
    for (const device of ['CPU', 'CPU_SPR', 'GPU', 'NPU', 'VPU'])
      assert.deepEqual(ignoredIn(build, device), ['clamp', 'scale']);
    assert.deepEqual(ignoredIn(build, 'GNA'), []);
  });

  it('attention, with Gather not on processors with matrix tiles, and not at all on GNA', () => {
    const plain = (net: Sketch): OutputPort => {
      const { scores, values } = attention(net);
      return net.matMul('mix', scores, values);
    };
    const gathered = (net: Sketch): OutputPort => {
      const { scores, values } = attention(net);
      const axis = net.value('axis', { type: 'i64', shape: [], data: BigInt64Array.of(1n) });
      return net.matMul('mix', scores, net.op('Gather', 'pick', [values, net.integers('which', [0, 1]), axis]));
    };
    const marked = ['heads', 'mix', 'softmax', 'sum', 'values'];
    for (const device of ['CPU', 'ANY', 'GPU', 'NPU', 'VPU']) {
      assert.deepEqual(ignoredIn(gathered, device), [...marked, 'pick'].sort(), device);
    }
    assert.deepEqual(ignoredIn(plain, 'CPU_SPR'), marked);
    assert.ok(!ignoredIn(gathered, 'CPU_SPR').includes('mix'));
    assert.ok(!ignoredIn(plain, 'GNA').includes('mix'));
  });

  it('the end of an assignment on GNA', () => {
    const build = (net: Sketch) =>
      net.unknown('assign', 'Assign', [net.add('t', 'Tanh', [net.input('x', image)])], image);
    assert.deepEqual(ignoredIn(build, 'GNA'), ['assign/result']);
    assert.deepEqual(ignoredIn(build, 'GNA3'), ['assign/result']);
    assert.deepEqual(ignoredIn(build, 'CPU'), []);
  });
});
