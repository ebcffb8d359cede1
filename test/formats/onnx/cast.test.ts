import assert from 'node:assert/strict';
import test from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { onnxTypeOf } from '../../../lib/formats/onnx/data-types.ts';
import { ModelProtoSchema } from '../../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import type { Model } from '../../../lib/graph/model.ts';
import { convert } from '../../../lib/tensor/convert.ts';
import { allocate, type ElementType } from '../../../lib/tensor/element-type.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { evaluate, ModelBuilder, typesOf } from '../../support/model-builder.ts';
import { node, onnxBytes } from '../../support/onnx.ts';

const whole: readonly ElementType[] = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64'];

/** Numbers of a type beside the limits of all types up to 32 bits. */
function samples(type: ElementType): Tensor {
  const edges = [0, 7, 8, 15, 16, 31, 32].flatMap((bits) => [2 ** bits - 1, 2 ** bits, -(2 ** bits), -(2 ** bits) - 1]);
  const t = tensor('f64', [edges.length], edges);
  return convert(t, type);
}

/** What ONNX means: the lowest bits, by the typed arrays of JavaScript. */
function wrapped(t: Tensor, type: ElementType): Tensor {
  const data = allocate(type, t.data.length);
  const isWide = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (let i = 0; i < data.length; i++)
    data[i] = isWide ? BigInt(t.data[i]!) : Number(BigInt.asIntN(32, BigInt(t.data[i]!)));
  return { type, shape: t.shape, data };
}

function castModel(from: ElementType, to: ElementType, count: number): Uint8Array {
  const nodes = [node('Cast', ['x'], ['y'], { to: BigInt(onnxTypeOf(to)) })];
  return onnxBytes({ inputs: { x: [from, [count]] }, nodes, outputs: ['y'] });
}

function convertModel(from: ElementType, to: ElementType, count: number): Model {
  const b = new ModelBuilder();
  const y = b.op('Convert', [b.parameter('x', [count], from)], { destination_type: to });
  y.names = ['y'];
  b.result(y);
  return b.model;
}

function onnxTypes(model: Model): string[] {
  return fromBinary(ModelProtoSchema, writeOnnx(model)).graph!.node.map((n) => n.opType);
}

for (const from of whole) {
  test(`a Cast from ${from} keeps the lowest bits`, async () => {
    for (const to of whole) {
      // Numbers of 64 bits saturate to 32, and negative ones to u64.
      const isKnown = (/64/.test(from) && /32/.test(to)) || (from.startsWith('i') && to === 'u64');
      if (from === to || isKnown) continue;
      const x = samples(from);
      const { y } = await evaluate(readOnnx(castModel(from, to, x.data.length)), { x });
      assert.deepEqual(y, wrapped(x, to), `${from} to ${to}`);
    }
  });

  test(`a Convert from ${from} saturates when it is written and read again`, async () => {
    for (const to of whole) {
      const x = samples(from);
      const model = convertModel(from, to, x.data.length);
      const expected = await evaluate(model, { x });
      const once = readOnnx(writeOnnx(model));
      assert.deepEqual(await evaluate(once, { x }), expected, `${from} to ${to}`);
      const twice = readOnnx(writeOnnx(once));
      assert.deepEqual(typesOf(twice), typesOf(once), 'nothing is added the second time');
    }
  });
}

test('a Convert that cannot leave the range of its type is a Cast alone', () => {
  assert.deepEqual(onnxTypes(convertModel('u8', 'i16', 2)), ['Cast']);
  assert.deepEqual(onnxTypes(convertModel('i32', 'f32', 2)), ['Cast']);
  assert.deepEqual(onnxTypes(convertModel('boolean', 'u8', 2)), ['Cast']);
  assert.deepEqual(onnxTypes(convertModel('i32', 'u8', 2)), ['Clip', 'Cast']);
  assert.deepEqual(onnxTypes(convertModel('i16', 'u8', 2)), ['Cast', 'Clip', 'Cast']);
  assert.deepEqual(onnxTypes(convertModel('f32', 'u8', 2)), ['Clip', 'Cast']);
});

test('a Convert of floats to bytes saturates when it is written and read again', async () => {
  const x = tensor('f32', [5], [-3, 0.9, 255.5, 300, 1e9]);
  const y = tensor('u8', [5], [0, 0, 255, 255, 255]);
  assert.deepEqual(await evaluate(readOnnx(writeOnnx(convertModel('f32', 'u8', 5))), { x }), { y });
});
