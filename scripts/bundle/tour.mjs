// Small networks with what most networks have, written as files: those whose functions the bytecode of the bundle has.
// Made with the package's own modules, not with the bundle, which opening them is to warm up.
import path from 'node:path';
import { referenceEngine } from '../../dist/lib/engines/reference-engine.js';
import { saveModel } from '../../dist/lib/formats/save.js';
import { Model } from '../../dist/lib/graph/model.js';
import { createNode } from '../../dist/lib/ops/index.js';
import { quantize } from '../../dist/lib/quantize.js';
import { tensor } from '../../dist/lib/tensor/tensor.js';
import { random } from '../../dist/lib/util/random.js';

const noise = random(1);
const normal = (shape) => {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(
    'f32',
    shape,
    Float32Array.from({ length: count }, () => noise.normal()),
  );
};

/** Adds nodes to a model. Values are output ports, attributes those of the IR. */
class Net {
  model;
  names = 0;

  constructor(name) {
    this.model = new Model(name);
  }

  op(type, inputs, attributes = {}) {
    const name = `${type}_${this.names++}`;
    return createNode(this.model, { type, name, attributes, inputs }).outputs[0];
  }

  input(shape) {
    return this.op('Parameter', [], { shape, element_type: 'f32' });
  }

  number(value) {
    return this.op('Constant', [], { value: tensor('f32', [], Float32Array.of(value)) });
  }

  integers(...values) {
    return this.op('Constant', [], { value: tensor('i64', [values.length], BigInt64Array.from(values, BigInt)) });
  }

  weights(...shape) {
    return this.op('Constant', [], { value: normal(shape) });
  }

  result(value) {
    createNode(this.model, { type: 'Result', name: 'output', attributes: {}, inputs: [value] });
    return this.model;
  }

  convolution(x, out, kernel, stride = 1) {
    const pads = [kernel >> 1, kernel >> 1];
    const window = { strides: [stride, stride], pads_begin: pads, pads_end: pads, dilations: [1, 1] };
    const product = this.op('Convolution', [x, this.weights(out, x.fact.shape[1], kernel, kernel)], window);
    return this.op('Add', [product, this.weights(1, out, 1, 1)]);
  }

  depthwise(x, kernel) {
    const [pads, channels] = [[kernel >> 1, kernel >> 1], x.fact.shape[1]];
    const window = { strides: [1, 1], pads_begin: pads, pads_end: pads, dilations: [1, 1] };
    const product = this.op('GroupConvolution', [x, this.weights(channels, 1, 1, kernel, kernel)], window);
    return this.op('Add', [product, this.weights(1, channels, 1, 1)]);
  }

  linear(x, out) {
    return this.op('Add', [this.op('MatMul', [x, this.weights(x.fact.shape.at(-1), out)]), this.weights(out)]);
  }

  reshape(x, ...shape) {
    return this.op('Reshape', [x, this.integers(...shape)], { special_zero: false });
  }

  transpose(x, ...order) {
    return this.op('Transpose', [x, this.integers(...order)]);
  }

  mean(x, ...axes) {
    return this.op('ReduceMean', [x, this.integers(...axes)], { keep_dims: true });
  }
}

/** Pads of half the channels on both sides of them, computed as exporters do: from the innermost axis on, turned round. */
function padding(net, x) {
  const axis = net.integers(0);
  const channels = net.op('Gather', [net.op('ShapeOf', [x], { output_type: 'i64' }), net.integers(1), axis]);
  const half = net.op('Divide', [channels, net.integers(2)]);
  const listed = net.op(
    'Concat',
    [net.integers(0, 0, 0, 0), half, half, net.op('Broadcast', [axis, net.integers(2)])],
    {
      axis: 0,
    },
  );
  const rows = net.reshape(listed, -1, 2);
  const turned = net.op('StridedSlice', [rows, ...[-1, -5, -1].map((v) => net.integers(v))], {
    begin_mask: [0],
    end_mask: [0],
  });
  const sides = net.op('Convert', [net.reshape(net.transpose(turned, 1, 0), -1)], { destination_type: 'i64' });
  return [net.integers(0), net.integers(4)].map((from) =>
    net.op('Slice', [sides, from, net.op('Add', [from, net.integers(4)]), net.integers(1)]),
  );
}

/** Residual sums, a shortcut of slices and padding, depthwise layers, activations, pooling, joins, resizing. */
function images() {
  const net = new Net('images');
  const window = { strides: [2, 2], pads_begin: [0, 0], pads_end: [0, 0], kernel: [2, 2], 'exclude-pad': true };
  const head = net.op('ReLU', [net.convolution(net.input([1, 3, 16, 16]), 16, 3)]);
  const wide = net.op('ReLU', [net.op('Add', [net.convolution(head, 16, 3), head])]);
  const cut = [net.integers(0, 0, 0, 0), net.integers(0, 0, 16, 16), net.integers(1, 1, 2, 2)];
  const masks = { begin_mask: [1, 1, 0, 0], end_mask: [1, 1, 0, 0] };
  const thinned = net.op('StridedSlice', [wide, ...cut], masks);
  const shortcut = net.op('Pad', [thinned, ...padding(net, thinned), net.number(0)], { pad_mode: 'constant' });
  const deep = net.op('ReLU', [net.op('Add', [net.convolution(wide, 32, 3, 2), shortcut])]);
  const bounded = net.op('Clamp', [net.depthwise(deep, 3)], { min: 0, max: 6 });
  const gated = net.convolution(bounded, 16, 1);
  const swish = net.op('Multiply', [gated, net.op('Sigmoid', [gated])]);
  const hard = net.op('HSwish', [net.convolution(bounded, 16, 1)]);
  const leaky = net.op('PRelu', [net.convolution(bounded, 16, 1), net.weights(16)]);
  const joined = net.op('Concat', [swish, hard, leaky], { axis: 1 });
  const scale = net.op('Sigmoid', [net.convolution(net.mean(joined, 2, 3), 48, 1)]);
  const pooled = net.op('Multiply', [joined, scale]);
  const pools = [net.op('MaxPool', [pooled], window), net.op('AvgPool', [pooled], window)];
  const pair = net.op('Concat', pools, { axis: 1 });
  const [mode, scales] = [{ mode: 'nearest', shape_calculation_mode: 'scales' }, Float32Array.of(2, 2)];
  const factors = net.op('Constant', [], { value: tensor('f32', [2], scales) });
  const shown = net.op('Interpolate', [pair, factors, net.integers(2, 3)], mode);
  const flat = net.reshape(net.mean(shown, 2, 3), -1, 96);
  return net.result(net.op('SoftMax', [net.linear(flat, 10)], { axis: 1 }));
}

/** Attention, layer normalization and GELU in the small operations that exporters write. */
function words() {
  const net = new Net('words');
  const split = (x, ...order) => net.transpose(net.reshape(x, -1, 8, 2, 16), ...order);
  const x = net.input([1, 8, 32]);
  const [query, key, value] = [
    [0, 2, 1, 3],
    [0, 2, 3, 1],
    [0, 2, 1, 3],
  ].map((o) => split(net.linear(x, 32), ...o));
  const scores = net.op('Divide', [net.op('MatMul', [query, key]), net.number(4)]);
  const mixed = net.op('MatMul', [net.op('SoftMax', [scores], { axis: 3 }), value]);
  const sum = net.op('Add', [net.linear(net.reshape(net.transpose(mixed, 0, 2, 1, 3), -1, 8, 32), 32), x]);
  const centred = net.op('Subtract', [sum, net.mean(sum, -1)]);
  const variance = net.mean(net.op('Power', [centred, net.number(2)]), -1);
  const deviation = net.op('Sqrt', [net.op('Add', [variance, net.number(1e-6)])]);
  const scaled = net.op('Multiply', [net.op('Divide', [centred, deviation]), net.weights(32)]);
  const inner = net.linear(net.op('Add', [scaled, net.weights(32)]), 64);
  const erf = net.op('Erf', [net.op('Divide', [inner, net.number(Math.SQRT2)])]);
  const gelu = net.op('Multiply', [net.op('Multiply', [inner, net.op('Add', [erf, net.number(1)])]), net.number(0.5)]);
  return net.result(net.op('Tanh', [net.op('Add', [net.linear(gelu, 32), sum])]));
}

/**
 * Both networks in both formats, in floats and quantized.
 *
 * @param folder  where the files are written
 * @returns their paths
 */
export async function writeTour(folder) {
  const files = [];
  for (const model of [images(), words()]) {
    const { shape } = model.parameters()[0].output.fact;
    const samples = Array.from({ length: 2 }, () => normal(shape));
    const { model: quantized } = await quantize(model, samples, { engine: referenceEngine });
    for (const [name, of] of Object.entries({ floats: model, integers: quantized }))
      for (const extension of ['onnx', 'xml']) {
        const file = path.join(folder, `${model.name}-${name}.${extension}`);
        await saveModel(of, file);
        files.push(file);
      }
  }
  return files;
}
