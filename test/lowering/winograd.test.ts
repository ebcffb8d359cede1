import assert from 'node:assert/strict';
import test from 'node:test';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { bitsOfTensor, runnableIsas } from '../support/isas.ts';
import { kernelsOf, lowerModel } from '../support/lowering.ts';
import { evaluate, ModelBuilder, randomFeeds } from '../support/model-builder.ts';
import { quantizer } from '../support/quantizers.ts';

interface Shape {
  readonly batch?: number;
  readonly size?: number;
  readonly inputs?: number;
  readonly outputs?: number;
  readonly kernel?: number;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

const usual = { strides: [1, 1], pads_begin: [1, 1], pads_end: [1, 1], dilations: [1, 1] };

/** A convolution with a ReLU behind it. */
function network({ batch = 1, size = 9, inputs = 24, outputs = 24, kernel = 3, attributes = {} }: Shape): ModelBuilder {
  const b = new ModelBuilder();
  const x = b.parameter('x', [batch, inputs, size, size]);
  const weights = b.weights('w', [outputs, inputs, kernel, kernel]);
  b.result(b.op('Relu', [b.op('Convolution', [x, weights], { ...usual, ...attributes })]));
  return b;
}

const kernels = (shape: Shape): string[] => kernelsOf(lowerModel(network(shape).model).program);

test('images with 3 x 3 taps, stride 1, and enough channels and pixels take the kernel', () => {
  assert.ok(kernels({}).includes('winograd_convolution'));
  assert.ok(kernels({ batch: 5 }).includes('winograd_convolution'));
  const others: Shape[] = [
    { inputs: 23 },
    { outputs: 7 },
    { size: 6 },
    { size: 8, inputs: 136, outputs: 136 },
    { kernel: 5 },
    { attributes: { strides: [2, 2] } },
    { attributes: { dilations: [2, 2] } },
    { attributes: { pads_begin: [3, 3], pads_end: [3, 3] } },
  ];
  for (const shape of others) assert.ok(kernels(shape).includes('convolution'), JSON.stringify(shape));
});

test('what a FakeQuantize rounds is summed tap by tap', () => {
  const b = new ModelBuilder();
  const x = quantizer(b, b.parameter('x', [1, 24, 9, 9]), -1, 1);
  b.result(b.op('Convolution', [x, b.weights('w', [24, 24, 3, 3])], usual));
  assert.ok(kernelsOf(lowerModel(b.model).program).includes('convolution'));
});

test('results are near the reference, and have equal bits on every instruction set and number of threads', async () => {
  const { model } = network({ batch: 3, size: 13 });
  const feeds = randomFeeds(model);
  const expected = await evaluate(model, feeds);
  const bits = new Set<string>();
  for (const maxIsa of runnableIsas()) {
    for (const threads of [1, 2, 3]) {
      await using executable = await compileNative(model, { maxIsa, threads });
      const { outputs } = await executable.run(feeds);
      for (const [name, value] of Object.entries(expected)) {
        // 216 products of numbers near 1; sums and differences of up to 16 of them.
        assert.ok(maxAbsError(outputs[name]!, value) <= 1e-4);
        bits.add(bitsOfTensor(outputs[name]!));
      }
    }
  }
  assert.equal(bits.size, 1);
});

/** Image `i` of a batch. */
function imageOf(t: Tensor, i: number): Tensor {
  const size = t.data.length / t.shape[0]!;
  return tensor('f32', [1, ...t.shape.slice(1)], (t.data as Float32Array).slice(i * size, (i + 1) * size));
}

test('an image gives the same bits alone and in a batch', async () => {
  const batch = 3;
  const feeds = randomFeeds(network({ batch }).model);
  const run = async (images: number, x: Tensor): Promise<Tensor> => {
    await using executable = await compileNative(network({ batch: images }).model, { threads: 2 });
    return Object.values((await executable.run({ x })).outputs)[0]!;
  };
  const together = await run(batch, feeds.x!);
  for (let i = 0; i < batch; i++) assert.deepEqual(imageOf(together, i), await run(1, imageOf(feeds.x!, i)));
});
