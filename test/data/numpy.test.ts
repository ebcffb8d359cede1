import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { zipSync } from 'fflate';
import type { InputInfo, Sample } from '../../lib/data/dataset.ts';
import { fromArrays, openNumpy } from '../../lib/data/numpy.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { writeNpy } from '../../lib/tensor/npy.ts';
import { tensor, zeros } from '../../lib/tensor/tensor.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'lowp-numpy-'));
after(() => rmSync(folder, { recursive: true }));

const a: InputInfo = { name: 'a', type: 'f32', shape: [1, 2] };
const b: InputInfo = { name: 'b', type: 'i64', shape: [1] };
const first = tensor('f32', [3, 2], [1, 2, 3, 4, 5, 6]);
const second = tensor('i64', [3], [7, 8, 9]);
const file = (name: string, content: Uint8Array): string => {
  writeFileSync(path.join(folder, name), content);
  return path.join(folder, name);
};
const code = (wanted: string) => (error: unknown) => error instanceof LowpError && error.code === wanted;

async function all(data: AsyncIterable<Sample>): Promise<Sample[]> {
  const list: Sample[] = [];
  for await (const sample of data) list.push(sample);
  return list;
}

test('the first axis counts samples, which come with a batch of one, again and again', async () => {
  const data = await openNumpy(file('a.npy', writeNpy(first)), [a]);
  assert.equal(data.length, 3);
  const samples = await all(data);
  assert.deepEqual(samples[1]!.inputs.a, { type: 'f32', shape: [1, 2], data: Float32Array.of(3, 4) });
  assert.match(samples[1]!.id, /a\.npy\[1\]$/);
  assert.deepEqual(await all(data), samples);
});

test('several inputs come from named files or from one archive', async () => {
  const [x, y] = [file('x.npy', writeNpy(first)), file('y.npy', writeNpy(second))];
  const archive = file('z.npz', zipSync({ 'a.npy': writeNpy(first), 'b.npy': writeNpy(second) }));
  const named = await all(await openNumpy(`b=${y},a=${x}`, [a, b]));
  const packed = await all(await openNumpy(archive, [a, b]));
  assert.deepEqual(
    named.map((s) => s.inputs),
    packed.map((s) => s.inputs),
  );
  assert.deepEqual(named[2]!.inputs.b!.data, BigInt64Array.of(9n));
});

test('arrays that do not fit the inputs are refused', async () => {
  await assert.rejects(openNumpy(file('x.npy', writeNpy(first)), [a, b]), code('ERR_DATA_INPUT'));
  const arrays = (entries: Record<string, typeof first>) => () =>
    fromArrays('data', new Map(Object.entries(entries)), [a, b]);
  assert.throws(arrays({ a: first }), code('ERR_DATA_INPUT'));
  assert.throws(arrays({ a: first, b: second, c: first }), code('ERR_DATA_INPUT'));
  assert.throws(arrays({ a: first, b: zeros('i64', [4]) }), code('ERR_DATA_SHAPE'));
  assert.throws(arrays({ a: first, b: zeros('i64', []) }), code('ERR_DATA_SHAPE'));
  assert.throws(arrays({ a: zeros('f32', [0, 2]), b: zeros('i64', [0]) }), code('ERR_DATA_EMPTY'));
});
