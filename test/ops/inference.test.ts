import assert from 'node:assert/strict';
import test from 'node:test';
import { Model } from '../../lib/graph/model.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { verify } from '../../lib/graph/verify.ts';
import { createNode } from '../../lib/ops/index.ts';
import { inferModel } from '../../lib/ops/infer-model.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import { i64 } from '../conformance/cases/op-case.ts';

/** Builds nodes by short calls: `net.add('ReLU', {}, x)`, `net.add('Gather-1', …)` for a revision. */
function network() {
  const model = new Model('net');
  return {
    model,
    input: (shape: Shape, type = 'f32'): OutputPort =>
      createNode(model, { type: 'Parameter', name: 'x', attributes: { shape, element_type: type }, inputs: [] }).output,
    integers: (...values: number[]): OutputPort =>
      createNode(model, { type: 'Constant', name: 'c', attributes: { value: i64(...values) }, inputs: [] }).output,
    add: (typeAndRevision: string, attributes: Record<string, unknown>, ...inputs: OutputPort[]): OutputPort => {
      const [type, revision] = typeAndRevision.split('-') as [string, string?];
      const notes = revision ? { notes: { opset: `opset${revision}` } } : {};
      return createNode(model, { type, name: type, attributes, inputs, ...notes }).output;
    },
  };
}

const refuses = (code: string, message: RegExp, build: (net: ReturnType<typeof network>) => unknown): void => {
  assert.throws(() => build(network()), { code, message });
};

test('errors name the node, the inputs and what does not fit', () => {
  refuses('ERR_SHAPE_MISMATCH', /Convolution 'Convolution': the weights take 3 input channels, the input has 4/, (n) =>
    n.add('Convolution', {}, n.input([1, 4, 8, 8]), n.input([2, 3, 1, 1])),
  );
  refuses('ERR_SHAPE_MISMATCH', /spans 9 elements of spatial axis 1, the padded input has 8/, (n) =>
    n.add('Convolution', {}, n.input([1, 3, 8, 8]), n.input([2, 3, 1, 9])),
  );
  refuses('ERR_OP_ATTRIBUTE', /strides has 1 entries, the input has 2 spatial axes/, (n) =>
    n.add('Convolution', { strides: '1' }, n.input([1, 3, 8, 8]), n.input([2, 3, 1, 1])),
  );
  refuses('ERR_OP_ATTRIBUTE', /strides = 0,1: expected 1 to /, (n) =>
    n.add('MaxPool', { strides: '0,1', kernel: '1,1' }, n.input([1, 3, 8, 8])),
  );
  refuses('ERR_SHAPE_RANK', /rank 2, expected 3 to 5/, (n) =>
    n.add('Convolution', {}, n.input([1, 3]), n.input([2, 3])),
  );
  refuses('ERR_TYPE_MISMATCH', /types f32 and f16/, (n) => n.add('Add', {}, n.input([1]), n.input([1], 'f16')));
  refuses('ERR_SHAPE_MISMATCH', /\[2,3\] and \[2\] do not broadcast; its inputs are f32\[2,3\], f32\[2\]/, (n) =>
    n.add('Add', {}, n.input([2, 3]), n.input([2])),
  );
  refuses('ERR_SHAPE_MISMATCH', /must be equal/, (n) =>
    n.add('Add', { auto_broadcast: 'none' }, n.input([2, 3]), n.input([1, 3])),
  );
  refuses('ERR_SHAPE_MISMATCH', /5 and 4 inner elements|matrices.*5 and 4/, (n) =>
    n.add('MatMul', {}, n.input([2, 5]), n.input([4, 2])),
  );
  refuses('ERR_SHAPE_MISMATCH', /cannot be reshaped to \[4,-1\]/, (n) =>
    n.add('Reshape', {}, n.input([2, 3]), n.integers(4, -1)),
  );
  refuses('ERR_SHAPE_MISMATCH', /cannot be joined along axis 1/, (n) =>
    n.add('Concat', { axis: 1 }, n.input([1, 2, 3]), n.input([1, 2, 4])),
  );
  refuses('ERR_SHAPE_RANK', /axis 3 does not exist/, (n) => n.add('SoftMax', { axis: 3 }, n.input([1, 2])));
  refuses('ERR_OP_ATTRIBUTE', /at least 2 levels/, (n) => {
    const x = n.input([1]);
    return n.add('FakeQuantize', { levels: 1 }, x, x, x, x, x);
  });
  refuses('ERR_SHAPE_MISMATCH', /\[1,4,1\] does not expand to \[1,3,8\]/, (n) => {
    const limit = n.input([1, 4, 1]);
    return n.add('FakeQuantize', { levels: 256 }, n.input([1, 3, 8]), limit, limit, limit, limit);
  });
  refuses('ERR_OP_INPUTS', /takes 2 inputs, it has 1/, (n) => n.add('Add', {}, n.input([1])));
  refuses('ERR_OP_ATTRIBUTE', /min must not be greater than max/, (n) =>
    n.add('Clamp', { min: 1, max: 0 }, n.input([1])),
  );
  refuses('ERR_OP_UNSUPPORTED', /the mode area/, (n) =>
    n.add('Interpolate-1', { axes: '2,3', mode: 'area' }, n.input([1, 1, 2, 2]), n.integers(3, 3)),
  );
});

test('dynamic sizes pass through', () => {
  const n = network();
  const x = n.input([-1, 3, -1, 8]);
  const conv = n.add('Convolution', { pads_begin: '1,1', pads_end: '1,1', strides: '1,2' }, x, n.input([5, 3, 3, 3]));
  assert.deepEqual(conv.fact.shape, [-1, 5, -1, 4]);
  const pool = n.add('MaxPool', { kernel: '2,2', strides: '2,2' }, conv);
  assert.deepEqual(pool.fact.shape, [-1, 5, -1, 2]);
  assert.deepEqual(n.add('ReduceMean', { keep_dims: true }, pool, n.integers(2, 3)).fact.shape, [-1, 5, 1, 1]);
  assert.deepEqual(n.add('Reshape', { special_zero: true }, pool, n.integers(0, -1)).fact.shape, [-1, -1]);
  const flat = n.add('Reshape', { special_zero: true }, n.input([-1, 5, 2, 2]), n.integers(0, -1));
  assert.deepEqual(flat.fact.shape, [-1, 20]);
  assert.deepEqual(n.add('Concat', { axis: 2 }, x, x).fact.shape, [-1, 3, -1, 8]);
  assert.deepEqual(n.add('Transpose', {}, x, n.integers(0, 2, 3, 1)).fact.shape, [-1, -1, 8, 3]);
});

test('shape arithmetic is computed while the model is built', () => {
  const n = network();
  const x = n.input([2, 3, 4, 5]);
  const sizes = n.add('ShapeOf', { output_type: 'i64' }, x);
  const batch = n.add('Gather', { batch_dims: 0 }, sizes, n.integers(0), n.integers(0));
  const target = n.add('Concat', { axis: 0 }, batch, n.integers(-1));
  assert.deepEqual(n.add('Reshape', { special_zero: false }, x, target).fact.shape, [2, 60]);
});

test('a model is inferred again from new input shapes', () => {
  const n = network();
  const x = n.input([-1, 3, -1, -1]);
  x.names = ['image'];
  const sizes = n.add('ShapeOf', {}, x);
  const tail = n.add('StridedSlice', { begin_mask: '0', end_mask: '1' }, sizes, n.integers(2), n.integers(0));
  const doubled = n.add('Multiply', {}, tail, n.integers(2));
  const attributes = { mode: 'nearest', shape_calculation_mode: 'sizes' };
  const scales = n.add('Convert', { destination_type: 'f32' }, doubled);
  const resized = n.add('Interpolate-4', attributes, x, doubled, scales, n.integers(2, 3));
  createNode(n.model, { type: 'Result', name: 'y', inputs: [resized] });
  assert.deepEqual(resized.fact.shape, [-1, 3, -1, -1]);
  inferModel(n.model, { image: [1, 3, 10, 20] });
  assert.deepEqual(resized.fact.shape, [1, 3, 20, 40]);
  inferModel(n.model);
  assert.deepEqual(resized.fact.shape, [1, 3, 20, 40]);
  inferModel(n.model, { x: [2, 3, -1, 8] });
  assert.deepEqual(resized.fact.shape, [2, 3, -1, -1]);
  verify(n.model);
  assert.throws(() => inferModel(n.model, { picture: [1, 3, 1, 1] }), {
    code: 'ERR_GRAPH_NAME',
    message: /no input 'picture'; its inputs are 'image'/,
  });
  assert.throws(() => inferModel(n.model, { image: [1, 3] }), { code: 'ERR_SHAPE_RANK', message: /'image'/ });
});

test('sizes, ranks and numbers of outputs beyond the limits are refused before memory is asked for', () => {
  refuses('ERR_SHAPE_OVERFLOW', /2251799813685248 is not a dimension/, (n) => n.input([1, 2 ** 51]));
  refuses('ERR_SHAPE_RANK', /rank 2147483648; lowp reads up to rank 64/, (n) =>
    n.add('Tile', {}, n.input([1, 2]), n.input([2 ** 31], 'i64')),
  );
  refuses('ERR_LIMIT_SIZE', /4294967295 parts/, (n) =>
    n.add('Split', { num_splits: 4294967295 }, n.input([-1]), n.integers(0)),
  );
  refuses('ERR_SHAPE_OVERFLOW', /2\^40/, (n) => n.add('Reshape', {}, n.input([-1]), n.integers(2 ** 21, 2 ** 21)));
});

test('a slice of an axis with a thousand million elements is inferred without listing them', () => {
  const n = network();
  const x = n.input([2 ** 30, 2]);
  const y = n.add('StridedSlice', { begin_mask: '1', end_mask: '1' }, x, n.integers(0), n.integers(0), n.integers(2));
  assert.deepEqual(y.fact.shape, [2 ** 29, 2]);
  const z = n.add('Slice', {}, x, n.integers(1), n.integers(2 ** 40), n.integers(1));
  assert.deepEqual(z.fact.shape, [2 ** 30 - 1, 2]);
});
