// Small networks with what most networks have, written as files: those whose functions the bytecode of the bundle has.
// Made with the package's own modules, not with the bundle, which opening them is to warm up.
import path from 'node:path';
import { bertLayer } from '../../dist/bench/networks/synthetic/bert-layer.js';
import { Graph } from '../../dist/bench/networks/synthetic/graph.js';
import { referenceEngine } from '../../dist/lib/engines/reference-engine.js';
import { saveModel } from '../../dist/lib/formats/save.js';
import { quantize } from '../../dist/lib/quantize.js';
import { tensor } from '../../dist/lib/tensor/tensor.js';
import { random } from '../../dist/lib/util/random.js';

/** Pads of half the channels on both sides of them, computed as exporters do: from the innermost axis on, turned round. */
function padding(g, x) {
  const axis = g.integers(0);
  const channels = g.add('Gather', [g.add('ShapeOf', [x], { output_type: 'i64' }), g.integers(1), axis]);
  const half = g.add('Divide', [channels, g.integers(2)]);
  const zeros = g.add('Broadcast', [axis, g.integers(2)]);
  const listed = g.add('Concat', [g.integers(0, 0, 0, 0), half, half, zeros], { axis: 0 });
  const rows = g.add('Reshape', [listed, g.integers(-1, 2)], { special_zero: false });
  const steps = [-1, -5, -1].map((v) => g.integers(v));
  const turned = g.add('StridedSlice', [rows, ...steps], { begin_mask: [0], end_mask: [0] });
  const columns = g.add('Transpose', [turned, g.integers(1, 0)]);
  const flat = g.add('Reshape', [columns, g.integers(-1)], { special_zero: false });
  const sides = g.add('Convert', [flat], { destination_type: 'i64' });
  return [g.integers(0), g.integers(4)].map((from) =>
    g.add('Slice', [sides, from, g.add('Add', [from, g.integers(4)]), g.integers(1)]),
  );
}

/** Residual sums, a shortcut of slices and padding, depthwise layers, activations, pooling, joins, resizing. */
function images() {
  const g = new Graph('images');
  const window = { strides: [2, 2], pads_begin: [0, 0], pads_end: [0, 0], kernel: [2, 2], 'exclude-pad': true };
  const head = g.add('ReLU', [g.convolution(g.input('input', [1, 3, 16, 16]), { out: 16, kernel: 3 })]);
  const wide = g.add('ReLU', [g.add('Add', [g.convolution(head, { out: 16, kernel: 3 }), head])]);
  const cut = [g.integers(0, 0, 0, 0), g.integers(0, 0, 16, 16), g.integers(1, 1, 2, 2)];
  const thinned = g.add('StridedSlice', [wide, ...cut], { begin_mask: [1, 1, 0, 0], end_mask: [1, 1, 0, 0] });
  const shortcut = g.add('Pad', [thinned, ...padding(g, thinned), g.number(0)], { pad_mode: 'constant' });
  const deep = g.add('ReLU', [g.add('Add', [g.convolution(wide, { out: 32, kernel: 3, stride: 2 }), shortcut])]);
  const spatial = g.convolution(deep, { out: 32, kernel: 3, depthwise: true });
  const bounded = g.add('Clamp', [spatial], { min: 0, max: 6 });
  const [a, b, c, d] = [0, 1, 2, 3].map(() => g.convolution(bounded, { out: 16, kernel: 1 }));
  const swish = g.add('Multiply', [a, g.add('Sigmoid', [a])]);
  const leaky = g.add('PRelu', [b, g.normal([16], 0.2)]);
  const joined = g.add('Concat', [swish, leaky, g.add('HSwish', [c]), g.add('Tanh', [d])], { axis: 1 });
  const squeezed = g.add('ReduceMean', [joined, g.integers(2, 3)], { keep_dims: true });
  const share = g.add('Sigmoid', [g.convolution(squeezed, { out: 64, kernel: 1 })]);
  const excited = g.add('Multiply', [joined, share]);
  const pair = g.add('Concat', [g.add('MaxPool', [excited], window), g.add('AvgPool', [excited], window)], { axis: 1 });
  const factors = g.constant(tensor('f32', [2], Float32Array.of(2, 2)));
  const nearest = { mode: 'nearest', shape_calculation_mode: 'scales' };
  const shown = g.add('Interpolate', [pair, factors, g.integers(2, 3)], nearest);
  g.output(g.add('SoftMax', [g.classifier(shown, 10)], { axis: 1 }), 'output');
  return g.model;
}

/** Two inputs of a network, which calibrate it. */
function samples(shape) {
  const { normal } = random(7);
  const length = shape.reduce((a, b) => a * Math.abs(b), 1);
  const sample = () => tensor('f32', shape.map(Math.abs), Float32Array.from({ length }, normal));
  return [sample(), sample()];
}

/**
 * Two networks in both formats, in floats and quantized.
 *
 * @param folder  where the files are written
 * @returns their paths
 */
export async function writeTour(folder) {
  const files = [];
  for (const model of [images(), bertLayer({ tokens: 8, hidden: 32, heads: 2, inner: 64 })]) {
    const { shape } = model.parameters()[0].output.fact;
    const { model: quantized } = await quantize(model, samples(shape), { engine: referenceEngine });
    for (const [name, of] of Object.entries({ floats: model, integers: quantized }))
      for (const extension of ['onnx', 'xml']) {
        const file = path.join(folder, `${model.name}-${name}.${extension}`);
        await saveModel(of, file);
        files.push(file);
      }
  }
  return files;
}
