// Models that are awkward to quantize: nothing to do, constants with several readers, inputs that are outputs.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Feeds } from '../../lib/engines/engine.ts';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import type { Model } from '../../lib/graph/model.ts';
import { inputName, outputName } from '../../lib/graph/model.ts';
import { verify } from '../../lib/graph/verify.ts';
import { quantizersOf } from '../../lib/quantization/propagate.ts';
import { isConstant } from '../../lib/quantization/roles.ts';
import { type QuantizeOptions, quantize } from '../../lib/quantize.ts';
import { toFloat32 } from '../../lib/tensor/convert.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { Network } from '../support/network.ts';

const options = { engine: referenceEngine, subsetSize: 1 } satisfies QuantizeOptions;
const image = [1, 4, 8, 8];

async function outputs(model: Model, feeds: Feeds): Promise<Record<string, Tensor>> {
  const executable = await referenceEngine.compile(model.clone());
  return (await executable.run(feeds)).outputs;
}

/** Quantizes, and checks that every output keeps its name and comes near to what it was. */
async function quantized(net: Network, feeds: Feeds, more: QuantizeOptions = {}): Promise<Model> {
  const { model } = await quantize(net.model, [feeds], { ...options, ...more });
  verify(model);
  assert.deepEqual(model.results().map(outputName), net.model.results().map(outputName));
  assert.deepEqual(model.parameters().map(inputName), net.model.parameters().map(inputName));
  const [was, is] = [await outputs(net.model, feeds), await outputs(model, feeds)];
  for (const [name, expected] of Object.entries(was)) {
    const [a, b] = [toFloat32(expected), toFloat32(is[name]!)];
    const most = a.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-9);
    a.forEach((v, i) => {
      assert.ok(Math.abs(v - b[i]!) <= 0.1 * most, `${name}[${i}]: ${v} and ${b[i]}`);
    });
  }
  return model;
}

const weightQuantizers = (model: Model): string[] =>
  quantizersOf(model)
    .filter((q) => isConstant(q.source(0)))
    .map((q) => q.name);

describe('a model without anything to quantize', () => {
  const nothing = (net: Network, feeds: Feeds, help: RegExp, more: QuantizeOptions = {}) =>
    assert.rejects(quantize(net.model, [feeds], { ...options, ...more }), { code: 'ERR_ALGO_NOTHING_QUANTIZED', help });

  it('because the ignored scope takes everything is refused with a reason', async () => {
    const net = new Network();
    net.result(net.convolution('conv', net.input('x', image), 4));
    await nothing(net, { x: net.noise(image) }, /conv.*excluded/, { ignored: { types: ['Convolution'] } });
    await nothing(net, { x: net.noise(image) }, /excluded pattern/, { ignored: { patterns: ['.'] } });
  });

  it('because it computes whole numbers is refused with a reason', async () => {
    const net = new Network();
    const x = net.op('Convert', 'cast', [net.input('x', [1, 4])], { destination_type: 'i32' });
    const y = net.op('Convert', 'cast2', [net.input('y', [1, 4])], { destination_type: 'i32' });
    net.result(net.op('Multiply', 'product', [x, net.op('Add', 'sum', [x, y])]));
    await nothing(net, { x: net.noise([1, 4]), y: net.noise([1, 4]) }, /whole numbers/);
  });
});

describe('weights with several readers', () => {
  it('that read them alike share one quantizer', async () => {
    const net = new Network();
    const w = net.weights('w', [4, 4, 1, 1], 0.5);
    const x = net.op('ReLU', 'relu', [net.op('Convolution', 'a', [net.input('x', image), w], {})]);
    net.result(net.op('Convolution', 'b', [x, w], {}));
    const model = await quantized(net, { x: net.noise(image) });
    assert.deepEqual(weightQuantizers(model), ['a/fq_weights_1']);
    assert.equal(model.node('b').source(1), model.node('a').source(1));
  });

  it('that split them into other channels have a quantizer each', async () => {
    const net = new Network();
    const w = net.weights('w', [4, 4, 1, 1], 0.5);
    const x = net.op('ReLU', 'relu', [net.op('Convolution', 'a', [net.input('x', image), w], {})]);
    net.result(net.op('ConvolutionBackpropData', 'b', [x, w], {}));
    const model = await quantized(net, { x: net.noise(image) });
    assert.deepEqual(weightQuantizers(model), ['a/fq_weights_1', 'b/fq_weights_1']);
    const shape = (name: string): readonly number[] => model.node(name).source(1)!.node.source(2)!.fact.shape;
    assert.deepEqual(shape('a'), [4, 1, 1, 1]);
    assert.deepEqual(shape('b'), [1, 4, 1, 1]);
  });

  it('that are a product and a sum keep both right', async () => {
    const net = new Network();
    const w = net.weights('w', [4, 8], 0.5);
    const attributes = { transpose_a: false, transpose_b: true };
    net.result(net.op('MatMul', 'fc', [net.input('x', [1, 8]), w], attributes));
    net.result(net.op('Subtract', 'difference', [net.op('Tanh', 'tanh', [net.input('y', [4, 8])]), w]));
    await quantized(net, { x: net.noise([1, 8]), y: net.noise([4, 8]) });
  });

  it('of which one is halved against saturation keep the function', async () => {
    const net = new Network();
    const w = net.weights('w', [4, 4, 1, 1], 0.5);
    const x = net.op('ReLU', 'relu', [net.op('Convolution', 'a', [net.input('x', image), w], {})]);
    net.result(net.op('Convolution', 'b', [x, w], {}));
    await quantized(net, { x: net.noise(image) }, { saturationFix: 'first_layer' });
  });
});

describe('a model whose output is an input', () => {
  for (const targetDevice of ['CPU', 'GNA', 'NPU']) {
    it(`is quantized beside it for ${targetDevice}`, async () => {
      const net = new Network();
      const x = net.input('x', image);
      net.result(x, 'direct');
      net.result(net.op('ReLU', 'relu', [net.convolution('conv', x, 4)]));
      await quantized(net, { x: net.noise(image) }, { targetDevice });
    });
  }

  it('alone has nothing to quantize', async () => {
    const net = new Network();
    net.result(net.input('x', [1, 4]));
    await assert.rejects(quantize(net.model, [net.noise([1, 4])], { ...options }), {
      code: 'ERR_ALGO_NOTHING_QUANTIZED',
    });
  });
});

describe('a constant operand', () => {
  it('at the data input of a product is a weight of one range', async () => {
    const net = new Network();
    const attributes = { transpose_a: false, transpose_b: false };
    net.result(net.op('MatMul', 'fc', [net.weights('w', [4, 8], 0.5), net.input('x', [8, 3])], attributes));
    await quantized(net, { x: net.noise([8, 3]) });
  });

  it('that the device has no form for stays as it is', async () => {
    const net = new Network();
    const base = net.value('base', tensor('f32', [], [2]));
    const x = net.op('MatMul', 'fc', [net.input('x', [1, 8]), net.weights('w', [4, 8], 0.3)], {
      transpose_a: false,
      transpose_b: true,
    });
    net.result(net.op('Power', 'power', [base, x]));
    const model = await quantized(net, { x: net.noise([1, 8]) });
    assert.equal(model.node('power').source(0)!.node.type, 'Constant');
  });
});
