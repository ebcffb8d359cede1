import assert from 'node:assert/strict';
import test from 'node:test';
import { describeExecution, multiplyAccumulates } from '../../lib/engines/describe.ts';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { verify } from '../../lib/graph/verify.ts';
import { splitConcatProducts } from '../../lib/passes/index.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { quantizedWeights, quantizer } from '../support/quantizers.ts';

const shape = [1, 6, 5, 5];

/** A convolution of three quantized inputs side by side; the quantizers reach up to `highs`. */
function network(highs: readonly number[], options: { type?: string; plain?: boolean; bias?: boolean } = {}) {
  const b = new ModelBuilder();
  const x = b.parameter('x', shape);
  const parts = highs.map((high) => quantizer(b, x, -high * (128 / 127), high));
  const joined = b.op('Concat', parts, { axis: 1 });
  const channels = 6 * highs.length;
  const w = options.plain ? b.weights('w', [8, channels, 3, 3]) : quantizedWeights(b, [8, channels, 3, 3], 8);
  let y: OutputPort = b.convolution(joined, w);
  if (options.bias ?? true) y = b.op('Add', [y, b.weights('bias', [1, 8, 1, 1])], {}, 'bias_add');
  y.names = ['y'];
  b.result(b.op('ReLU', [y]), 'out');
  b.result(y, 'before');
  return b.model;
}

function feeds() {
  const { normal } = random(7);
  return {
    x: tensor(
      'f32',
      shape,
      Float32Array.from({ length: 150 }, () => normal()),
    ),
  };
}

test('a convolution of channels with different scales becomes a sum of convolutions in integers', async () => {
  for (const bias of [true, false]) {
    const model = network([1, 2, 2], { bias });
    await using executable = await compileNative(model, { threads: 1 });
    const nodes = describeExecution(executable);
    const { total, int8 } = multiplyAccumulates(nodes);
    assert.equal(total, 8 * 18 * 9 * 25);
    assert.equal(int8, total);
    // Neighbours with one scale stay together.
    assert.equal(nodes.filter((n) => n.type === 'Convolution').length, 2);
    const { outputs } = await executable.run(feeds());
    await using reference = await referenceEngine.compile(model);
    const expected = (await reference.run(feeds())).outputs;
    assert.deepEqual(Object.keys(outputs), Object.keys(expected));
    for (const name of Object.keys(expected)) {
      assert.ok(maxAbsError(outputs[name]!, expected[name]!) < 1e-4, name);
    }
  }
});

test('the model stays sound, and a second run changes nothing', () => {
  const model = network([1, 2]);
  assert.equal(splitConcatProducts.run(model, {}), 1);
  verify(model);
  assert.equal(splitConcatProducts.run(model, {}), 0);
});

test('nothing is split when all scales are equal, or when weights are not quantized', () => {
  assert.equal(splitConcatProducts.run(network([1, 1]), {}), 0);
  assert.equal(splitConcatProducts.run(network([1, 2], { plain: true }), {}), 0);
});

test('an input with one scale per channel keeps the convolution whole', () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', shape);
  const perChannel = quantizer(b, x, [-1, -2, -3, -4, -5, -6], [1, 2, 3, 4, 5, 6]);
  const joined = b.op('Concat', [quantizer(b, x, -1, 1), perChannel], { axis: 1 });
  b.result(b.convolution(joined, quantizedWeights(b, [8, 12, 3, 3], 8)));
  assert.equal(splitConcatProducts.run(b.model, {}), 0);
});
