import assert from 'node:assert/strict';
import test from 'node:test';
import { addConstant } from '../../lib/graph/edit.ts';
import { Model } from '../../lib/graph/model.ts';
import type { Node, OutputPort } from '../../lib/graph/node.ts';
import { allOps, createNode, getOp } from '../../lib/ops/index.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { f32, pattern } from '../conformance/cases/op-case.ts';

function input(model: Model, name: string, shape: Shape): OutputPort {
  return createNode(model, { type: 'Parameter', name, attributes: { shape }, inputs: [] }).output;
}

/** x → Convolution to 3 channels, output `[1, 3, 4, 4]`. */
function convolution(model: Model): OutputPort {
  const weights = addConstant(model, 'w', pattern([3, 2, 1, 1], 1)).output;
  const inputs = [input(model, 'x', [1, 2, 4, 4]), weights];
  return createNode(model, { type: 'Convolution', name: 'conv', inputs }).output;
}

/** x → MatMul to 3 columns, output `[2, 5, 3]`. */
function product(model: Model): OutputPort {
  const weights = addConstant(model, 'w', pattern([4, 3], 1)).output;
  return createNode(model, { type: 'MatMul', name: 'matmul', inputs: [input(model, 'x', [2, 5, 4]), weights] }).output;
}

function postOp(node: Node, port = 0) {
  return getOp(node.type).asPostOp?.(node.attributes, node, port, node.source(port)!.node);
}

/** What an Add of a constant is, without the operand itself. */
function kindOf(source: (model: Model) => OutputPort, value: Tensor): unknown {
  const step = addConstantTo(source, value);
  if (step?.kind !== 'bias') return step && { kind: step.kind };
  return { kind: step.kind, values: step.values };
}

function addConstantTo(source: (model: Model) => OutputPort, value: Tensor) {
  const model = new Model('m');
  const other = addConstant(model, 'b', value).output;
  return postOp(createNode(model, { type: 'Add', name: 'add', inputs: [source(model), other] }));
}

test('ReLU and Clamp are clamps', () => {
  const model = new Model('m');
  const x = input(model, 'x', [1]);
  assert.deepEqual(postOp(createNode(model, { type: 'ReLU', name: 'relu', inputs: [x] })), {
    kind: 'clamp',
    low: 0,
    high: Infinity,
  });
  const clamp = createNode(model, { type: 'Clamp', name: 'clamp', attributes: { min: '0', max: '6' }, inputs: [x] });
  assert.deepEqual(postOp(clamp), { kind: 'clamp', low: 0, high: 6 });
});

test('a constant along the channels of a convolution is its bias', () => {
  const bias = { kind: 'bias', values: Float32Array.of(1, 2, 3) };
  assert.deepEqual(kindOf(convolution, f32([1, 3, 1, 1], [1, 2, 3])), bias);
  assert.deepEqual(kindOf(convolution, f32([3, 1, 1], [1, 2, 3])), bias);
  assert.deepEqual(kindOf(convolution, f32([], [5])), { kind: 'bias', values: Float32Array.of(5, 5, 5) });
});

test('a constant along other axes of a convolution is no bias', () => {
  const repeated = { kind: 'add' };
  assert.deepEqual(kindOf(convolution, f32([4], [1, 2, 3, 4])), repeated);
  assert.equal(addConstantTo(convolution, f32([1, 1, 4, 1], [1, 2, 3, 4])), undefined);
  assert.deepEqual(kindOf(convolution, pattern([1, 3, 4, 4], 1)), repeated);
  assert.equal(addConstantTo(convolution, pattern([2, 3, 1, 1], 1)), undefined);
});

test('a constant along the last axis of a matrix product is its bias', () => {
  const bias = { kind: 'bias', values: Float32Array.of(1, 2, 3) };
  assert.deepEqual(kindOf(product, f32([3], [1, 2, 3])), bias);
  assert.deepEqual(kindOf(product, f32([1, 1, 3], [1, 2, 3])), bias);
  assert.equal(addConstantTo(product, pattern([5, 1], 1)), undefined);
});

test('factors are one number, or one for each channel', () => {
  const model = new Model('m');
  const y = product(model);
  const by = (type: string, value: Tensor, port = 0) => {
    const other = addConstant(model, 'f', value).output;
    return postOp(createNode(model, { type, name: 'f', inputs: port === 0 ? [y, other] : [other, y] }), port);
  };
  assert.deepEqual(by('Multiply', f32([], [3]), 1), { kind: 'scale', values: Float32Array.of(3) });
  assert.deepEqual(by('Multiply', f32([3], [1, 2, 3])), { kind: 'scale', values: Float32Array.of(1, 2, 3) });
  assert.deepEqual(by('Divide', f32([1], [8])), { kind: 'scale', values: Float32Array.of(0.125) });
  assert.equal(by('Divide', f32([1], [8]), 1), undefined);
  assert.equal(by('Divide', f32([1], [0])), undefined);
  assert.equal(by('Multiply', pattern([5, 1], 1)), undefined);
});

test('a constant behind an operation without a bias axis stays an Add', () => {
  assert.equal(
    addConstantTo((model) => input(model, 'x', [1, 3, 4, 4]), f32([1, 3, 1, 1], [1, 2, 3])),
    undefined,
  );
});

test('a computed operand of the same shape is a sum, seen from both sides', () => {
  const model = new Model('m');
  const [a, b] = [convolution(model), input(model, 'y', [1, 3, 4, 4])];
  const add = createNode(model, { type: 'Add', name: 'add', inputs: [a, b] });
  assert.deepEqual(postOp(add, 0), { kind: 'add', other: b });
  assert.deepEqual(postOp(add, 1), { kind: 'add', other: a });
  const small = input(model, 'z', [1, 3, 1, 1]);
  const grown = createNode(model, { type: 'Add', name: 'grown', inputs: [a, small] });
  assert.equal(postOp(grown, 0), undefined);
  assert.equal(postOp(grown, 1), undefined);
});

function groupConvolution(weights: Shape): Node {
  const model = new Model('m');
  const x = input(model, 'x', [1, weights[0]! * weights[2]!, 4, 4]);
  const w = addConstant(model, 'w', pattern(weights, 1)).output;
  return createNode(model, { type: 'GroupConvolution', name: 'conv', inputs: [x, w] });
}

test('a GroupConvolution of one channel to one channel is depthwise hardware', () => {
  const hardware = (weights: Shape) => getOp('GroupConvolution').quantization!.hardwareType!(groupConvolution(weights));
  assert.equal(hardware([4, 1, 1, 3, 3]), 'DepthWiseConvolution');
  assert.equal(hardware([4, 2, 1, 3, 3]), 'Convolution');
  assert.equal(hardware([2, 1, 2, 3, 3]), 'Convolution');
});

test('the axis of output channels of weights follows their layout', () => {
  const axis = (type: string, shape: Shape, attributes: Record<string, unknown> = {}): number =>
    getOp(type).quantization!.weights!.outputChannelAxis(attributes as never, shape);
  assert.equal(axis('Convolution', [8, 4, 3, 3]), 0);
  assert.equal(axis('ConvolutionBackpropData', [4, 8, 3, 3]), 1);
  assert.equal(axis('GroupConvolution', [8, 1, 1, 3, 3]), 0);
  assert.equal(axis('GroupConvolutionBackpropData', [2, 4, 8, 3, 3]), 2);
  assert.equal(axis('MatMul', [4, 8], { transpose_b: false }), 1);
  assert.equal(axis('MatMul', [8, 4], { transpose_b: true }), 0);
  assert.equal(axis('MatMul', [2, 8, 4], { transpose_b: true }), 1);
});

test('operations that only move values let quantizers ascend', () => {
  const ascending = (how: string): string[] => [
    ...new Set(
      allOps()
        .filter((d) => d.quantization?.ascend === how)
        .map((d) => d.type),
    ),
  ];
  assert.deepEqual(ascending('all'), ['Concat']);
  assert.deepEqual(ascending('nonConstant').sort(), ['ConvertLike', 'Pad']);
  assert.deepEqual(
    ascending('first').sort(),
    (
      'Broadcast DepthToSpace Gather MaxPool Maximum Minimum ReduceMax Reshape ShuffleChannels Slice Split Squeeze ' +
      'StridedSlice Tile Transpose Unsqueeze VariadicSplit'
    ).split(' '),
  );
});
