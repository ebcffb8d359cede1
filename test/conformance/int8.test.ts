// Quantized operations on bytes: equal bits on every instruction set, within one step of the reference.
import assert from 'node:assert/strict';
import test from 'node:test';
import { describeExecution } from '../../lib/engines/describe.ts';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { bitsOfTensor, runnableIsas } from '../support/isas.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { quantizedWeights, quantizer, requantizer } from '../support/quantizers.ts';

interface Int8Case {
  readonly name: string;
  readonly input: readonly number[];
  /** Returns the port to read and the size of one step of its grid. */
  build(b: ModelBuilder, x: OutputPort): { readonly out: OutputPort; readonly step: number };
  /** Types that must run on bytes. */
  readonly onBytes: readonly string[];
}

const signed = { low: (-4 * 128) / 127, high: 4 };
const pads = (p: number, s = 1, d = 1) => ({
  strides: [s, s],
  pads_begin: [p, p],
  pads_end: [p, p],
  dilations: [d, d],
});

/** Random weights on a symmetric grid of 8 bits whose step differs along `axes`. */
function outputScaled(b: ModelBuilder, shape: readonly number[], axes: readonly number[]): OutputPort {
  const limits = shape.map((d, i) => (axes.includes(i) ? d : 1));
  const high = Array.from({ length: limits.reduce((p, d) => p * d, 1) }, (_, i) => 0.5 + i * 0.11);
  const l = b.constant(
    'wl',
    limits,
    high.map((v) => -v),
  );
  const h = b.constant('wh', limits, high);
  return b.op('FakeQuantize', [b.weights('w', shape), l, h, l, h], { levels: 255 }, 'fq_weights');
}

/** Quantize, one convolution with bias and ReLU, quantize again. */
function convolutionCase(
  name: string,
  inC: number,
  outC: number,
  k: number,
  stride: number,
  side: number,
  dilation = 1,
): Int8Case {
  return {
    name,
    input: [2, inC, side, side],
    onBytes: ['Convolution'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const pad = ((k - 1) * dilation) >> 1;
      const y = b.op(
        'Convolution',
        [q, quantizedWeights(b, [outC, inC, k, k], outC)],
        pads(pad, stride, dilation),
        'conv',
      );
      const biased = b.op('Add', [y, b.weights('bias', [1, outC, 1, 1])], {}, 'bias');
      const high = 3 * Math.sqrt(inC * k * k);
      return { out: quantizer(b, b.op('ReLU', [biased]), 0, high), step: high / 255 };
    },
  };
}

const cases: readonly Int8Case[] = [
  convolutionCase('1x1 convolution, channels not a multiple of the tile', 37, 70, 1, 1, 9),
  convolutionCase('3x3 convolution', 16, 64, 3, 1, 12),
  convolutionCase('3x3 convolution of three channels with stride 2', 3, 24, 3, 2, 17),
  convolutionCase('5x5 convolution with dilation 2', 8, 20, 5, 1, 14, 2),
  convolutionCase('7x7 convolution with stride 2', 3, 64, 7, 2, 23),
  {
    name: 'depthwise convolution with a scale for each channel, asymmetric',
    input: [1, 40, 11, 13],
    onBytes: ['GroupConvolution'],
    build(b, x) {
      const low = Array.from({ length: 40 }, (_, c) => (-(c + 20) * 0.02 * 100) / 155);
      const high = Array.from({ length: 40 }, (_, c) => (c + 20) * 0.02);
      const q = quantizer(b, x, low, high);
      const y = b.op('GroupConvolution', [q, quantizedWeights(b, [40, 1, 1, 3, 3], 40)], pads(1), 'dw');
      return { out: quantizer(b, b.op('Clamp', [y], { min: 0, max: 6 }), 0, 6.5), step: 6.5 / 255 };
    },
  },
  {
    name: 'grouped convolution',
    input: [1, 24, 8, 8],
    onBytes: ['GroupConvolution'],
    build(b, x) {
      const q = quantizer(b, x, 0, 4);
      const y = b.op('GroupConvolution', [q, quantizedWeights(b, [3, 10, 8, 3, 3], 30)], pads(1), 'grouped');
      return { out: quantizer(b, y, (-40 * 128) / 127, 40), step: 40 / 127 };
    },
  },
  {
    name: '3x3x3 convolution with dilation and stride',
    input: [2, 6, 7, 8, 9],
    onBytes: ['Convolution'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const window = { strides: [1, 2, 1], pads_begin: [2, 1, 1], pads_end: [2, 1, 1], dilations: [2, 1, 1] };
      const y = b.op('Convolution', [q, quantizedWeights(b, [21, 6, 3, 3, 3], 21, 1)], window, 'conv');
      return { out: quantizer(b, b.op('ReLU', [y]), 0, 30), step: 30 / 255 };
    },
  },
  {
    name: 'depthwise volumes and pooling of volumes',
    input: [1, 10, 6, 6, 7],
    onBytes: ['GroupConvolution', 'MaxPool', 'AvgPool'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const window = { strides: [1, 1, 1], pads_begin: [1, 1, 1], pads_end: [1, 1, 1], dilations: [1, 1, 1] };
      const w = quantizedWeights(b, [10, 1, 1, 3, 3, 3], 10, 1);
      const y = quantizer(b, b.op('GroupConvolution', [q, w], window, 'dw'), -12, 12 - 24 / 256);
      const shape = { kernel: [2, 2, 2], strides: [2, 2, 2], pads_begin: [0, 0, 0], pads_end: [0, 0, 0] };
      const largest = b.op('MaxPool', [y], shape, 'max');
      const mean = b.op('AvgPool', [largest], { ...shape, 'exclude-pad': true }, 'mean');
      return { out: quantizer(b, mean, -12, 12 - 24 / 256), step: 24 / 255 };
    },
  },
  {
    name: 'convolution along one axis',
    input: [2, 12, 40],
    onBytes: ['Convolution'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const window = { strides: [2], pads_begin: [4], pads_end: [4], dilations: [2] };
      const y = b.op('Convolution', [q, quantizedWeights(b, [17, 12, 5], 17)], window, 'conv');
      return { out: quantizer(b, b.op('ReLU', [y]), 0, 30), step: 30 / 255 };
    },
  },
  {
    name: 'transposed convolution with a bias and a residual sum',
    input: [2, 11, 6, 7],
    onBytes: ['ConvolutionBackpropData', 'Add'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const window = { strides: [2, 2], pads_begin: [1, 1], pads_end: [1, 1], output_padding: [1, 1] };
      const up = (): OutputPort => {
        const y = b.op('ConvolutionBackpropData', [q, outputScaled(b, [11, 20, 3, 3], [1])], window, 'up');
        return quantizer(b, b.op('Add', [y, b.weights('bias', [1, 20, 1, 1])], {}, 'bias'), -30, 30 - 60 / 256);
      };
      return { out: quantizer(b, b.op('ReLU', [b.op('Add', [up(), up()], {}, 'sum')]), 0, 60), step: 60 / 255 };
    },
  },
  {
    name: 'grouped transposed convolution',
    input: [1, 12, 5, 6],
    onBytes: ['GroupConvolutionBackpropData'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const window = { strides: [2, 2], pads_begin: [0, 0], pads_end: [0, 0] };
      const w = outputScaled(b, [3, 4, 5, 2, 2], [0, 2]);
      const y = b.op('GroupConvolutionBackpropData', [q, w], window, 'up');
      return { out: quantizer(b, y, -20, 20 - 40 / 256), step: 40 / 255 };
    },
  },
  {
    name: 'residual block: the sum is fused and rounds in front of it',
    input: [1, 32, 10, 10],
    onBytes: ['Convolution', 'Add'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const y = b.op('Convolution', [q, quantizedWeights(b, [32, 32, 3, 3], 32)], pads(1), 'conv');
      const mid = quantizer(b, b.op('Add', [y, b.weights('bias', [1, 32, 1, 1])], {}, 'bias'), (-50 * 128) / 127, 50);
      const sum = b.op('ReLU', [b.op('Add', [mid, q], {}, 'sum')]);
      return { out: quantizer(b, sum, 0, 54), step: 54 / 255 };
    },
  },
  {
    name: 'sum of two quantized tensors that cannot be fused',
    input: [1, 19, 7, 5],
    onBytes: ['Add'],
    build(b, x) {
      const a = quantizer(b, x, signed.low, signed.high);
      const c = quantizer(b, b.op('Sigmoid', [x]), 0, 1);
      return { out: quantizer(b, b.op('Add', [a, c], {}, 'sum'), -4.5, 5.5), step: 10 / 255 };
    },
  },
  {
    name: 'concatenated convolutions write side by side',
    input: [1, 16, 9, 9],
    onBytes: ['Convolution', 'Concat', 'MaxPool'],
    build(b, x) {
      const q = quantizer(b, x, 0, 4);
      const branch = (k: number, outC: number): OutputPort => {
        const y = b.op('Convolution', [q, quantizedWeights(b, [outC, 16, k, k], outC)], pads(k >> 1), 'branch');
        return quantizer(b, b.op('ReLU', [y]), 0, 60);
      };
      const joined = b.op('Concat', [branch(1, 20), branch(3, 28)], { axis: 1 }, 'concat');
      const pooled = b.op(
        'MaxPool',
        [joined],
        { kernel: [3, 3], strides: [2, 2], pads_begin: [1, 1], pads_end: [1, 1] },
        'pool',
      );
      const y = b.op('Convolution', [pooled, quantizedWeights(b, [8, 48, 1, 1], 8)], pads(0), 'last');
      return { out: quantizer(b, y, (-1500 * 128) / 127, 1500), step: 1500 / 127 };
    },
  },
  {
    name: 'pooling and a matrix product after a reshape',
    input: [3, 24, 6, 6],
    onBytes: ['AvgPool', 'MatMul'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const pooled = b.op(
        'AvgPool',
        [q],
        { kernel: [3, 3], strides: [3, 3], pads_begin: [0, 0], pads_end: [0, 0], 'exclude-pad': true },
        'pool',
      );
      const again = quantizer(b, pooled, -2, 2 - 4 / 256);
      const flat = b.op('Reshape', [again, b.constant('shape', [2], [3, 96], 'i64')], { special_zero: false }, 'flat');
      const y = b.op('MatMul', [flat, quantizedWeights(b, [50, 96], 50)], { transpose_b: true }, 'fc');
      return { out: b.op('Add', [y, b.weights('bias', [1, 50])], {}, 'bias'), step: (4 / 255) * 6 };
    },
  },
  {
    name: 'slices, padding and transposition move bytes',
    input: [1, 12, 8, 8],
    onBytes: ['StridedSlice', 'Pad', 'Transpose', 'Convolution'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const at = (values: readonly number[]): OutputPort => b.constant('at', [4], values, 'i64');
      const masks = { begin_mask: [1, 1, 1, 1], end_mask: [1, 1, 1, 1] };
      const half = b.op('StridedSlice', [q, at([0, 0, 0, 0]), at([0, 0, 0, 0]), at([1, 1, 2, 2])], masks, 'slice');
      const padded = b.op(
        'Pad',
        [half, at([0, 2, 0, 0]), at([0, 2, 0, 0]), b.constant('zero', [], [0])],
        { pad_mode: 'constant' },
        'pad',
      );
      const turned = b.op('Transpose', [padded, at([0, 1, 3, 2])], {}, 'turn');
      const y = b.op('Convolution', [turned, quantizedWeights(b, [9, 16, 1, 1], 9)], pads(0), 'conv');
      return { out: quantizer(b, y, (-30 * 128) / 127, 30), step: 30 / 127 };
    },
  },
  {
    name: 'nearest resizing and concatenation move bytes',
    input: [2, 12, 6, 5],
    onBytes: ['Interpolate', 'Concat', 'Convolution'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const operands = [q, b.constant('sizes', [2], [12, 7], 'i64'), b.constant('axes', [2], [2, 3], 'i64')];
      const sizes = { mode: 'nearest', shape_calculation_mode: 'sizes' };
      const half = b.op('Interpolate', operands, { ...sizes, coordinate_transformation_mode: 'asymmetric' }, 'up');
      const both = b.op('Concat', [half, b.op('Interpolate', operands, sizes, 'up2')], { axis: 1 }, 'concat');
      const y = b.op('Convolution', [both, quantizedWeights(b, [9, 24, 1, 1], 9)], pads(0), 'conv');
      return { out: quantizer(b, y, (-30 * 128) / 127, 30), step: 30 / 127 };
    },
  },
  {
    name: 'bytes are split into equal parts and others, each for a convolution of its own',
    input: [2, 12, 6, 5],
    onBytes: ['Split', 'VariadicSplit', 'Convolution'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const axis = b.constant('axis', [], [1], 'i64');
      const [left, right] = b.op('Split', [q, axis], { num_splits: 2 }, 'halves').node.outputs;
      const lengths = b.constant('lengths', [3], [1, -1, 2], 'i64');
      const parts = b.op('VariadicSplit', [right!, axis, lengths], {}, 'parts').node.outputs;
      const one = (port: OutputPort, name: string): OutputPort =>
        b.op('Convolution', [port, quantizedWeights(b, [4, port.fact.shape[1]!, 1, 1], 4)], pads(0), name);
      const sum = b.op('Add', [one(left!, 'of_left'), one(parts[1]!, 'of_part')], {}, 'sum');
      return { out: quantizer(b, sum, (-30 * 128) / 127, 30), step: 30 / 127 };
    },
  },
  {
    name: 'blocks, shuffles and repeats move bytes',
    input: [2, 12, 6, 5],
    onBytes: ['DepthToSpace', 'SpaceToDepth', 'ShuffleChannels', 'Tile', 'Convolution'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const blocks = { mode: 'depth_first', block_size: 2 };
      const wide = b.op('DepthToSpace', [q], blocks, 'wide');
      const deep = b.op('SpaceToDepth', [wide], { ...blocks, mode: 'blocks_first' }, 'deep');
      const mixed = b.op('ShuffleChannels', [deep], { axis: 1, group: 3 }, 'shuffle');
      const tiled = b.op('Tile', [mixed, b.constant('repeats', [4], [1, 2, 1, 3], 'i64')], {}, 'tile');
      const y = b.op('Convolution', [tiled, quantizedWeights(b, [9, 24, 1, 1], 9)], pads(0), 'conv');
      return { out: quantizer(b, y, (-30 * 128) / 127, 30), step: 30 / 127 };
    },
  },
  {
    name: 'shifted frames: bytes are scattered over bytes',
    input: [4, 12, 6, 5],
    onBytes: ['ScatterNDUpdate', 'Reshape', 'Convolution'],
    build(b, x) {
      const frames = (port: OutputPort, shape: readonly number[]) =>
        b.op('Reshape', [port, b.constant('shape', [shape.length], shape, 'i64')], { special_zero: false });
      const five = frames(x, [1, 4, 12, 6, 5]);
      const data = quantizer(b, five, signed.low, signed.high);
      const ends = [b.constant('b', [3], [0, 1, 0], 'i64'), b.constant('e', [3], [1, 4, 3], 'i64')];
      const later = b.op('StridedSlice', [five, ...ends], { begin_mask: [], end_mask: [] });
      const updates = quantizer(b, later, signed.low, signed.high);
      const places = [0, 1, 2].flatMap((t) => [0, 1, 2].flatMap((c) => [0, t, c]));
      const shifted = b.op('ScatterNDUpdate', [data, b.constant('at', [1, 3, 3, 3], places, 'i64'), updates]);
      const y = frames(shifted, [4, 12, 6, 5]);
      const out = b.op('Convolution', [y, quantizedWeights(b, [9, 12, 3, 3], 9)], pads(1), 'conv');
      return { out: quantizer(b, out, (-40 * 128) / 127, 40), step: 40 / 127 };
    },
  },
  {
    name: 'shifted frames: channels of another scale are scattered over bytes',
    input: [4, 12, 6, 5],
    onBytes: ['Concat', 'GroupConvolution', 'Convolution'],
    build(b, x) {
      const frames = (port: OutputPort, shape: readonly number[]) =>
        b.op('Reshape', [port, b.constant('shape', [shape.length], shape, 'i64')], { special_zero: false });
      const five = frames(x, [1, 4, 12, 6, 5]);
      const data = quantizer(b, five, signed.low, signed.high);
      const ends = [b.constant('b', [1], [5], 'i64'), b.constant('e', [1], [12], 'i64')];
      const still = b.op('Slice', [five, ...ends, b.constant('s', [1], [1], 'i64'), b.constant('a', [1], [2], 'i64')]);
      const places = [0, 1, 2, 3].flatMap((t) => Array.from({ length: 7 }, (_, c) => [0, t, 5 + c])).flat();
      const at = b.constant('at', [1, 4, 7, 3], places, 'i64');
      const shifted = b.op('ScatterNDUpdate', [data, at, quantizer(b, still, -2.1, 3)]);
      const y = frames(shifted, [4, 12, 6, 5]);
      const dw = b.op('GroupConvolution', [y, quantizedWeights(b, [12, 1, 1, 3, 3], 12)], pads(1), 'dw');
      const mean = quantizer(b, b.op('ReLU', [dw]), 0, 20);
      const dense = b.op('Convolution', [mean, quantizedWeights(b, [9, 12, 1, 1], 9)], pads(0), 'conv');
      return { out: quantizer(b, dense, (-60 * 128) / 127, 60), step: 60 / 127 };
    },
  },
  {
    name: 'channels of different scales lie side by side: pooled and convolved each by itself',
    input: [2, 8, 9, 7],
    onBytes: ['Concat', 'MaxPool', 'GroupConvolution'],
    build(b, x) {
      const scales = Array.from({ length: 8 }, (_, c) => 1 + c / 4);
      const parts = [
        quantizer(b, x, signed.low, signed.high),
        quantizer(b, x, 0, 3),
        quantizer(
          b,
          x,
          scales.map((s) => -s),
          scales.map((s) => (s * 127) / 128),
        ),
      ];
      const joined = b.op('Concat', parts, { axis: 1 }, 'joined');
      const window = { kernel: [2, 2], strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0] };
      const pooled = b.op('MaxPool', [joined], window);
      const dw = b.op('GroupConvolution', [pooled, quantizedWeights(b, [24, 1, 1, 3, 3], 24)], pads(1), 'dw');
      return { out: quantizer(b, dw, -25.6, 25.4), step: 0.2 };
    },
  },
  {
    name: 'bytes are gathered: channels in another order, images by index',
    input: [3, 12, 5, 6],
    onBytes: ['Gather', 'Convolution'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const axis = (i: number) => b.constant('axis', [], [i], 'i64');
      const order = b.constant('order', [12], [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, -1], 'i64');
      const mixed = b.op('Gather', [q, order, axis(1)], {}, 'mixed');
      const images = b.op('Gather', [mixed, b.constant('images', [4], [2, 0, 0, 1], 'i32'), axis(0)], {}, 'images');
      const y = b.op('Convolution', [images, quantizedWeights(b, [9, 12, 1, 1], 9)], pads(0), 'conv');
      return { out: quantizer(b, y, (-30 * 128) / 127, 30), step: 30 / 127 };
    },
  },
  {
    name: 'bytes are pooled with their positions, and put back',
    input: [1, 6, 4, 6],
    onBytes: ['MaxPool', 'Convolution'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const window = { kernel: [2, 2], strides: [2, 2], pads_begin: [0, 0], pads_end: [0, 0], axis: 2 };
      const pooled = b.op('MaxPool', [q], window, 'pool');
      const conv = b.op('Convolution', [pooled, quantizedWeights(b, [6, 6, 1, 1], 6)], pads(0), 'conv');
      const values = quantizer(b, conv, (-30 * 128) / 127, 30);
      const flat = (port: OutputPort) =>
        b.op('Reshape', [port, b.constant('flat', [3], [1, 6, 6], 'i64')], { special_zero: false });
      const zeros = b.constant('zeros', [1, 6, 24], new Array(144).fill(0));
      const at = flat(pooled.node.outputs[1]!);
      const y = b.op('ScatterElementsUpdate', [zeros, at, flat(values), b.constant('axis', [], [2], 'i64')]);
      return { out: y, step: 30 / 127 };
    },
  },
  {
    name: 'a quantizer gives levels another scale and zero: in front of a convolution, behind it, and behind pooling',
    input: [1, 12, 6, 6],
    onBytes: ['Convolution', 'MaxPool', 'AvgPool'],
    build(b, x) {
      const q = requantizer(b, x, { from: [-4, 4 - 8 / 256], to: [-0.5, 4.6] });
      const conv = b.op('Convolution', [q, quantizedWeights(b, [9, 12, 3, 3], 9)], pads(1), 'conv');
      const stored = requantizer(b, conv, { from: [-30, 60], to: [-1, 1.55] });
      const window = { kernel: [2, 2], strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0] };
      const mean = b.op('AvgPool', [b.op('MaxPool', [stored], window)], { ...window, 'exclude-pad': true });
      const scaled = requantizer(b, mean, { from: [-1, 1.55], to: [-10, 15.5] });
      const y = b.op('Convolution', [scaled, quantizedWeights(b, [4, 9, 1, 1], 4)], pads(0), 'last');
      // One byte of a thousand may be decided otherwise: a step of 0.1 times a weight.
      return { out: y, step: 0.4 };
    },
  },
  {
    name: 'a quantizer gives the levels of each channel a scale and zero of their own',
    input: [1, 20, 7, 7],
    onBytes: ['GroupConvolution'],
    build(b, x) {
      const low = Array.from({ length: 20 }, (_, c) => -(c % 4) * 40);
      const scale = (c: number): number => (1 + c / 10) / 100;
      const ends = [low.map((l, c) => l * scale(c)), low.map((l, c) => (l + 255) * scale(c))] as const;
      const q = requantizer(b, x, { from: [-4, 4 - 8 / 256], to: ends });
      const y = b.op('GroupConvolution', [q, quantizedWeights(b, [20, 1, 1, 3, 3], 20)], pads(1), 'dw');
      const behind = requantizer(b, y, { from: [-20, 60], to: [0, 1] });
      return {
        out: b.op('MaxPool', [behind], { kernel: [1, 1], strides: [1, 1], pads_begin: [0, 0], pads_end: [0, 0] }),
        step: 1 / 255,
      };
    },
  },
  {
    name: 'levels with another meaning are summed and rounded again',
    input: [1, 16, 5, 5],
    onBytes: ['Convolution', 'Add'],
    build(b, x) {
      const q = quantizer(b, x, signed.low, signed.high);
      const branch = (name: string) => b.op('Convolution', [q, quantizedWeights(b, [16, 16, 1, 1], 16)], pads(0), name);
      const left = requantizer(b, branch('left'), { from: [-20, 20 - 40 / 256], to: [-2, 2 - 4 / 256] });
      const right = requantizer(b, b.op('ReLU', [branch('right')]), { from: [0, 30], to: [-3, 2.1] });
      const sum = b.op('Add', [left, right], {}, 'sum');
      const out = requantizer(b, sum, { from: [-4, 6.2], to: [-1, 1.55] });
      const y = b.op('Convolution', [out, quantizedWeights(b, [3, 16, 1, 1], 3)], pads(0), 'last');
      return { out: y, step: 0.04 };
    },
  },
  {
    name: 'levels 255 keep the last byte free',
    input: [1, 8, 5, 5],
    onBytes: ['Convolution'],
    build(b, x) {
      const q = quantizer(b, x, 0, 4, 255);
      const y = b.op('Convolution', [q, quantizedWeights(b, [8, 8, 1, 1], 8)], pads(0), 'conv');
      return { out: quantizer(b, b.op('ReLU', [y]), 0, 10, 255), step: 10 / 254 };
    },
  },
];

for (const c of cases) {
  test(c.name, async () => {
    const b = new ModelBuilder(c.name, 11);
    const x = b.parameter('x', c.input);
    const { out, step } = c.build(b, x);
    b.result(out);
    const r = random(23);
    const data = Float32Array.from({ length: c.input.reduce((p, d) => p * d, 1) }, () => r.normal() * 2);
    const feeds = { x: tensor('f32', c.input, data) };
    const expected = await outputs(referenceEngine.compile(b.model), feeds);
    let first: string | undefined;
    for (const maxIsa of runnableIsas()) {
      for (const threads of [1, 3]) {
        await using executable = await compileNative(b.model, { maxIsa, threads });
        const actual = Object.values((await executable.run(feeds)).outputs)[0]!;
        for (const type of c.onBytes) {
          const states = describeExecution(executable).filter((d) => d.type === type);
          assert.ok(
            states.some((d) => d.precision === 'INT8'),
            `${type} runs in ${JSON.stringify(states)}`,
          );
        }
        const error = maxAbsError(actual, expected);
        assert.ok(error <= step * 1.001, `${maxIsa}: off by ${error / step} steps`);
        first ??= bitsOfTensor(actual);
        assert.equal(bitsOfTensor(actual), first, `${maxIsa} with ${threads} threads differs from scalar`);
      }
    }
  });
}

test('products at the ends of the byte ranges do not saturate on any instruction set', async () => {
  const b = new ModelBuilder('corners', 1);
  const x = b.parameter('x', [1, 64, 4, 4]);
  const q = quantizer(b, x, 0, 255);
  const ends = Array.from({ length: 32 * 64 }, (_, i) => (i % 64 < 32 ? 127 : -127) * (i % 3 === 0 ? -1 : 1));
  const w = b.constant('w', [32, 64, 1, 1], ends);
  const high = b.constant('wh', [], [127]);
  const low = b.constant('wl', [], [-127]);
  const weights = b.op('FakeQuantize', [w, low, high, low, high], { levels: 255 }, 'fq_weights');
  b.result(b.op('Convolution', [q, weights], pads(0), 'conv'));
  const feeds = { x: tensor('f32', [1, 64, 4, 4], new Float32Array(1024).fill(255)) };
  const expected = await outputs(referenceEngine.compile(b.model), feeds);
  for (const maxIsa of runnableIsas()) {
    await using executable = await compileNative(b.model, { maxIsa });
    const actual = Object.values((await executable.run(feeds)).outputs)[0]!;
    assert.equal(maxAbsError(actual, expected), 0, maxIsa);
  }
});

async function outputs(
  compiled: ReturnType<typeof referenceEngine.compile>,
  feeds: Record<string, Tensor>,
): Promise<Tensor> {
  await using executable = await compiled;
  return Object.values((await executable.run(feeds)).outputs)[0]!;
}
