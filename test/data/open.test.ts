import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { openData } from '../../lib/data/open.ts';
import { randomTensor, syntheticData } from '../../lib/data/synthetic.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { writeNpy } from '../../lib/tensor/npy.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'lowp-open-'));
after(() => rmSync(folder, { recursive: true }));
const inputs = [{ name: 'x', type: 'f32', shape: [-1, 2] }] as const;
const write = (name: string, content: string | Uint8Array): string => {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
};
write('sub/x.npy', writeNpy(tensor('f32', [2, 2], [2, 4, 6, 8])));
write('sub/l.txt', '1\n0\n');
const code = (wanted: string) => (error: unknown) => error instanceof LowpError && error.code === wanted;

test('a dataset file names data and labels relative to itself', async () => {
  const file = write('set.yaml', 'data: sub/x.npy\nlabels: sub/l.txt\nmetrics: [accuracy@5]\nscale: 2\n');
  const opened = await openData(file, inputs);
  assert.deepEqual(await opened.labels(), Int32Array.of(1, 0));
  assert.deepEqual(opened.options.metrics, ['accuracy@5']);
  for await (const sample of opened.data) {
    assert.deepEqual(sample.inputs.x!.data, Float32Array.of(1, 2));
    break;
  }
});

test('options that are given win over the file', async () => {
  const file = write('set2.json', '{"data": "x=sub/x.npy", "scale": [2], "metrics": ["accuracy"]}');
  const opened = await openData(file, inputs, { scale: [4], metrics: undefined });
  assert.deepEqual(opened.options.scale, [4]);
  assert.deepEqual(opened.options.metrics, ['accuracy']);
  assert.equal(await opened.labels(), undefined);
});

test('dataset files are strict', async () => {
  for (const text of ['data: 3', 'data: sub/x.npy\nfoo: 1', '- a', '', 'data: sub/x.npy\ncolor: red', 'data: set.yaml'])
    await assert.rejects(openData(write('bad.yaml', text), inputs), code('ERR_CONFIG_INVALID'), text);
  await assert.rejects(openData(path.join(folder, 'none.yaml'), inputs), code('ERR_IO_NOT_FOUND'));
  await assert.rejects(openData(path.join(folder, 'sub', 'x.npy'), inputs, { scale: [0] }), code('ERR_CONFIG_INVALID'));
});

test('an alias bomb is refused', async () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++) lines.push(`a${i}: &a${i} [${new Array(9).fill(`*a${i - 1}`).join(', ')}]`);
  await assert.rejects(
    openData(write('bomb.yaml', `${lines.join('\n')}\ndata: *a8\n`), inputs),
    code('ERR_CONFIG_INVALID'),
  );
});

test('random data has a batch of one where it is free, and is the same for the same seed', async () => {
  for await (const sample of (await openData('random', inputs)).data) assert.deepEqual(sample.inputs.x!.shape, [1, 2]);
  assert.deepEqual(
    randomTensor({ name: 'x', type: 'f32', shape: [3] }, 5),
    randomTensor({ name: 'x', type: 'f32', shape: [3] }, 5),
  );
  const ids = randomTensor({ name: 'ids', type: 'i64', shape: [50] }, 1);
  assert.ok(Array.from(ids.data, Number).every((v) => v === 0 || v === 1));
  const free = syntheticData([{ name: 'x', type: 'f32', shape: [1, -1] }], 1);
  await assert.rejects(free[Symbol.asyncIterator]().next(), code('ERR_SHAPE_DYNAMIC'));
});
