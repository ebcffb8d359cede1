import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { glyphSample } from '../../../lib/data/glyphs.ts';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { type GraphProto, ModelProtoSchema } from '../../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { readTensor } from '../../../lib/formats/onnx/tensor-proto.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import { addConstant } from '../../../lib/graph/edit.ts';
import { Model } from '../../../lib/graph/model.ts';
import type { OutputPort } from '../../../lib/graph/node.ts';
import { createNode } from '../../../lib/ops/index.ts';
import { toFloat64 } from '../../../lib/tensor/convert.ts';
import type { ElementType } from '../../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { random } from '../../../lib/util/random.ts';

const root = path.resolve(import.meta.dirname, '../../../..');

/** A model under construction with one input `x`. */
class Builder {
  readonly model = new Model('test');
  readonly x: OutputPort;

  constructor(shape: Shape, type: ElementType = 'f32') {
    const attributes = { element_type: type, shape };
    this.x = createNode(this.model, { type: 'Parameter', name: 'x', attributes, inputs: [], names: [['x']] }).output;
  }

  constant(name: string, type: ElementType, shape: Shape, values: ArrayLike<number>): OutputPort {
    return addConstant(this.model, name, tensor(type, shape, Array.from(values))).output;
  }

  op(type: string, name: string, inputs: readonly OutputPort[], attributes: Record<string, unknown> = {}): OutputPort {
    return createNode(this.model, { type, name, attributes, inputs }).output;
  }

  fakeQuantize(name: string, x: OutputPort, low: number[], high: number[], shape: Shape, levels = 256): OutputPort {
    const limits = [this.constant(`${name}/low`, 'f32', shape, low), this.constant(`${name}/high`, 'f32', shape, high)];
    return this.op('FakeQuantize', name, [x, ...limits, ...limits], { levels });
  }

  finish(port: OutputPort, name = 'y'): Model {
    port.names = [name];
    createNode(this.model, { type: 'Result', name: `${name}/result`, inputs: [port] });
    return this.model;
  }
}

function noise(shape: Shape, seed: number, scale = 1): Float32Array {
  const r = random(seed);
  return Float32Array.from({ length: elementCount(shape) }, () => scale * r.normal());
}

async function run(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  await using executable = await referenceEngine.compile(model);
  return (await executable.run(feeds)).outputs;
}

function graphOf(bytes: Uint8Array): GraphProto {
  return fromBinary(ModelProtoSchema, bytes).graph!;
}

function types(bytes: Uint8Array): string[] {
  return graphOf(bytes).node.map((n) => n.opType);
}

function initializer(bytes: Uint8Array, name: string): Tensor {
  const proto = graphOf(bytes).initializer.find((t) => t.name === name);
  assert.ok(proto, `no initializer '${name}' in ${graphOf(bytes).initializer.map((t) => t.name)}`);
  return readTensor(proto, undefined);
}

/** Largest difference between the model's outputs and those of the written model, both in the reference engine. */
async function written(model: Model, bytes: Uint8Array): Promise<number> {
  const x = model.parameters()[0]!.output.fact;
  const feeds = { x: tensor('f32', x.shape, noise(x.shape, 9, 2)) };
  const [before, after] = [await run(model, feeds), await run(readOnnx(bytes), feeds)];
  assert.deepEqual(Object.keys(after), Object.keys(before));
  return Math.max(
    ...Object.entries(before).map(([name, value]) => {
      assert.deepEqual(after[name]?.shape, value.shape);
      const other = toFloat64(after[name]!);
      return Math.max(...toFloat64(value).map((v, i) => Math.abs(v - other[i]!)));
    }),
  );
}

test('the demo model keeps its outputs bit for bit, its names, and recognises glyphs', async () => {
  const model = readOnnx(readFileSync(path.join(root, 'assets/demo/glyphs.onnx')));
  const bytes = writeOnnx(model);
  const again = readOnnx(bytes);
  assert.deepEqual(Buffer.from(writeOnnx(again)), Buffer.from(bytes));
  let right = 0;
  for (let i = 0; i < 20; i++) {
    const { image, label } = glyphSample(3, i);
    const feeds = { image: tensor('f32', [1, 1, 32, 32], image) };
    const { probabilities } = await run(model, feeds);
    const scores = toFloat64(probabilities!);
    if (i < 3) assert.deepEqual((await run(again, feeds)).probabilities, probabilities);
    if (scores.indexOf(Math.max(...scores)) === label) right++;
  }
  assert.ok(right >= 17, `${right} of 20 glyphs`);
});

test('an asymmetric FakeQuantize becomes u8 QuantizeLinear and DequantizeLinear', async () => {
  const b = new Builder([1, 3, 4, 4]);
  const scale = 0.02;
  const model = b.finish(b.fakeQuantize('fq', b.x, [-50 * scale], [205 * scale], []));
  const bytes = writeOnnx(model);
  assert.deepEqual(types(bytes), ['QuantizeLinear', 'DequantizeLinear']);
  assert.deepEqual(initializer(bytes, 'fq/zero_point'), tensor('u8', [], [50]));
  assert.ok(Math.abs(toFloat64(initializer(bytes, 'fq/scale'))[0]! - scale) < 1e-8);
  assert.deepEqual(
    readOnnx(bytes)
      .nodes()
      .map((n) => n.type)
      .filter((t) => t !== 'Constant'),
    ['Parameter', 'FakeQuantize', 'Result'],
  );
  assert.ok((await written(model, bytes)) < 1e-6);
});

test('a symmetric FakeQuantize per channel becomes i8 with the axis of the channels', async () => {
  const b = new Builder([1, 3, 4, 4]);
  const high = [1.27, 2.54, 0.127];
  const model = b.finish(
    b.fakeQuantize(
      'fq',
      b.x,
      high.map((h) => (-h * 128) / 127),
      high,
      [1, 3, 1, 1],
    ),
  );
  const bytes = writeOnnx(model);
  const graph = graphOf(bytes);
  assert.deepEqual(types(bytes), ['QuantizeLinear', 'DequantizeLinear']);
  assert.equal(graph.node[0]!.attribute.find((a) => a.name === 'axis')?.i, 1n);
  assert.deepEqual(initializer(bytes, 'fq/zero_point'), tensor('i8', [3], [0, 0, 0]));
  assert.ok((await written(model, bytes)) < 1e-6);
});

test('a FakeQuantize that no 8-bit pair can say becomes the arithmetic that defines it', async () => {
  const cases: [levels: number, low: number[], high: number[], shape: number[]][] = [
    [16, [-1], [2], []],
    [255, [-1], [1], []],
    [256, [0.5], [2], []],
    [65536, [-3], [3], []],
    [256, [-1, -2, -3, -1, -1, -1, -1, -1, -1], new Array<number>(9).fill(1), [1, 3, 3, 1]],
  ];
  for (const [levels, low, high, shape] of cases) {
    const b = new Builder([1, 3, 3, 4]);
    const model = b.finish(b.fakeQuantize('fq', b.x, low, high, shape, levels));
    const bytes = writeOnnx(model);
    assert.ok(!types(bytes).includes('QuantizeLinear'), `${levels} levels`);
    assert.ok((await written(model, bytes)) < 2e-6, `${levels} levels`);
  }
  const b = new Builder([4]);
  const limits = [-1, 1, 0, 10].map((v, i) => b.constant(`limit${i}`, 'f32', [], [v]));
  const model = b.finish(b.op('FakeQuantize', 'fq', [b.x, ...limits], { levels: 256 }));
  assert.ok((await written(model, writeOnnx(model))) < 2e-6);
});

test('weights behind a FakeQuantize become an i8 initializer, a constant bias an input of Conv', async () => {
  const b = new Builder([1, 3, 6, 6]);
  const values = noise([4, 3, 3, 3], 4);
  const high = Array.from({ length: 4 }, (_, o) => Math.max(...values.slice(o * 27, o * 27 + 27).map(Math.abs)));
  const weights = b.constant('w', 'f32', [4, 3, 3, 3], values);
  const fq = b.fakeQuantize(
    'w/fq',
    weights,
    high.map((h) => -h),
    high,
    [4, 1, 1, 1],
    255,
  );
  const geometry = { strides: [1, 1], dilations: [1, 1], pads_begin: [1, 1], pads_end: [1, 1] };
  const conv = b.op('Convolution', 'conv', [b.x, fq], geometry);
  const model = b.finish(b.op('Add', 'conv/bias', [conv, b.constant('b', 'f32', [1, 4, 1, 1], [1, 2, 3, 4])]));
  const bytes = writeOnnx(model);
  assert.deepEqual(types(bytes), ['DequantizeLinear', 'Conv']);
  const stored = graphOf(bytes)
    .initializer.map((t) => readTensor(t, undefined))
    .find((t) => t.type === 'i8' && t.shape.length === 4);
  assert.deepEqual(stored?.shape, [4, 3, 3, 3]);
  assert.ok((await written(model, bytes)) < 1e-5);
  assert.ok(
    model.nodes().some((n) => n.type === 'FakeQuantize'),
    'the model itself is not changed',
  );
  const types2 = readOnnx(bytes)
    .nodes()
    .map((n) => n.type);
  assert.ok(types2.includes('Convert') && types2.includes('Multiply'), 'weights stay compressed when they are read');
});

test('stored weights of grouped convolutions are merged, in five dimensions or behind a Reshape', async () => {
  for (const outputs of [1, 2]) {
    for (const zero of [0, 3]) {
      const b = new Builder([1, 4, 5, 5]);
      const shape = [4, outputs, 1, 3, 3];
      const integers = noise(shape, 6, 40).map((v) => Math.round(Math.max(-127, Math.min(127, v))));
      const floats = b.op('Convert', 'c', [b.constant('w', 'i8', shape, integers)], { destination_type: 'f32' });
      const centred = zero ? b.op('Subtract', 's', [floats, b.constant('z', 'f32', [], [zero])]) : floats;
      const scale = b.constant('scale', 'f32', [4, 1, 1, 1, 1], [0.01, 0.02, 0.03, 0.04]);
      const geometry = { strides: [1, 1], dilations: [1, 1], pads_begin: [0, 0], pads_end: [0, 0] };
      const model = b.finish(
        b.op('GroupConvolution', 'conv', [b.x, b.op('Multiply', 'm', [centred, scale])], geometry),
      );
      const bytes = writeOnnx(model);
      assert.deepEqual(types(bytes), ['DequantizeLinear', 'Conv']);
      assert.ok((await written(model, bytes)) < 1e-5);
      const again = writeOnnx(readOnnx(bytes));
      assert.deepEqual(types(again), ['DequantizeLinear', 'Conv']);
      assert.ok((await written(model, again)) < 1e-5);
    }
  }
});

test('transposes of MatMul become Gemm for matrices and Transpose nodes else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.boolean(), fc.boolean(), async (ta, tb, batched) => {
      const lead = batched ? [2] : [];
      const b = new Builder([...lead, ...(ta ? [5, 3] : [3, 5])]);
      const shape = [...lead, ...(tb ? [4, 5] : [5, 4])];
      const weights = b.constant('w', 'f32', shape, noise(shape, 8));
      const model = b.finish(b.op('MatMul', 'm', [b.x, weights], { transpose_a: ta, transpose_b: tb }));
      const bytes = writeOnnx(model);
      assert.equal(types(bytes).at(-1), !batched && (ta || tb) ? 'Gemm' : 'MatMul');
      assert.equal(await written(model, bytes), 0);
    }),
    { numRuns: 16, seed: 2 },
  );
});

test('StridedSlice keeps its meaning with masks, picked and new axes', async () => {
  const flags = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 3, maxLength: 3 });
  const indices = fc.array(fc.integer({ min: -5, max: 4 }), { minLength: 3, maxLength: 3 });
  const strides = fc.array(fc.constantFrom(1, 2, -1, -2), { minLength: 3, maxLength: 3 });
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(
      indices,
      indices,
      strides,
      flags,
      flags,
      flags,
      flags,
      async (begin, end, step, b0, e0, fresh, picked) => {
        const b = new Builder([5, 5, 5]);
        const list = (name: string, values: number[]) => b.constant(name, 'i64', [3], values);
        const shrink = picked.map((p, i) => (fresh[i] === 1 ? 0 : p));
        const steps = step.map((s, i) => (shrink[i] === 1 ? 1 : s));
        const inputs = [b.x, list('begin', begin), list('end', end), list('step', steps)];
        const attributes = { begin_mask: b0, end_mask: e0, new_axis_mask: fresh, shrink_axis_mask: shrink };
        const sliced = b.op('StridedSlice', 's', inputs, attributes);
        const empty = sliced.fact.shape.includes(0);
        const model = b.finish(sliced);
        const bytes = writeOnnx(model);
        if (empty) return;
        assert.equal(await written(model, bytes), 0);
        compared++;
      },
    ),
    { numRuns: 200, seed: 5 },
  );
  assert.ok(compared > 40, `only ${compared} slices were not empty`);
});

test('outputs keep their names when they are inputs, constants or share one value', async () => {
  const b = new Builder([2]);
  const relu = b.op('ReLU', 'relu', [b.x]);
  for (const [name, port] of Object.entries({ a: relu, b: relu, c: b.x, d: b.constant('k', 'f32', [1], [7]) })) {
    const result = createNode(b.model, { type: 'Result', name: `${name}/result`, inputs: [port] });
    result.output.names = [name];
  }
  const again = readOnnx(writeOnnx(b.model));
  const outputs = await run(again, { x: tensor('f32', [2], [-1, 2]) });
  assert.deepEqual(Object.fromEntries(Object.entries(outputs).map(([k, v]) => [k, Array.from(v.data, Number)])), {
    a: [0, 2],
    b: [0, 2],
    c: [-1, 2],
    d: [7],
  });
});

test('integers are divided rounding down, and toward zero', async () => {
  for (const floor of [true, false]) {
    const b = new Builder([7], 'i32');
    const by = b.constant('by', 'i32', [7], [2, 2, -2, -2, 3, -3, 2]);
    const model = b.finish(b.op('Divide', 'quotient', [b.x, by], { m_pythondiv: floor }));
    const x = tensor('i32', [7], [7, -7, 7, -7, -6, 7, -(2 ** 31)]);
    const expected = floor ? [3, -4, -4, 3, -2, -3, -(2 ** 30)] : [3, -3, -3, 3, -2, -2, -(2 ** 30)];
    assert.deepEqual((await run(readOnnx(writeOnnx(model)), { x })).y, tensor('i32', [7], expected));
  }
});

test('an operation on constants is written as its values', async () => {
  const b = new Builder([1, 8, 2, 2]);
  const sizes = [b.constant('grid', 'i64', [2], [2, 2]), b.constant('image', 'i64', [2], [8, 8])];
  const attributes = { min_size: [4], offset: 0.5, variance: [0.1] };
  const boxes = b.op('PriorBox', 'boxes', sizes, attributes);
  const model = b.finish(b.op('Multiply', 'twice', [boxes, b.constant('two', 'f32', [], [2])]));
  const bytes = writeOnnx(model);
  assert.deepEqual(types(bytes), ['Identity', 'Mul']);
  assert.equal(await written(model, bytes), 0);
});

test('operations that ONNX does not have are all listed', () => {
  const b = new Builder([1, 4, 4, 4]);
  const bins = b.op('Bucketize', 'bins', [b.x, b.constant('edges', 'f32', [2], [0, 1])]);
  const model = b.finish(
    b.op('Roll', 'roll', [bins, b.constant('by', 'i64', [1], [1]), b.constant('axes', 'i64', [1], [1])]),
  );
  assert.throws(() => writeOnnx(model), {
    code: 'ERR_FORMAT_UNSUPPORTED',
    message: /Bucketize \(first 'bins'\), Roll \(first 'roll'\)/,
  });
});

test('forms of an operation that ONNX does not have name the node', () => {
  const b = new Builder([4]);
  const rounded = b.finish(b.op('Round', 'away', [b.x], { mode: 'half_away_from_zero' }));
  assert.throws(() => writeOnnx(rounded), { code: 'ERR_FORMAT_UNSUPPORTED', node: 'away' });
  const nibbles = new Builder([4], 'i4');
  assert.throws(() => writeOnnx(nibbles.finish(nibbles.x)), { code: 'ERR_FORMAT_UNSUPPORTED', node: 'x' });
});
