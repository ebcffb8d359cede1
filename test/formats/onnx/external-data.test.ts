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
import { compile } from '../../../lib/engines/session.ts';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import { ModelProtoSchema } from '../../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { openModel } from '../../../lib/formats/open.ts';
import { removeDead, removeNode } from '../../../lib/graph/edit.ts';
import { inputName, outputName } from '../../../lib/graph/model.ts';
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

/** A model beside 6 GB of weights: a chain of products, and a sum with the four last numbers of the file. */
function largeModel(model: string): string {
  const [count, size] = [10, 12_288];
  const length = size * size * 4;
  const names = Array.from({ length: count }, (_, i) => `w${i}`);
  const proto = onnxProto({
    inputs: { x: ['f32', [1, size]], small: ['f32', [4]] },
    initializers: Object.fromEntries([...names, 'last'].map((name) => [name, tensor('f32', [1], [0])])),
    nodes: [
      ...names.map((name, i) => node('MatMul', [i === 0 ? 'x' : `y${i - 1}`, name], [`y${i}`])),
      node('Add', ['small', 'last'], ['sum']),
    ],
    outputs: [`y${count - 1}`, 'sum'],
  });
  for (const [i, w] of proto.graph!.initializer.entries()) {
    w.rawData = new Uint8Array(0);
    w.dims = w.name === 'last' ? [4n] : [BigInt(size), BigInt(size)];
    w.dataLocation = 1;
    const bytes = w.name === 'last' ? 16 : length;
    const entries = { location: 'large.bin', offset: String(i * length), length: String(bytes) };
    for (const [key, value] of Object.entries(entries)) {
      w.externalData.push({ $typeName: 'onnx.StringStringEntryProto', key, value });
    }
  }
  // A hole of all but the last numbers takes no room on the disk.
  const handle = openSync(path.join(model, 'large.bin'), 'w');
  writeSync(handle, Buffer.from(Float32Array.of(1, 2, 3, 4).buffer), 0, 16, count * length);
  closeSync(handle);
  const file = path.join(model, 'net.onnx');
  writeFileSync(file, toBinary(ModelProtoSchema, proto));
  return file;
}

test('6 GB of external data stay in their file until they are used', async (t) => {
  const file = largeModel(folder(t).model);
  const before = process.memoryUsage().rss;
  const grown = (): number => (process.memoryUsage().rss - before) / 2 ** 20;
  const net = await openModel(file);
  assert.ok(grown() < 300, `opening took ${grown().toFixed(0)} MB`);
  assert.deepEqual(net.node('w9').output.fact.shape, [12_288, 12_288]);
  removeNode(net, net.results().find((r) => outputName(r) !== 'sum')!);
  removeDead(net);
  removeNode(net, net.parameters().find((p) => inputName(p) === 'x')!);
  await using session = await compile(net);
  const { sum } = await session.infer({ small: tensor('f32', [4], [10, 20, 30, 40]) });
  assert.deepEqual(sum, tensor('f32', [4], [11, 22, 33, 44]));
  assert.ok(grown() < 300, `a run of the small part took ${grown().toFixed(0)} MB`);
});

test('a file of 2 GB is no ONNX message, and is refused without being read', async (t) => {
  const file = path.join(folder(t).model, 'net.onnx');
  const handle = openSync(file, 'w');
  writeSync(handle, modelWith({ location: 'data.bin' }));
  writeSync(handle, Buffer.of(0), 0, 1, 2 ** 31 - 1);
  closeSync(handle);
  const before = process.memoryUsage().rss;
  await assert.rejects(openModel(file), {
    code: 'ERR_LIMIT_SIZE',
    message: /2147483648 bytes; at most 2147483647/,
    path: file,
  });
  assert.ok(process.memoryUsage().rss - before < 2 ** 28);
});
