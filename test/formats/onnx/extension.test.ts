import assert from 'node:assert/strict';
import test from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import * as z from 'zod';
import { readIr } from '../../../lib/formats/ir/read.ts';
import { writeIr } from '../../../lib/formats/ir/write.ts';
import { ModelProtoSchema, type NodeProto } from '../../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import { attribute, defineOp, registerOp, type Tensor, tensor } from '../../../lib/index.ts';
import { toFloat64 } from '../../../lib/tensor/convert.ts';
import { evaluate } from '../../support/model-builder.ts';
import { bodyProto, node, onnxBytes } from '../../support/onnx.ts';

/** `scale · x + steps + Σ offsets` of each element, in two copies; `offsets` may be absent. */
function define(opset: string, factor: number): void {
  registerOp(
    defineOp({
      type: 'Shifted',
      opset,
      attributes: z.object({
        scale: attribute.float,
        steps: attribute.int.default(0),
        offsets: attribute.floatList.default([]),
        label: z.string().default(''),
        table: z.custom<Tensor>().optional(),
        places: attribute.intList.default([]),
      }),
      inputs: [1, 2],
      infer: (_, [x]) => [x, x].map((f) => ({ type: f!.type, shape: f!.shape })),
      evaluate: (a, [x, more]) => {
        const shift = a.steps + a.offsets.reduce((s, v) => s + v, 0) + (more ? Number(more.data[0]) : 0);
        const values = Array.from(toFloat64(x!), (v) => factor * (a.scale * v + shift));
        return [tensor('f32', x!.shape, values), tensor('f32', x!.shape, values)];
      },
    }),
  );
}

define('extension', 1);
define('com.example.tens', 10);

type Attributes = NonNullable<Parameters<typeof node>[3]>;

const all: Attributes = {
  scale: 2,
  steps: 3n,
  offsets: [0.5, 1],
  label: 'here',
  table: tensor('f32', [2], [7, 8]),
  places: [4n, 5n],
};

function foreign(domain: string, attributes: Attributes = all, inputs = ['x'], opType = 'Shifted'): NodeProto {
  return Object.assign(node(opType, inputs, ['y', 'z'], attributes, 'own'), { domain });
}

function bytes(own: NodeProto): Uint8Array {
  return onnxBytes({
    inputs: { x: ['f32', [2]] },
    initializers: { three: tensor('f32', [1], [3]) },
    nodes: [own, node('Relu', ['y'], ['r'])],
    outputs: ['r', 'z'],
  });
}

const x = tensor('f32', [2], [1, -9]);

test('a node of another domain is the operation that was registered for it', async () => {
  const outputs = await evaluate(readOnnx(bytes(foreign('com.example'))), { x });
  assert.deepEqual(outputs, { r: tensor('f32', [2], [6.5, 0]), z: tensor('f32', [2], [6.5, -13.5]) });
  const own = await evaluate(readOnnx(bytes(foreign('com.example.tens'))), { x });
  assert.deepEqual(own.z, tensor('f32', [2], [65, -135]));
  const two = await evaluate(readOnnx(bytes(foreign('com.example', { scale: 1 }, ['x', 'three']))), { x });
  assert.deepEqual(two.z, tensor('f32', [2], [4, -6]));
});

test('it is written with the domain, the attributes and their kinds that were read', async () => {
  for (const domain of ['com.example', 'com.example.tens']) {
    const model = readOnnx(bytes(foreign(domain)));
    const proto = fromBinary(ModelProtoSchema, writeOnnx(model));
    assert.deepEqual(
      proto.opsetImport.map((o) => o.domain),
      ['', domain],
    );
    const written = proto.graph!.node.find((n) => n.opType === 'Shifted')!;
    const kinds = (list: NodeProto['attribute']) =>
      list.map((a) => [a.name, a.type, a.i, a.f, a.ints, a.floats]).sort();
    assert.deepEqual(kinds(written.attribute), kinds(foreign(domain).attribute));
    const again = readOnnx(writeOnnx(model));
    assert.deepEqual(await evaluate(again, { x }), await evaluate(model, { x }));
  }
});

test('it passes through an IR', async () => {
  const model = readOnnx(bytes(foreign('com.example', { scale: 2, steps: 3n })));
  const { xml, bin } = writeIr(model);
  assert.match(xml, /type="Shifted" version="extension"/);
  const again = readIr(xml, bin);
  assert.deepEqual(await evaluate(again, { x }), await evaluate(model, { x }));
  const proto = fromBinary(ModelProtoSchema, writeOnnx(again));
  assert.equal(proto.graph!.node[0]!.domain, 'extension');
});

test('a domain does not lead to the operations of lowp, and what is unknown is refused with advice', () => {
  const refuses = (own: NodeProto, code: string, message: RegExp, help?: RegExp) =>
    assert.throws(
      () => readOnnx(bytes(own)),
      (error: Error & { code?: string; help?: string }) => {
        assert.equal(error.code, code);
        assert.match(error.message, message);
        if (help) assert.match(error.help ?? '', help);
        return true;
      },
    );
  refuses(foreign('com.example', {}, ['x'], 'ReLU'), 'ERR_ONNX_UNSUPPORTED', /com\.example::ReLU/, /registerOp/);
  refuses(foreign('', all), 'ERR_ONNX_UNSUPPORTED', /Shifted/);
  refuses(foreign('com.example', { scale: 'wide' }), 'ERR_OP_ATTRIBUTE', /'own': attribute 'scale' = "wide"/);
  const body = bodyProto({ nodes: [node('Relu', ['x'], ['b'])], outputs: { b: ['f32', [2]] } });
  refuses(foreign('com.example', { scale: 1, body }), 'ERR_OP_ATTRIBUTE', /'body' has kind 5/);
});
