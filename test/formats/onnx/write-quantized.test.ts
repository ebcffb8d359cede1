// The form of quantized models that runtimes compute in integers, and that it reads back as the model it was.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { type GraphProto, ModelProtoSchema } from '../../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { readTensor } from '../../../lib/formats/onnx/tensor-proto.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import type { Model } from '../../../lib/graph/model.ts';
import type { Node, OutputPort } from '../../../lib/graph/node.ts';
import { toFloat32, toFloat64 } from '../../../lib/tensor/convert.ts';
import type { Shape } from '../../../lib/tensor/shape.ts';
import type { Tensor } from '../../../lib/tensor/tensor.ts';
import { evaluate, ModelBuilder, randomFeeds } from '../../support/model-builder.ts';
import { quantizedWeights, quantizer } from '../../support/quantizers.ts';
import { buildNetwork, networkPlans } from '../../support/random-network.ts';

const geometry = { strides: [1, 1], dilations: [1, 1], pads_begin: [1, 1], pads_end: [1, 1] };

/** A grid from zero up with this step. */
const up = (step: number): [number, number] => [0, 255 * step];

/** A grid around zero with this step. */
const around = (step: number): [number, number] => [-128 * step, 127 * step];

function graphOf(bytes: Uint8Array): GraphProto {
  return fromBinary(ModelProtoSchema, bytes).graph!;
}

/** What computes the value. */
function producer(graph: GraphProto, value: string | undefined) {
  return graph.node.find((n) => n.output.includes(value ?? ''));
}

function initializer(graph: GraphProto, name: string | undefined): Tensor | undefined {
  const proto = graph.initializer.find((t) => t.name === name);
  return proto && readTensor(proto, undefined);
}

function count(model: Model, type: string): number {
  return model.nodes().filter((n) => n.type === type).length;
}

interface ConvolutionCase {
  readonly input?: readonly [number | number[], number | number[]];
  readonly bias?: readonly number[];
  /** What stands behind the bias. */
  readonly behind?: (b: ModelBuilder, x: OutputPort) => OutputPort;
}

/** Quantizer, convolution with bias, and what stands behind; 4 channels of 6 × 6 in and out. */
function convolution({ input = around(0.02), bias = [1, -2, 0.5, 0], behind }: ConvolutionCase): Model {
  const b = new ModelBuilder('conv', 3);
  const x = quantizer(b, b.parameter('x', [1, 4, 6, 6]), ...input);
  const y = b.op('Convolution', [x, quantizedWeights(b, [4, 4, 3, 3], 4)], geometry, 'conv');
  const sum = b.op('Add', [y, b.constant('bias', [1, 4, 1, 1], bias)], {}, 'sum');
  b.result(behind ? behind(b, sum) : sum);
  return b.model;
}

const rounded = (b: ModelBuilder, x: OutputPort): OutputPort => quantizer(b, x, ...around(0.05));

/** The integer bias of the only convolution with its scales, undefined when it is f32. */
function integerBias(bytes: Uint8Array): { values: Float64Array; scale: Float64Array } | undefined {
  const graph = graphOf(bytes);
  const conv = graph.node.find((n) => n.opType === 'Conv' || n.opType === 'Gemm')!;
  const source = producer(graph, conv.input[2]);
  if (source?.opType !== 'DequantizeLinear') return undefined;
  const [values, scale] = [initializer(graph, source.input[0])!, initializer(graph, source.input[1])!];
  assert.equal(values.type, 'i32');
  assert.equal(source.input.length, 2);
  return { values: toFloat64(values), scale: toFloat64(scale) };
}

/** The constant that the only Add of a bias reads. */
function biasOf(model: Model): Float32Array {
  const constants = model.nodes().flatMap((n: Node) => {
    const value = n.type === 'Add' ? (n.source(1)?.fact.value ?? n.source(0)?.fact.value) : undefined;
    return value ? [toFloat32(value)] : [];
  });
  assert.equal(constants.length, 1);
  return constants[0]!;
}

describe('the bias of a quantized convolution', () => {
  it('is i32 with the scale of the sums, and reads back as f32 within half of it', () => {
    const model = convolution({ behind: rounded });
    const bytes = writeOnnx(model);
    const { values, scale } = integerBias(bytes)!;
    assert.equal(scale.length, 4);
    const graph = graphOf(bytes);
    const weights = producer(graph, graph.node.find((n) => n.opType === 'Conv')!.input[1])!;
    const weightScale = toFloat64(initializer(graph, weights.input[1])!);
    const step = Math.fround((127 * 0.02 + 128 * 0.02) / 255);
    for (const [i, s] of scale.entries()) assert.equal(s, Math.fround(step * weightScale[i]!));
    const [before, after] = [biasOf(model), biasOf(readOnnx(bytes))];
    for (const [i, s] of scale.entries()) {
      assert.equal(after[i], Math.fround(values[i]! * s));
      assert.ok(Math.abs(after[i]! - before[i]!) <= (s / 2) * (1 + 1e-6), `channel ${i}`);
    }
  });

  it('is i32 in front of clamps that the quantizer makes redundant and of operations that move values', () => {
    const pool = { kernel: [2, 2], strides: [2, 2], pads_begin: [0, 0], pads_end: [0, 0] };
    const cases: ((b: ModelBuilder, x: OutputPort) => OutputPort)[] = [
      (b, x) => quantizer(b, b.op('ReLU', [x]), ...up(0.03)),
      (b, x) => quantizer(b, b.op('Clamp', [x], { min: 0, max: 6 }), 0, 6),
      (b, x) => quantizer(b, b.op('MaxPool', [b.op('ReLU', [x])], pool), ...up(0.03)),
    ];
    for (const behind of cases) assert.ok(integerBias(writeOnnx(convolution({ behind }))));
  });

  it('stays f32 where the sums could not stay integers', () => {
    const perChannel = [0, 1, 2, 3].map((i) => around(0.01 + 0.01 * i));
    const cases: Record<string, ConvolutionCase> = {
      'no quantizer behind': {},
      'two consumers': { behind: (b, x) => b.op('Add', [rounded(b, x), x]) },
      'a clamp inside the grid': { behind: (b, x) => quantizer(b, b.op('Clamp', [x], { min: 0, max: 4 }), 0, 6) },
      'a ReLU in front of negative steps': { behind: (b, x) => rounded(b, b.op('ReLU', [x])) },
      'a function behind': { behind: (b, x) => rounded(b, b.op('Sigmoid', [x])) },
      'a scale per channel': {
        input: [perChannel.map(([low]) => low), perChannel.map(([, high]) => high)],
        behind: rounded,
      },
      'a quantizer per channel behind': {
        behind: (b, x) => quantizer(b, x, [-1.28, -2.56, -1.28, -1.28], [1.27, 2.54, 1.27, 1.27]),
      },
      'a bias beyond i32': { bias: [1e9, 0, 0, 0], behind: rounded },
    };
    for (const [name, given] of Object.entries(cases)) {
      const model = convolution(given);
      const bytes = writeOnnx(model);
      assert.equal(integerBias(bytes), undefined, name);
      const conv = graphOf(bytes).node.find((n) => n.opType === 'Conv')!;
      assert.equal(initializer(graphOf(bytes), conv.input[2])?.type, 'f32', name);
    }
  });
});

describe('quantized matrix products', () => {
  const product = (shape: Shape, transposed: boolean): Model => {
    const b = new ModelBuilder('product', 5);
    const x = quantizer(b, b.parameter('x', shape), ...around(0.02));
    const weights = quantizedWeights(b, transposed ? [4, 6] : [6, 4], transposed ? 4 : 6);
    const flags = { transpose_a: false, transpose_b: transposed };
    const y = b.op('MatMul', [x, weights], flags, 'product');
    b.result(b.op('Add', [y, b.constant('bias', [4], [1, -2, 0.5, 0])], {}, 'sum'));
    return b.model;
  };

  it('of matrices take the bias in i32, with or without a quantizer behind', async () => {
    const model = product([3, 6], true);
    const bytes = writeOnnx(model);
    assert.ok(graphOf(bytes).node.some((n) => n.opType === 'Gemm'));
    assert.equal(integerBias(bytes)?.scale.length, 4);
    const again = readOnnx(bytes);
    assert.equal(count(again, 'MatMul'), 1);
    assert.equal(count(again, 'Add'), 1);
    const feeds = randomFeeds(model, 4);
    const [a, c] = [await output(model, feeds), await output(again, feeds)];
    for (const [i, v] of a.entries()) assert.ok(Math.abs(v - c[i]!) < 1e-3, `${v} and ${c[i]}`);
  });

  it('whose weights have a scale per row of the sum keep the bias in f32', () => {
    assert.equal(integerBias(writeOnnx(product([3, 6], false))), undefined);
  });

  it('of more dimensions store their weights transposed', async () => {
    const model = product([2, 3, 6], true);
    const bytes = writeOnnx(model);
    const graph = graphOf(bytes);
    assert.ok(!graph.node.some((n) => n.opType === 'Transpose'));
    const weights = producer(graph, graph.node.find((n) => n.opType === 'MatMul')!.input[1])!;
    assert.deepEqual(initializer(graph, weights.input[0])?.shape, [6, 4]);
    assert.equal(weights.attribute.find((a) => a.name === 'axis')?.i, 1n);
    const feeds = randomFeeds(model, 4);
    const [a, c] = [await output(model, feeds), await output(readOnnx(bytes), feeds)];
    for (const [i, v] of a.entries()) assert.ok(Math.abs(v - c[i]!) < 1e-5, `${v} and ${c[i]}`);
  });
});

describe('values that are moved', () => {
  const joined = (second: readonly [number, number], behind = true): Model => {
    const b = new ModelBuilder('join', 7);
    const x = b.parameter('x', [1, 4, 6, 6]);
    const parts = [quantizer(b, b.op('ReLU', [x]), ...up(0.02)), quantizer(b, b.op('Sigmoid', [x]), ...second)];
    const join = b.op('Concat', parts, { axis: 1 }, 'join');
    b.result(behind ? b.op('Convolution', [join, quantizedWeights(b, [4, 8, 3, 3], 4)], geometry) : join);
    return b.model;
  };

  it('are rounded to their grid again, which disappears when they are read', async () => {
    const model = joined(up(0.02));
    const bytes = writeOnnx(model);
    const graph = graphOf(bytes);
    assert.equal(graph.node.filter((n) => n.opType === 'QuantizeLinear').length, 3);
    const conv = graph.node.find((n) => n.opType === 'Conv')!;
    const integers = producer(graph, producer(graph, conv.input[0])?.input[0]);
    assert.equal(integers?.opType, 'QuantizeLinear');
    assert.equal(producer(graph, integers?.input[0])?.opType, 'Concat');
    const again = readOnnx(bytes);
    assert.equal(count(again, 'FakeQuantize'), 2);
    const feeds = randomFeeds(model, 9);
    const [a, c] = [await output(model, feeds), await output(again, feeds)];
    for (const [i, v] of a.entries()) assert.ok(Math.abs(v - c[i]!) < 1e-5);
    const types = (g: GraphProto): string[] => g.node.map((n) => n.opType);
    assert.deepEqual(types(graphOf(writeOnnx(again))), types(graph));
  });

  it('are left alone when their grids differ or the value is an output', () => {
    for (const model of [joined(up(0.01)), joined(up(0.02), false)]) {
      const { node } = graphOf(writeOnnx(model));
      assert.equal(node.filter((n) => n.opType === 'QuantizeLinear').length, 2);
    }
  });

  it('keep a pair that rounds to another grid when they are read', () => {
    const b = new ModelBuilder('twice', 7);
    const pooled = b.op('Transpose', [
      quantizer(b, b.parameter('x', [2, 3]), ...up(0.02)),
      b.constant('order', [2], [1, 0], 'i64'),
    ]);
    b.result(quantizer(b, pooled, ...up(0.04)));
    assert.equal(count(readOnnx(writeOnnx(b.model)), 'FakeQuantize'), 2);
  });
});

describe('activations', () => {
  it('have one integer type per tensor, u8 as soon as one grid is not around zero, and i8 per channel', () => {
    const types = (second: readonly [number | number[], number | number[]]): (string | undefined)[] => {
      const b = new ModelBuilder('types', 2);
      const x = quantizer(b, b.parameter('x', [1, 2]), ...around(0.02));
      b.result(quantizer(b, b.op('Sigmoid', [x]), ...second));
      const bytes = writeOnnx(b.model);
      const graph = graphOf(bytes);
      const limits = (m: Model): number[] =>
        m
          .nodes()
          .filter((n) => n.type === 'FakeQuantize')
          .flatMap((n) => [1, 2].flatMap((i) => [...toFloat64(n.source(i)!.fact.value!)]));
      const [before, after] = [limits(b.model), limits(readOnnx(bytes))];
      for (const [i, v] of before.entries()) assert.ok(Math.abs(v - after[i]!) <= Math.abs(v) * 2 ** -22);
      return graph.node.filter((n) => n.opType === 'QuantizeLinear').map((n) => initializer(graph, n.input[2])?.type);
    };
    assert.deepEqual(types(around(0.01)), ['i8', 'i8']);
    assert.deepEqual(types(up(0.01)), ['u8', 'u8']);
    const perChannel = types([
      [0, 0],
      [2.55, 5.1],
    ]);
    assert.deepEqual(perChannel, ['u8', 'i8']);
    const centred = types([
      [-1.28, -2.56],
      [1.27, 2.54],
    ]);
    assert.deepEqual(centred, ['u8', 'i8']);
  });

  it('are pooled by GlobalAveragePool where the mean takes all of space and keeps its axes', () => {
    const mean = (axes: readonly number[], keep: boolean): string => {
      const b = new ModelBuilder('mean', 2);
      const inputs = [b.parameter('x', [1, 3, 4, 5]), b.constant('axes', [axes.length], axes, 'i64')];
      b.result(b.op('ReduceMean', inputs, { keep_dims: keep }));
      const bytes = writeOnnx(b.model);
      assert.equal(count(readOnnx(bytes), 'ReduceMean'), 1);
      return graphOf(bytes).node[0]!.opType;
    };
    assert.equal(mean([3, 2], true), 'GlobalAveragePool');
    assert.equal(mean([-1, -2], true), 'GlobalAveragePool');
    for (const axes of [[2], [1, 2, 3], [1, 2]]) assert.equal(mean(axes, true), 'ReduceMean');
    assert.equal(mean([2, 3], false), 'ReduceMean');
  });
});

describe('random quantized networks', () => {
  it('gain no quantizer on the way, and stay as they are once they have been written', async () => {
    let integerBiases = 0;
    await fc.assert(
      fc.asyncProperty(networkPlans(12), async (plan) => {
        const model = buildNetwork(plan, { quantizers: true });
        fc.pre(model.results().length > 0);
        const bytes = writeOnnx(model);
        const graph = graphOf(bytes);
        if (graph.initializer.some((t) => t.dataType === 6)) integerBiases++;
        const once = readOnnx(bytes);
        const twice = readOnnx(writeOnnx(once));
        assert.ok(count(once, 'FakeQuantize') <= count(model, 'FakeQuantize'));
        assert.equal(count(twice, 'FakeQuantize'), count(once, 'FakeQuantize'));
        const feeds = randomFeeds(once, plan.seed);
        assert.deepEqual(await evaluate(twice, feeds), await evaluate(once, feeds));
      }),
      { numRuns: 150, seed: 11 },
    );
    assert.ok(integerBiases > 0, 'no network had an integer bias');
  });
});

async function output(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Float64Array> {
  return toFloat64(Object.values(await evaluate(model, feeds))[0]!);
}
