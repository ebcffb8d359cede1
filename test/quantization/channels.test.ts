import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Node, OutputPort } from '../../lib/graph/node.ts';
import { channelExtremes, channelsOfWeights, hasNonFinite } from '../../lib/quantization/channels.ts';
import { addQuantizer } from '../../lib/quantization/insert.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { Network } from '../support/network.ts';

/** 0, 1, 2, … */
function counting(shape: Shape): Tensor {
  return tensor(
    'f32',
    shape,
    Float32Array.from({ length: elementCount(shape) }, (_, i) => i),
  );
}

function quantizerOfWeights(type: string, x: Shape, w: Tensor, attributes: Record<string, unknown> = {}): Node {
  const net = new Network();
  const weights: OutputPort = net.value('w', w);
  net.result(net.op(type, 'op', [net.input('x', x), weights], attributes));
  return addQuantizer(net.model, net.model.node('op').inputs[1]!);
}

function extremes(node: Node): { shape: Shape; min: number[]; max: number[] } {
  const layout = channelsOfWeights(node);
  const { min, max } = channelExtremes(node.source(0)!.fact.value!, layout);
  return { shape: layout.limitShape, min: [...min], max: [...max] };
}

const window = { strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0], dilations: [1, 1] };

describe('channels of weights', () => {
  it('of a convolution are its first axis', () => {
    const found = extremes(quantizerOfWeights('Convolution', [1, 2, 4, 4], counting([2, 2, 2, 2]), window));
    assert.deepEqual(found, { shape: [2, 1, 1, 1], min: [0, 8], max: [7, 15] });
  });

  it('of a transposed convolution are its second axis', () => {
    const found = extremes(quantizerOfWeights('ConvolutionBackpropData', [1, 2, 4, 4], counting([2, 2, 2, 2]), window));
    assert.deepEqual(found, { shape: [1, 2, 1, 1], min: [0, 4], max: [11, 15] });
  });

  it('of a depthwise convolution are the groups', () => {
    const found = extremes(quantizerOfWeights('GroupConvolution', [1, 2, 4, 4], counting([2, 1, 1, 2, 2]), window));
    assert.deepEqual(found, { shape: [2, 1, 1, 1, 1], min: [0, 4], max: [3, 7] });
  });

  it('of a grouped convolution are groups times outputs of a group', () => {
    const found = extremes(quantizerOfWeights('GroupConvolution', [1, 4, 4, 4], counting([2, 2, 2, 1, 1]), window));
    assert.deepEqual(found, { shape: [2, 2, 1, 1, 1], min: [0, 2, 4, 6], max: [1, 3, 5, 7] });
  });

  it('of a matrix product follow its transposition', () => {
    const rows = quantizerOfWeights('MatMul', [1, 3], counting([2, 3]), { transpose_a: false, transpose_b: true });
    assert.deepEqual(extremes(rows), { shape: [2, 1], min: [0, 3], max: [2, 5] });
    const columns = quantizerOfWeights('MatMul', [1, 2], counting([2, 3]), { transpose_a: false, transpose_b: false });
    assert.deepEqual(extremes(columns), { shape: [1, 3], min: [0, 1, 2], max: [3, 4, 5] });
  });

  it('of a constant that is no weight are its first axis', () => {
    const found = extremes(quantizerOfWeights('Add', [1, 4], counting([1, 4])));
    assert.deepEqual(found, { shape: [1, 1], min: [0], max: [3] });
  });

  it('find NaN and infinity', () => {
    const bad = tensor('f32', [1, 2], [1, Number.NaN]);
    assert.equal(hasNonFinite(quantizerOfWeights('Add', [1, 2], bad).source(0)!), true);
    assert.equal(hasNonFinite(quantizerOfWeights('Add', [1, 2], counting([1, 2])).source(0)!), false);
  });
});
