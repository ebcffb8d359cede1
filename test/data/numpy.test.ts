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

/** Bytes of an .npy file with this header and data. */
function npy(header: string, data: Uint8Array): Uint8Array {
  const text = `${header.padEnd(117)}\n`;
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode('NUMPY'),
    1,
    0,
    118,
    0,
    ...new TextEncoder().encode(text),
    ...data,
  ]);
}

test('a file is read in parts, whatever the order in which its samples are asked for', async () => {
  // Three samples of 400,000 bytes make a part.
  const width = 100_000;
  const wide: InputInfo = { name: 'wide', type: 'f32', shape: [1, width] };
  const values = tensor(
    'f32',
    [8, width],
    Float32Array.from({ length: 8 * width }, (_, i) => i),
  );
  const data = await openNumpy(file('wide.npy', writeNpy(values)), [wide]);
  assert.equal(data.length, 8);
  for (const i of [7, 0, 1, 2, 6, 3, 3, 5, 4]) {
    const { shape, data: got } = (await data.at!(i)).inputs.wide!;
    assert.deepEqual(shape, [1, width]);
    assert.deepEqual(got, values.data.subarray(i * width, (i + 1) * width));
  }
  const beside = await Promise.all([6, 1, 4].map((i) => data.at!(i)));
  assert.deepEqual(
    beside.map((s) => s.inputs.wide!.data[0]),
    [6 * width, width, 4 * width],
  );
});

test('data in another order of bytes or axes is that of its samples', async () => {
  const big = new Uint8Array(24);
  const view = new DataView(big.buffer);
  for (let i = 0; i < 6; i++) view.setFloat32(4 * i, i + 1);
  const swapped = npy("{'descr': '>f4', 'fortran_order': False, 'shape': (3, 2), }", big);
  const columns = new Uint8Array(Float32Array.of(1, 3, 5, 2, 4, 6).buffer);
  const fortran = npy("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", columns);
  for (const [name, content] of Object.entries({ swapped, fortran })) {
    const samples = await all(await openNumpy(file(`${name}.npy`, content), [a]));
    assert.deepEqual(
      samples.map((s) => [...s.inputs.a!.data]),
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      name,
    );
  }
});

test('a file that is too short, or becomes so, is refused with its name', async () => {
  const bytes = writeNpy(first);
  const short = file('short.npy', bytes.subarray(0, bytes.length - 1));
  await assert.rejects(openNumpy(short, [a]), (error: LowpError) => {
    assert.equal(error.code, 'ERR_DATA_FORMAT');
    return /short\.npy is too short: shape \[3,2\] of f32 takes 24 bytes, 23 are there/.test(error.message);
  });
  const path = file('cut.npy', bytes);
  const data = await openNumpy(path, [a]);
  writeFileSync(path, bytes.subarray(0, bytes.length - 8));
  await assert.rejects(all(data), code('ERR_IO_READ'));
  const gone = file('gone.npy', bytes);
  const later = await openNumpy(gone, [a]);
  rmSync(gone);
  await assert.rejects(all(later), code('ERR_IO_NOT_FOUND'));
});
