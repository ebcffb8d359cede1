// Sizes against which a change of a bias is judged.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type BiasedProduct,
  biasedProducts,
  correctBias,
  outputMaxOf,
  outputSizes,
} from '../../lib/algorithms/biased-products.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { Network } from '../support/network.ts';
import { biasOf } from '../support/pipeline.ts';

/** A convolution with two channels and these biases, and what reads its sum. */
function product(biases: number[], readers: string[]): { readonly net: Network; readonly product: BiasedProduct } {
  const net = new Network(3);
  const y = net.convolution('c', net.input('x', [1, 3, 6, 6]), 2, { bias: false });
  const sum = net.op('Add', 'sum', [y, net.value('b', tensor('f32', [1, 2, 1, 1], biases))]);
  for (const type of readers) net.result(net.op(type, type, [sum], type === 'Clamp' ? { min: 0, max: 6 } : {}));
  return { net, product: biasedProducts(net.model, 'all')[0]! };
}

describe('the largest output of a product', () => {
  it('is that behind the clamp which alone reads it', () => {
    for (const type of ['ReLU', 'Clamp']) {
      const { product: found } = product([1, 2], [type]);
      const { port, granularity, statistic, aggregator } = outputMaxOf(found.sum.output, 1);
      assert.equal(port.node.name, type);
      assert.deepEqual([granularity, statistic, aggregator], ['perChannel', { kind: 'absMax' }, 'max']);
    }
  });

  it('is its own behind another activation, with a second reader and without one', () => {
    for (const readers of [['Sigmoid'], ['ReLU', 'Sigmoid'], []]) {
      const { product: found } = product([1, 2], readers);
      assert.equal(outputMaxOf(found.sum.output, 1).port, found.sum.output);
    }
  });
});

describe('the size of an output', () => {
  it('is the largest magnitude, behind a clamp at least a tenth of the widest channel', () => {
    const sizesBehind = (type: string): number[] => {
      const sum = product([1, 2], [type]).product.sum.output;
      return [...outputSizes(sum, Float32Array.of(8, 0.25))];
    };
    assert.deepEqual(sizesBehind('ReLU'), [8, Math.fround(0.8)]);
    assert.deepEqual(sizesBehind('Sigmoid'), [8, 0.25]);
  });
});

describe('a change of a bias', () => {
  const judged = (sizes: number[], change: number[]): { biases: number[]; warnings: string[] } => {
    const { net, product: found } = product([1, -0.125], ['ReLU']);
    const warnings: string[] = [];
    const context = { work: net.model, warn: (message: string) => warnings.push(message) };
    correctBias(context, found, change, { outputSizes: Float32Array.from(sizes), threshold: 2 });
    return { biases: biasOf(net.model, 'c'), warnings };
  };

  it('is believed below the threshold times the bias or the output, whichever is larger', () => {
    assert.deepEqual(judged([4, 0.5], [7, 0.75]), { biases: [8, 0.625], warnings: [] });
  });

  it('is refused for all channels when one changes more', () => {
    const { biases, warnings } = judged([4, 0.5], [7, 1]);
    assert.deepEqual(biases, [1, -0.125]);
    assert.match(warnings.join(), /'c' was not corrected: it would change by 2\.0 times/);
  });
});
