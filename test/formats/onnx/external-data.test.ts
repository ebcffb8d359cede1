import assert from 'node:assert/strict';
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { toBinary } from '@bufbuild/protobuf';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import { ModelProtoSchema } from '../../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { openModel } from '../../../lib/formats/open.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { node, onnxProto } from '../../support/onnx.ts';

/** A folder with `model/`, `model/data.bin` (f32 0 … 9) and `secret.bin` beside `model`. */
function folder(t: test.TestContext): { root: string; model: string } {
  const root = mkdtempSync(path.join(os.tmpdir(), 'lowp-onnx-'));
  t.after(() => rmSync(root, { recursive: true }));
  const model = path.join(root, 'model');
  mkdirSync(path.join(model, 'parts'), { recursive: true });
  const bytes = Buffer.from(Float32Array.from({ length: 10 }, (_, i) => i).buffer);
  writeFileSync(path.join(model, 'data.bin'), bytes);
  writeFileSync(path.join(model, 'parts', 'more.bin'), bytes);
  writeFileSync(path.join(root, 'secret.bin'), bytes);
  return { root, model };
}

/** A model whose constant of 4 floats is described by `entries`. */
function modelWith(entries: Readonly<Record<string, string>>): Uint8Array {
  const proto = onnxProto({
    inputs: { x: ['f32', [4]] },
    initializers: { w: tensor('f32', [4], [0, 0, 0, 0]) },
    nodes: [node('Add', ['x', 'w'], ['y'])],
    outputs: ['y'],
  });
  const w = proto.graph!.initializer[0]!;
  w.rawData = new Uint8Array(0);
  w.dataLocation = 1;
  for (const [key, value] of Object.entries(entries)) {
    w.externalData.push({ $typeName: 'onnx.StringStringEntryProto', key, value });
  }
  return toBinary(ModelProtoSchema, proto);
}

function read(model: string, entries: Readonly<Record<string, string>>): number[] {
  const graph = readOnnx(modelWith(entries), { path: path.join(model, 'net.onnx') });
  return Array.from(graph.node('w').output.fact.value!.data, Number);
}

function refuses(model: string, entries: Readonly<Record<string, string>>, pattern: RegExp): void {
  assert.throws(
    () => read(model, entries),
    (error: unknown) => {
      assert.ok(error instanceof LowpError, String(error));
      assert.equal(error.code, 'ERR_ONNX_EXTERNAL_DATA', error.message);
      assert.match(error.message, pattern);
      return true;
    },
  );
}

test('reads the named part of a file in the model folder', (t) => {
  const { model } = folder(t);
  assert.deepEqual(read(model, { location: 'data.bin' }), [0, 1, 2, 3]);
  assert.deepEqual(read(model, { location: 'data.bin', offset: '8', length: '16' }), [2, 3, 4, 5]);
  assert.deepEqual(read(model, { location: 'parts/more.bin', offset: '24' }), [6, 7, 8, 9]);
  assert.deepEqual(read(model, { location: './data.bin', offset: '4' }), [1, 2, 3, 4]);
});

test('refuses locations that leave the model folder', (t) => {
  const { root, model } = folder(t);
  for (const location of ['../secret.bin', 'parts/../../secret.bin', '..']) {
    refuses(model, { location }, /leaves the folder/);
  }
  for (const location of [path.join(root, 'secret.bin'), 'C:\\secret.bin', '\\\\server\\share', 'file:///etc/passwd']) {
    refuses(model, { location }, /not a relative path/);
  }
  refuses(model, { location: '' }, /not a path/);
  refuses(model, { location: 'data.bin\0.txt' }, /not a path/);
  refuses(model, { location: 'absent.bin' }, /cannot be read/);
  refuses(model, { location: '.' }, /outside the folder/);
  refuses(model, { location: 'parts' }, /not a regular file/);
});

test('refuses links that lead outside', (t) => {
  const { root, model } = folder(t);
  symlinkSync(path.join(root, 'secret.bin'), path.join(model, 'link.bin'));
  symlinkSync(root, path.join(model, 'up'));
  symlinkSync('data.bin', path.join(model, 'inner.bin'));
  linkSync(path.join(root, 'secret.bin'), path.join(model, 'hard.bin'));
  refuses(model, { location: 'link.bin' }, /outside the folder/);
  refuses(model, { location: 'up/secret.bin' }, /outside the folder/);
  refuses(model, { location: 'hard.bin' }, /hard link/);
  assert.deepEqual(read(model, { location: 'inner.bin' }), [0, 1, 2, 3]);
});

test('refuses numbers that are not decimal or lie outside the file, and unknown keys', (t) => {
  const { model } = folder(t);
  const location = 'data.bin';
  for (const offset of ['-4', '0x10', '1e3', ' 4', '', '99999999999999999999']) {
    refuses(model, { location, offset }, /offset is not a decimal number/);
  }
  refuses(model, { location, length: '12' }, /12 bytes, its shape and type need 16/);
  refuses(model, { location, length: '9007199254740993' }, /length is not a decimal number/);
  refuses(model, { location, offset: '28' }, /lie outside the file "data.bin" of 40 bytes/);
  refuses(model, { location, __class__: 'x' }, /"__class__" is not known/);
  assert.throws(() => readOnnx(modelWith({ location })), /given as bytes/);
});

test('large external data stay in their file until they are used', async (t) => {
  const { model } = folder(t);
  const [count, size] = [40, 3072];
  const length = size * size * 4;
  const names = Array.from({ length: count }, (_, i) => `w${i}`);
  const proto = onnxProto({
    inputs: { x: ['f32', [1, size]] },
    initializers: Object.fromEntries(names.map((name) => [name, tensor('f32', [1], [0])])),
    nodes: names.map((name, i) => node('MatMul', [i === 0 ? 'x' : `y${i - 1}`, name], [`y${i}`])),
    outputs: [`y${count - 1}`],
  });
  for (const [i, w] of proto.graph!.initializer.entries()) {
    w.rawData = new Uint8Array(0);
    w.dims = [BigInt(size), BigInt(size)];
    w.dataLocation = 1;
    const entries = { location: 'large.bin', offset: String(i * length), length: String(length) };
    for (const [key, value] of Object.entries(entries)) {
      w.externalData.push({ $typeName: 'onnx.StringStringEntryProto', key, value });
    }
  }
  // A file of 1.5 GB with a hole of all but its last number, which takes no room on the disk.
  const handle = openSync(path.join(model, 'large.bin'), 'w');
  writeSync(handle, Buffer.from(Float32Array.of(7).buffer), 0, 4, count * length - 4);
  closeSync(handle);
  writeFileSync(path.join(model, 'net.onnx'), toBinary(ModelProtoSchema, proto));
  const before = process.memoryUsage().rss;
  const net = await openModel(path.join(model, 'net.onnx'));
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  assert.ok(grown < 300, `opening took ${grown.toFixed(0)} MB`);
  const last = net.node(`w${count - 1}`).output.fact.value!;
  assert.equal(last.data.length, size * size);
  assert.equal(last.data[size * size - 1], 7);
});
