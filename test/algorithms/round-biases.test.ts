// Biases on the grid of the integer sums that they are added to.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { roundBiases } from '../../lib/algorithms/round-biases.ts';
import { readOnnx } from '../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../lib/formats/onnx/write.ts';
import type { Model } from '../../lib/graph/model.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { quantize } from '../../lib/index.ts';
import { toFloat32 } from '../../lib/tensor/convert.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { Network } from '../support/network.ts';
import { quantizer } from '../support/quantizers.ts';

interface Case {
  readonly bias: readonly number[];
  /** Largest weight of each of two channels, 127 steps. */
  readonly weights?: readonly number[];
  readonly levels?: number;
  readonly data?: (b: ModelBuilder, x: OutputPort) => OutputPort;
}

/** Data in steps of 0.1 times two channels of weights in steps of 0.01, and a bias. */
function product({ bias, weights = [1.27, 1.27], levels = 255, data }: Case): Model {
  const b = new ModelBuilder();
  const x = b.parameter('x', [1, 2, 3, 3]);
  const rounded = data ? data(b, x) : quantizer(b, x, 0, 25.5);
  const limits = [-1, 1].map((sign) =>
    b.constant(
      'limit',
      [weights.length, 1, 1, 1],
      weights.map((w) => sign * w),
    ),
  );
  const w = b.op('FakeQuantize', [b.weights('w', [2, 2, 1, 1]), ...limits, ...limits], { levels }, 'fq_w');
  const window = { strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0], dilations: [1, 1] };
  const y = b.op('Convolution', [rounded, w], window, 'c');
  b.result(b.op('Add', [y, b.constant('bias', [1, 2, 1, 1], bias)], {}, 'sum'));
  return b.model;
}

function biasesOf(model: Model): number[] {
  return Array.from(toFloat32(model.node('sum').source(1)!.fact.value!));
}

describe('biases of integer products', () => {
  it('are whole numbers of steps of data times steps of weights', () => {
    const model = product({ bias: [0.1234, -0.0606] });
    assert.equal(roundBiases(model), 1);
    const step = Math.fround(Math.fround(25.5 / 255) * Math.fround((2 * Math.fround(1.27)) / 254));
    assert.deepEqual(biasesOf(model), [Math.fround(123 * step), Math.fround(-61 * step)]);
    const once = biasesOf(model);
    roundBiases(model);
    assert.deepEqual(biasesOf(model), once, 'rounding twice');
  });

  it('take the step of their own channel', () => {
    const model = product({ bias: [0.1234, 0.1234], weights: [1.27, 12.7] });
    roundBiases(model);
    const [a, b] = biasesOf(model);
    assert.ok(Math.abs(a! - 0.123) < 1e-6 && Math.abs(b! - 0.12) < 1e-6, `${a} ${b}`);
  });

  it('stay where they do not fit 32 bits', () => {
    const model = product({ bias: [3e6, 0.1234] });
    roundBiases(model);
    const [a, b] = biasesOf(model);
    assert.equal(a, 3e6);
    assert.ok(Math.abs(b! - 0.123) < 1e-6, `${b}`);
  });

  for (const [name, other] of Object.entries<Omit<Case, 'bias'>>({
    'data in floats': { data: (_, x) => x },
    'a scale for each channel of the data': { data: (b, x) => quantizer(b, x, [0, 0], [25.5, 51]) },
    '16-bit data': { data: (b, x) => quantizer(b, x, 0, 25.5, 65536) },
    '16-bit weights': { levels: 65535 },
  })) {
    it(`stay behind ${name}`, () => {
      const bias = [Math.fround(0.1234), Math.fround(-0.0606)];
      const model = product({ bias, ...other });
      assert.equal(roundBiases(model), 0);
      assert.deepEqual(biasesOf(model), bias);
    });
  }

  it('of a model that was quantized are the same numbers in ONNX, in 32-bit integers', async () => {
    const net = new Network(7);
    const hidden = net.op('ReLU', 'relu', [net.convolution('c', net.input('x', [1, 3, 8, 8]), 4)]);
    const pooled = net.op('ReduceMean', 'mean', [hidden, net.integers('axes', [2, 3])], { keep_dims: false });
    const matrix = net.op('MatMul', 'fc', [pooled, net.weights('w', [5, 4])], { transpose_b: true });
    net.result(net.op('Add', 'sum', [matrix, net.weights('b', [1, 5])]));
    const { model } = await quantize(net.model, [{ x: net.noise([1, 3, 8, 8]) }], { subsetSize: 1 });
    const biases = (m: Model): number[][] =>
      m
        .nodes()
        .flatMap((n) => (n.type === 'Add' ? [Array.from(toFloat32(n.source(1)!.fact.value!))] : []))
        .toSorted((a, b) => a.length - b.length);
    assert.equal(biases(model).length, 2);
    assert.deepEqual(biases(readOnnx(writeOnnx(model))), biases(model));
  });
});
