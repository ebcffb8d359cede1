import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Feeds } from '../lib/engines/engine.ts';
import { referenceEngine } from '../lib/engines/reference-engine.ts';
import type { LowpEvent } from '../lib/events/events.ts';
import type { Model } from '../lib/graph/model.ts';
import { printModel } from '../lib/graph/print.ts';
import { verify } from '../lib/graph/verify.ts';
import { formatOfFakeQuantize } from '../lib/lowering/format.ts';
import { quantizersOf } from '../lib/quantization/propagate.ts';
import { isConstant } from '../lib/quantization/roles.ts';
import { type QuantizeOptions, quantize } from '../lib/quantize.ts';
import type { Samples } from '../lib/statistics/samples.ts';
import { rowOf, type TargetDescription, targetOf } from '../lib/targets/index.ts';
import { toFloat32 } from '../lib/tensor/convert.ts';
import { type Tensor, tensor } from '../lib/tensor/tensor.ts';
import { Network } from './support/network.ts';
import { biasOf } from './support/pipeline.ts';

/** Convolution, depthwise convolution, residual sum, join, pooling and a product at the end. */
function network(): Network {
  const net = new Network(11);
  const x = net.op('ReLU', 'r1', [net.convolution('c1', net.input('image', [1, 3, 12, 12]), 8)]);
  const deep = net.op('Clamp', 'r2', [net.depthwise('d2', x)], { min: 0, max: 6 });
  const y = net.op('ReLU', 'r3', [net.op('Add', 'sum', [net.convolution('c3', deep, 8, { kernel: 1 }), x])]);
  const branch = net.convolution('c4', y, 4);
  const join = net.op('Concat', 'join', [y, branch], { axis: 1 });
  const pooled = net.op('MaxPool', 'pool', [join], {
    kernel: [2, 2],
    strides: [2, 2],
    pads_begin: [0, 0],
    pads_end: [0, 0],
  });
  const last = net.op('ReLU', 'r5', [net.convolution('c5', pooled, 8)]);
  const flat = net.op('Reshape', 'flat', [last, net.integers('shape', [1, 288])], { special_zero: false });
  const fc = net.op('MatMul', 'fc', [flat, net.weights('w', [10, 288], 0.06)], {
    transpose_a: false,
    transpose_b: true,
  });
  net.result(net.op('Add', 'out', [fc, net.weights('b', [10], 0.1)]));
  return net;
}

function images(net: Network, count: number): Tensor[] {
  return Array.from({ length: count }, () => net.noise([1, 3, 12, 12]));
}

const options = { engine: referenceEngine, subsetSize: 6 } satisfies QuantizeOptions;

async function outputOf(model: Model, feeds: Feeds): Promise<Float32Array> {
  const executable = await referenceEngine.compile(model);
  return toFloat32(Object.values((await executable.run(feeds)).outputs)[0]!);
}

/** 10 · log10(signal ÷ error) of the outputs. */
async function sqnr(a: Model, b: Model, samples: readonly Tensor[]): Promise<number> {
  let signal = 0;
  let error = 0;
  for (const image of samples) {
    const [x, y] = [await outputOf(a, { image }), await outputOf(b, { image })];
    for (let i = 0; i < x.length; i++) {
      signal += x[i]! ** 2;
      error += (x[i]! - y[i]!) ** 2;
    }
  }
  return 10 * Math.log10(signal / error);
}

describe('quantize', () => {
  for (const [preset, least] of [
    ['performance', 22],
    ['mixed', 22],
  ] as const) {
    it(`keeps the function of a small network with preset ${preset}`, async () => {
      const net = network();
      const samples = images(net, 6);
      const { model, report } = await quantize(net.model, samples, { ...options, preset });
      verify(model);
      const ratio = await sqnr(net.model, model, images(net, 4));
      assert.ok(
        ratio > least,
        `SQNR ${ratio.toFixed(1)} dB; six samples of noise, whose extremes vary, leave ${least} dB`,
      );
      assert.equal(report.samples, 6);
      assert.deepEqual(report.warnings, []);
    });
  }

  it('puts zero on the grid of every activation, so that all of them can run on bytes', async () => {
    for (const preset of ['performance', 'mixed'] as const) {
      const net = network();
      const { model } = await quantize(net.model, images(net, 4), { ...options, preset, subsetSize: 4 });
      const activations = quantizersOf(model).filter((q) => !isConstant(q.source(0)));
      for (const q of activations) assert.ok('format' in formatOfFakeQuantize(q), `${q.name} with ${preset}`);
      assert.equal(activations.length, 7);
    }
  });

  it('does not change the given model', async () => {
    const net = network();
    const before = printModel(net.model);
    await quantize(net.model, images(net, 2), { ...options, subsetSize: 2 });
    assert.equal(printModel(net.model), before);
  });

  it('gives the same model twice', async () => {
    const [a, b] = [network(), network()];
    const first = await quantize(a.model, images(a, 2), { ...options, subsetSize: 2 });
    const second = await quantize(b.model, images(b, 2), { ...options, subsetSize: 2 });
    assert.equal(printModel(first.model), printModel(second.model));
  });

  it('corrects biases unless told not to', async () => {
    const net = network();
    const samples = images(net, 3);
    const before = biasOf(net.model, 'fc');
    const change = async (biasCorrection: boolean): Promise<number> => {
      const { model } = await quantize(net.model, samples, { ...options, biasCorrection, subsetSize: 3 });
      return Math.max(...biasOf(model, 'fc').map((b, c) => Math.abs(b - before[c]!)));
    };
    // Half of a step of the integer sums, to which biases are rounded in any case, is about 1e-5.
    assert.ok((await change(false)) < 2e-5);
    assert.ok((await change(true)) > 1e-4);
  });

  it('gives the inputs of a join one range', async () => {
    const net = network();
    const { model } = await quantize(net.model, images(net, 3), { ...options, subsetSize: 3 });
    const limits = model
      .node('join')
      .inputs.map((i) => [1, 2].map((p) => Number(i.source!.node.source(p)!.fact.value!.data[0])));
    assert.deepEqual(limits[0], limits[1]);
  });

  it("follows a table of one's own: one scale per tensor in front of depthwise convolutions", async () => {
    const net = new Network(11);
    const x = net.op('ReLU', 'r1', [net.convolution('c1', net.input('image', [1, 3, 12, 12]), 8)]);
    net.result(net.depthwise('d2', x));
    const cpu = targetOf('CPU');
    const { activations = [] } = rowOf(cpu, 'Convolution')!;
    const operations = cpu.operations.map((row) =>
      row.types.includes('DepthWiseConvolution') ? { ...row, activations } : row,
    );
    const sizes = async (targetDevice: TargetDescription): Promise<number[]> => {
      const { model } = await quantize(net.model, images(net, 2), { ...options, targetDevice });
      const placed = quantizersOf(model).filter((fq) => !isConstant(fq.source(0)));
      return placed.map((fq) => toFloat32(fq.source(2)!.fact.value!).length);
    };
    assert.ok((await sizes(cpu)).includes(8));
    assert.deepEqual(new Set(await sizes({ ...cpu, name: 'OWN', operations })), new Set([1]));
  });

  it('gives a reason for every operation', async () => {
    const net = network();
    const { report } = await quantize(net.model, images(net, 2), {
      ...options,
      subsetSize: 2,
      ignored: { names: ['c4'] },
    });
    const byName = new Map(report.nodes.map((n) => [n.name, n]));
    for (const node of report.nodes) assert.ok(node.reason.length > 10, node.name);
    for (const name of ['c1', 'd2', 'c3', 'sum', 'c5', 'fc']) assert.equal(byName.get(name)?.quantized, true, name);
    assert.deepEqual(byName.get('c4'), {
      name: 'c4',
      type: 'Convolution',
      quantized: false,
      reason: 'it is excluded by name',
    });
    assert.match(byName.get('c1/add')!.reason, /bias/);
    assert.match(byName.get('r1')!.reason, /no 8-bit form on CPU/);
  });

  it('counts bytes as they will be stored', async () => {
    const net = network();
    const { report } = await quantize(net.model, images(net, 2), { ...options, subsetSize: 2 });
    const { before, after } = report.weightBytes;
    assert.ok(after < before / 3 && after > before / 4, `${after} of ${before}`);
  });

  it('halves weights of the first layer when asked to, with the same function', async () => {
    const net = network();
    const samples = images(net, 3);
    const { model } = await quantize(net.model, samples, { ...options, subsetSize: 3, saturationFix: 'first_layer' });
    const high = (name: string, port: number): number =>
      Number(model.node(`${name}/fq_weights_1`).source(port)!.fact.value!.data[0]);
    assert.equal(high('c1', 4), 2 * high('c1', 2));
    assert.equal(high('c5', 4), high('c5', 2));
    assert.ok((await sqnr(net.model, model, samples)) > 20, 'one bit less in one layer costs little');
  });

  it('takes records, tensors and streams alike, and warns when there are fewer than asked for', async () => {
    const net = network();
    const list = images(net, 3);
    async function* stream() {
      for (const image of list) yield { image };
    }
    const results = [];
    for (const samples of [list, list.map((image) => ({ image })), stream()] satisfies Samples[]) {
      const { model, report } = await quantize(net.model, samples, options);
      assert.match(report.warnings.join(), /3 samples were given, 6 were asked for/);
      results.push(printModel(model));
    }
    assert.equal(new Set(results).size, 1);
  });

  it('reports its phases in order', async () => {
    const net = network();
    const events: LowpEvent[] = [];
    await quantize(net.model, images(net, 2), { ...options, subsetSize: 2, onProgress: (e) => events.push(e) });
    const phases = events.flatMap((e) => (e.kind === 'phase:start' ? [e.phase] : []));
    assert.deepEqual(phases, ['ActivationChannelAlignment', 'calibrate', 'MinMaxQuantization', 'FastBiasCorrection']);
    assert.equal(events.filter((e) => e.kind === 'phase:progress').length, 2);
  });

  it('stops when it is interrupted', async () => {
    const net = network();
    const controller = new AbortController();
    const running = quantize(net.model, images(net, 6), {
      ...options,
      signal: controller.signal,
      onProgress: (e) => e.kind === 'phase:progress' && controller.abort(),
    });
    await assert.rejects(running, { code: 'ERR_ABORTED' });
  });

  it('renames the preset accuracy with a warning', async () => {
    const net = network();
    const { report } = await quantize(net.model, images(net, 1), { ...options, preset: 'accuracy', subsetSize: 1 });
    assert.match(report.warnings.join(), /'mixed' is used instead/);
  });
});

describe('quantize with algorithms by name', () => {
  const chosen = (names: readonly string[]) => names.map((name) => ({ name }));

  it('does the same for DefaultQuantization as without', async () => {
    const net = network();
    const samples = images(net, 4);
    const plain = await quantize(net.model, samples, options);
    const named = await quantize(net.model, samples, { ...options, algorithms: chosen(['DefaultQuantization']) });
    assert.equal(printModel(named.model), printModel(plain.model));
    assert.deepEqual(named.report.nodes, plain.report.nodes);
  });

  it('runs them in order, also those that come with no quantizer', async () => {
    const net = network();
    const samples = images(net, 4);
    const names = ['RangeSupervision', 'OutlierChannelSplitting', 'MinMaxQuantization', 'WeightBiasCorrection'];
    const algorithms = [...chosen(names), { name: 'BiasCorrection', params: { activation_error: true } }];
    const { model } = await quantize(net.model, samples, { ...options, algorithms });
    verify(model);
    assert.ok((await sqnr(net.model, model, images(net, 4))) > 20);
    const clamped = await quantize(net.model, samples, { ...options, algorithms: chosen(['Ranger']) });
    assert.equal(quantizersOf(clamped.model).length, 0);
    assert.equal(clamped.model.node('r1/min_max_Clamp').type, 'Clamp');
  });

  it('gives the same from a generator, which can be read only once', async () => {
    const net = network();
    const samples = images(net, 4);
    function* once(): Generator<Tensor> {
      yield* samples;
    }
    const settings = { ...options, biasCorrection: 'full', noise: true } as const;
    const [a, b] = [await quantize(net.model, samples, settings), await quantize(net.model, once(), settings)];
    assert.equal(printModel(a.model), printModel(b.model));
    assert.deepEqual(a.report.noise, b.report.noise);
    assert.equal(a.report.noise!.layers.length, 6);
  });

  it('takes the subset size from their parameters', async () => {
    const net = network();
    const algorithms = [{ name: 'MinMaxQuantization', params: { stat_subset_size: 2 } }];
    const { report } = await quantize(net.model, images(net, 4), { engine: referenceEngine, algorithms });
    assert.equal(report.samples, 2);
  });

  it('refuses two that place quantizers, an empty list, and options beside them', async () => {
    const net = network();
    const run = (more: QuantizeOptions) => quantize(net.model, images(net, 2), { ...options, ...more });
    const twice = chosen(['MinMaxQuantization', 'DefaultQuantization']);
    await assert.rejects(run({ algorithms: twice }), { code: 'ERR_ALGO_ALREADY_QUANTIZED' });
    await assert.rejects(run({ algorithms: [] }), { code: 'ERR_CONFIG_INVALID' });
    const both = { algorithms: chosen(['DefaultQuantization']), biasCorrection: 'full' } as const;
    await assert.rejects(run(both), { code: 'ERR_CONFIG_INVALID', message: /biasCorrection/ });
    await assert.rejects(run({ biasCorrection: 'slow' as 'full' }), { code: 'ERR_CONFIG_INVALID', message: /slow/ });
  });
});

describe('quantize refuses', () => {
  const refuses = async (
    model: Model,
    samples: Samples,
    more: Record<string, unknown>,
    code: string,
  ): Promise<void> => {
    await assert.rejects(quantize(model, samples, { ...options, ...more }), { code });
  };

  it('a model that is quantized already', async () => {
    const net = network();
    const { model } = await quantize(net.model, images(net, 1), { ...options, subsetSize: 1 });
    await refuses(model, images(net, 1), {}, 'ERR_ALGO_ALREADY_QUANTIZED');
  });

  it('weights that are not finite, naming the operation', async () => {
    const net = new Network();
    const w = net.value('w', tensor('f32', [1, 1, 1, 1], [Number.NaN]));
    net.result(net.op('Convolution', 'broken', [net.input('image', [1, 1, 2, 2]), w], {}));
    await assert.rejects(quantize(net.model, [tensor('f32', [1, 1, 2, 2], [1, 2, 3, 4])], options), {
      code: 'ERR_ALGO_WEIGHTS_NOT_FINITE',
      node: 'broken',
    });
  });

  it('a model without anything to quantize', async () => {
    const net = new Network();
    net.result(net.op('Sigmoid', 'only', [net.input('image', [1, 4])]));
    await refuses(net.model, [net.noise([1, 4])], {}, 'ERR_ALGO_NOTHING_QUANTIZED');
  });

  it('an empty dataset, bad samples and bad options', async () => {
    const net = network();
    await refuses(net.model, [], {}, 'ERR_DATA_EMPTY');
    await refuses(net.model, [net.noise([1, 3, 12, 13])], {}, 'ERR_DATA_SHAPE');
    await refuses(net.model, images(net, 1), { subsetSize: 0 }, 'ERR_CONFIG_INVALID');
    await refuses(net.model, images(net, 1), { preset: 'best' }, 'ERR_CONFIG_INVALID');
    await refuses(net.model, images(net, 1), { modelType: 'cnn' }, 'ERR_CONFIG_INVALID');
    await refuses(net.model, images(net, 1), { saturationFix: 'some' }, 'ERR_CONFIG_INVALID');
    await refuses(net.model, images(net, 1), { targetDevice: 'TPU' }, 'ERR_TARGET_UNKNOWN');
    await refuses(net.model, images(net, 1), { ignored: { names: ['nothing'] } }, 'ERR_GRAPH_NAME');
  });
});
