import assert from 'node:assert/strict';
import test from 'node:test';
import { toBinary } from '@bufbuild/protobuf';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { ModelProtoSchema } from '../../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { inputName, type Model, outputName } from '../../../lib/graph/model.ts';
import { printModel } from '../../../lib/graph/print.ts';
import { verify } from '../../../lib/graph/verify.ts';
import { convert, toFloat64 } from '../../../lib/tensor/convert.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { node, onnxBytes, onnxProto } from '../../support/onnx.ts';

const f32 = (shape: readonly number[], values: readonly number[]) => tensor('f32', shape, values);
const ints = (...values: number[]) => tensor('i64', [values.length], values);

async function run(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, number[]>> {
  await using executable = await referenceEngine.compile(model);
  const { outputs } = await executable.run(feeds);
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, Array.from(toFloat64(value))]));
}

function typesOf(model: Model): string[] {
  return model.nodes().map((n) => n.type);
}

const convolution = {
  inputs: { image: ['f32', [-1, 1, 4, 4]] },
  initializers: { w: f32([2, 1, 3, 3], new Array<number>(18).fill(0.5)), b: f32([2], [1, 2]) },
  nodes: [
    node('Conv', ['image', 'w', 'b'], ['c'], { pads: [1n, 1n, 1n, 1n] }, 'conv1'),
    node('Relu', ['c'], ['r']),
    node('Identity', ['r'], ['out']),
  ],
  outputs: ['out'],
} as const;

test('names, symbolic dimensions and the bias of a convolution', () => {
  const model = readOnnx(onnxBytes(convolution), { path: 'folder/net.onnx' });
  verify(model);
  assert.equal(model.name, 'test');
  assert.equal(model.path, 'folder/net.onnx');
  assert.deepEqual(model.parameters().map(inputName), ['image']);
  assert.deepEqual(model.results().map(outputName), ['out']);
  assert.deepEqual(model.parameters()[0]!.output.fact.shape, [-1, 1, 4, 4]);
  assert.deepEqual(model.node('r').output.names, ['r', 'out']);
  assert.equal(
    printModel(model),
    [
      'model test',
      '  image = Parameter() {element_type="f32" shape=[-1,1,4,4]} : f32[?,1,4,4]',
      '  w = Constant() : f32[2,1,3,3]',
      '  conv1/WithoutBiases = Convolution(image, w) {strides=[1,1] dilations=[1,1] pads_begin=[1,1] pads_end=[1,1] auto_pad="explicit"} : f32[?,2,4,4]',
      '  conv1/bias = Constant() : f32[1,2,1,1] = 1,2',
      '  conv1 = Add(conv1/WithoutBiases, conv1/bias) {auto_broadcast="numpy"} : f32[?,2,4,4]',
      '  r = ReLU(conv1) : f32[?,2,4,4]',
      '  out/result = Result(r) : f32[?,2,4,4]',
      '',
    ].join('\n'),
  );
});

test('constants are views of the file where they are aligned, and copies else', () => {
  const bytes = onnxBytes(convolution);
  for (const shift of [0, 1, 2, 3]) {
    const moved = new Uint8Array(bytes.length + shift).subarray(shift);
    moved.set(bytes);
    const { data } = readOnnx(moved).node('w').output.fact.value!;
    assert.deepEqual(Array.from(data, Number), new Array<number>(18).fill(0.5));
    const start = Buffer.from(moved).indexOf(Buffer.from(Float32Array.of(0.5, 0.5).buffer));
    assert.equal(data.buffer === moved.buffer, (start + shift) % 4 === 0);
  }
});

test('initializers that are listed as inputs stay constants', () => {
  const proto = onnxProto(convolution);
  proto.graph!.input.push({ ...proto.graph!.input[0]!, name: 'w' });
  const model = readOnnx(toBinary(ModelProtoSchema, proto));
  assert.deepEqual(model.parameters().map(inputName), ['image']);
});

test('float16 models compute in f32 and keep large weights as float16', () => {
  const half = (t: Tensor) => convert(t, 'f16');
  const model = readOnnx(
    onnxBytes({
      inputs: { x: ['f16', [1, 2]] },
      initializers: { w: half(f32([2, 2], [1, 2, 3, 4])), b: half(f32([2], [0.5, 0.25])) },
      nodes: [
        node('MatMul', ['x', 'w'], ['m']),
        node('Add', ['m', 'b'], ['s']),
        node('Cast', ['s'], ['y'], { to: 10n }),
      ],
      outputs: ['y'],
    }),
  );
  assert.equal(model.parameters()[0]!.output.fact.type, 'f32');
  const decompression = model.node('w');
  assert.equal(decompression.type, 'Convert');
  assert.deepEqual(decompression.notes.rtInfo, [{ name: 'decompression', version: '0' }]);
  assert.equal(decompression.source(0)?.fact.type, 'f16');
  assert.equal(model.node('b').output.fact.type, 'f32');
  assert.ok(!typesOf(model).slice(-2).includes('Convert'), 'a cast to float16 is nothing');
});

test('Gemm scales and transposes', async () => {
  const model = readOnnx(
    onnxBytes({
      inputs: { x: ['f32', [2, 1]] },
      initializers: { w: f32([3, 2], [1, 2, 3, 4, 5, 6]), c: f32([3], [10, 20, 30]) },
      nodes: [node('Gemm', ['x', 'w', 'c'], ['y'], { alpha: 2, beta: 0.5, transA: 1n, transB: 1n }, 'fc')],
      outputs: ['y'],
    }),
  );
  const outputs = await run(model, { x: f32([2, 1], [1, -1]) });
  assert.deepEqual(outputs.y, [2 * (1 - 2) + 5, 2 * (3 - 4) + 10, 2 * (5 - 6) + 15]);
  assert.deepEqual(
    model
      .nodes()
      .filter((n) => n.type === 'MatMul' || n.type === 'Add')
      .map((n) => n.name),
    ['fc/WithoutBiases', 'fc'],
  );
  assert.ok(!typesOf(model).includes('Multiply'), 'factors disappear into constants');
});

test('Softmax normalises whole rows before opset 13 and one axis since', async () => {
  const spec = {
    inputs: { x: ['f32', [1, 2, 2]] },
    nodes: [node('Softmax', ['x'], ['y'], { axis: 1n })],
    outputs: ['y'],
  } as const;
  const feeds = { x: f32([1, 2, 2], [0, 0, 0, 0]) };
  assert.deepEqual((await run(readOnnx(onnxBytes({ ...spec, opset: 12 })), feeds)).y, [0.25, 0.25, 0.25, 0.25]);
  assert.deepEqual((await run(readOnnx(onnxBytes({ ...spec, opset: 13 })), feeds)).y, [0.5, 0.5, 0.5, 0.5]);
});

test('Clip with attributes, with inputs and without limits', async () => {
  const x = f32([3], [-5, 0.5, 9]);
  const clip = (opset: number, attributes: Parameters<typeof node>[3], inputs: string[]) =>
    readOnnx(
      onnxBytes({
        opset,
        inputs: { x: ['f32', [3]] },
        initializers: { low: f32([], [0]), high: f32([], [6]) },
        nodes: [node('Clip', ['x', ...inputs], ['y'], attributes)],
        outputs: ['y'],
      }),
    );
  assert.deepEqual((await run(clip(7, { min: 0, max: 6 }, []), { x })).y, [0, 0.5, 6]);
  assert.deepEqual((await run(clip(11, {}, ['low', 'high']), { x })).y, [0, 0.5, 6]);
  assert.deepEqual((await run(clip(13, {}, ['', 'high']), { x })).y, [-5, 0.5, 6]);
  assert.deepEqual((await run(clip(13, {}, []), { x })).y, [-5, 0.5, 9]);
  assert.deepEqual((await run(clip(13, {}, ['high', 'low']), { x })).y, [0, 0, 0]);
});

test('a slope of PRelu lies on the last axes, and on the channels where it fits those only', async () => {
  const slope = async (shape: readonly number[], slopes: Tensor): Promise<number[]> => {
    const nodes = [node('PRelu', ['x', 's'], ['y'])];
    const bytes = onnxBytes({ inputs: { x: ['f32', shape] }, initializers: { s: slopes }, nodes, outputs: ['y'] });
    const count = shape.reduce((a, b) => a * b);
    return (await run(readOnnx(bytes), { x: tensor('f32', shape, new Float32Array(count).fill(-1)) })).y!;
  };
  const two = tensor('f32', [2], [1, 2]);
  assert.deepEqual(await slope([1, 2, 2], two), [-1, -2, -1, -2]);
  assert.deepEqual(await slope([1, 2, 3], two), [-1, -1, -1, -2, -2, -2]);
  await assert.rejects(slope([1, 3, 3], two), { code: 'ERR_SHAPE_MISMATCH' });
});

test('a chain of shape arithmetic becomes a constant', () => {
  const model = readOnnx(
    onnxBytes({
      inputs: { x: ['f32', [2, 3, 4]] },
      initializers: { zero: ints(0), minus: ints(-1) },
      nodes: [
        node('Shape', ['x'], ['s']),
        node('Gather', ['s', 'zero'], ['g'], { axis: 0n }),
        node('Concat', ['g', 'minus'], ['t'], { axis: 0n }),
        node('Reshape', ['x', 't'], ['y']),
      ],
      outputs: ['y'],
    }),
  );
  assert.deepEqual(typesOf(model), ['Parameter', 'Constant', 'Reshape', 'Result']);
  assert.deepEqual(model.results()[0]!.output.fact.shape, [2, 12]);
});

test('QuantizeLinear and DequantizeLinear of an activation become one FakeQuantize for all readers', () => {
  const model = readOnnx(
    onnxBytes({
      inputs: { x: ['f32', [1, 2]] },
      initializers: { s: f32([], [0.5]), z: tensor('u8', [], [10]) },
      nodes: [
        node('QuantizeLinear', ['x', 's', 'z'], ['q']),
        node('DequantizeLinear', ['q', 's', 'z'], ['d1']),
        node('DequantizeLinear', ['q', 's', 'z'], ['d2']),
        node('Add', ['d1', 'd2'], ['y']),
      ],
      outputs: ['y'],
    }),
  );
  const quantizers = model.nodes().filter((n) => n.type === 'FakeQuantize');
  assert.equal(quantizers.length, 1);
  const limits = [1, 2, 3, 4].map((i) => toFloat64(quantizers[0]!.source(i)!.fact.value!)[0]);
  assert.deepEqual(limits, [-5, 122.5, -5, 122.5]);
  assert.equal(quantizers[0]!.attributes.levels, 256);
  assert.ok(!typesOf(model).includes('Convert'));
});

test('integers between QuantizeLinear and DequantizeLinear stay integers', async () => {
  const model = readOnnx(
    onnxBytes({
      inputs: { x: ['f32', [1, 1, 2, 2]] },
      initializers: { s: f32([], [0.5]), z: tensor('u8', [], [10]) },
      nodes: [
        node('QuantizeLinear', ['x', 's', 'z'], ['q']),
        node('MaxPool', ['q'], ['p'], { kernel_shape: [2n, 2n] }),
        node('DequantizeLinear', ['p', 's', 'z'], ['y']),
      ],
      outputs: ['q', 'y'],
    }),
  );
  const outputs = await run(model, { x: f32([1, 1, 2, 2], [-100, 0.6, 3.1, 2]) });
  assert.deepEqual(outputs, { q: [0, 11, 16, 14], y: [3] });
});

test('quantized weights stay integers behind Convert, a quantized bias becomes f32', () => {
  const model = readOnnx(
    onnxBytes({
      inputs: { x: ['f32', [1, 1, 3, 3]] },
      initializers: {
        w: tensor('i8', [2, 1, 1, 1], [-3, 7]),
        ws: f32([2], [0.1, 0.2]),
        b: tensor('i32', [2], [100, -100]),
        bs: f32([2], [0.25, 0.5]),
      },
      nodes: [
        node('DequantizeLinear', ['w', 'ws'], ['wd'], { axis: 0n }),
        node('DequantizeLinear', ['b', 'bs'], ['bd'], { axis: 0n }),
        node('Conv', ['x', 'wd', 'bd'], ['y']),
      ],
      outputs: ['y'],
    }),
  );
  assert.deepEqual(
    typesOf(model).filter((t) => t !== 'Constant'),
    ['Parameter', 'Convert', 'Multiply', 'Convolution', 'Add', 'Result'],
  );
  assert.equal(model.node('w').output.fact.type, 'i8');
  const bias = model
    .nodes()
    .find((n) => n.type === 'Add')!
    .source(1)!.fact;
  assert.deepEqual(toFloat64(bias.value!), Float64Array.of(25, -50));
});

test('names that are special in JavaScript or in text are ordinary names', async () => {
  const names = ['__proto__', 'constructor', '<script>', '\u0001', '😀', 'a'.repeat(100_000)];
  const model = readOnnx(
    onnxBytes({
      inputs: { x: ['f32', [1]] },
      nodes: names.map((name, i) => node('Neg', [i === 0 ? 'x' : names[i - 1]!], [name], {}, name)),
      outputs: [names.at(-1)!],
    }),
  );
  verify(model);
  for (const name of names) assert.equal(model.node(name).type, 'Negative');
  assert.deepEqual(Object.values(await run(model, { x: f32([1], [3]) })), [[3]]);
});

test('a chain of 100,000 nodes is read without recursion', () => {
  const count = 100_000;
  const nodes = Array.from({ length: count }, (_, i) => node('Neg', [`v${i}`], [`v${i + 1}`]));
  const model = readOnnx(onnxBytes({ inputs: { v0: ['f32', [1]] }, nodes, outputs: [`v${count}`] }));
  assert.equal(model.nodes().length, count + 2);
});

test('metadata and the producer are kept', () => {
  const proto = onnxProto(convolution);
  proto.producerName = 'trainer';
  proto.metadataProps.push({ $typeName: 'onnx.StringStringEntryProto', key: 'classes', value: 'a,b' });
  const { meta } = readOnnx(toBinary(ModelProtoSchema, proto));
  assert.deepEqual(
    meta[0]?.children.map((c) => c.attributes),
    [
      { name: 'producer_name', value: 'trainer' },
      { name: 'classes', value: 'a,b' },
    ],
  );
});
