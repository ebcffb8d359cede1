// Folders, globs and lists of array files: one sample a file, of any shape that the inputs take.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { zipSync } from 'fflate';
import type { InputInfo, Sample } from '../../lib/data/dataset.ts';
import { openData } from '../../lib/data/open.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { writeNpy } from '../../lib/tensor/npy.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'lowp-arrays-'));
after(() => rmSync(folder, { recursive: true }));

const x: InputInfo = { name: 'x', type: 'f32', shape: [-1, -1, 2] };
const n: InputInfo = { name: 'n', type: 'i64', shape: [1] };

const npy = (shape: number[], first = 1): Uint8Array => {
  const count = shape.reduce((a, b) => a * b, 1);
  return writeNpy(
    tensor(
      'f32',
      shape,
      Array.from({ length: count }, (_, i) => first + i),
    ),
  );
};
const one = writeNpy(tensor('i64', [1], [7]));

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

async function samplesOf(spec: string, inputs: readonly InputInfo[], options = {}): Promise<Sample[]> {
  const { data } = await openData(spec, inputs, options);
  const samples: Sample[] = [];
  for await (const sample of data) samples.push(sample);
  assert.equal(samples.length, data.length);
  assert.deepEqual((await data.at!(data.length - 1)).inputs, samples.at(-1)!.inputs);
  return samples;
}

const code = (wanted: string, message?: RegExp) => (error: unknown) =>
  error instanceof LowpError && error.code === wanted && (message?.test(error.message) ?? true);

write('npy/b.npy', npy([1, 3, 2], 10));
write('npy/a.npy', npy([2, 2])); // without the batch axis
write('npy/notes.md', 'no array');

test('every .npy of a folder is a sample, sorted by name, each of its own shape', async () => {
  const samples = await samplesOf(path.join(folder, 'npy'), [x], { scale: [2] });
  assert.deepEqual(
    samples.map((s) => [path.basename(s.id), s.inputs.x!.shape]),
    [
      ['a.npy', [1, 2, 2]],
      ['b.npy', [1, 3, 2]],
    ],
  );
  assert.deepEqual(samples[0]!.inputs.x!.data, Float32Array.of(0.5, 1, 1.5, 2));
});

test('a pattern and a list choose files, with labels by name', async () => {
  assert.deepEqual((await samplesOf(path.join(folder, 'npy', '*.npy'), [x])).length, 2);
  assert.deepEqual((await samplesOf(path.join(folder, 'npy', 'b.*'), [x]))[0]!.inputs.x!.shape, [1, 3, 2]);
  const list = write('list.txt', 'npy/b.npy\nnpy/a.npy\n');
  assert.deepEqual(
    (await samplesOf(list, [x])).map((s) => path.basename(s.id)),
    ['b.npy', 'a.npy'],
  );
  const { labels } = await openData(list, [x], { labels: write('labels.txt', 'a.npy 3\nb.npy 4\n') });
  assert.deepEqual(await labels(), Int32Array.of(4, 3));
});

test('an .npz holds all inputs of a sample', async () => {
  write('npz/0.npz', zipSync({ 'x.npy': npy([1, 4, 2]), 'n.npy': one }));
  write('npz/1.npz', zipSync({ 'x.npy': npy([1, 1, 2]), 'n.npy': one }));
  const samples = await samplesOf(path.join(folder, 'npz'), [x, n]);
  assert.deepEqual(
    samples.map((s) => [s.inputs.x!.shape, s.inputs.n!.data[0]]),
    [
      [[1, 4, 2], 7n],
      [[1, 1, 2], 7n],
    ],
  );
});

test('files that do not fit are named', async () => {
  await assert.rejects(openData(path.join(folder, 'npy'), [x, n]), code('ERR_DATA_INPUT', /a\.npy: .* inputs x, n/));
  write('bad/x.npz', zipSync({ 'y.npy': one }));
  await assert.rejects(samplesOf(path.join(folder, 'bad'), [x]), code('ERR_DATA_INPUT', /x\.npz: .* no input 'y'/));
  write('lacks/x.npz', zipSync({ 'n.npy': one }));
  await assert.rejects(samplesOf(path.join(folder, 'lacks'), [x, n]), code('ERR_DATA_INPUT', /no array for input 'x'/));
  write('shape/x.npy', npy([1, 2, 3]));
  await assert.rejects(samplesOf(path.join(folder, 'shape'), [x]), code('ERR_DATA_SHAPE', /x\.npy: .*\[1,2,3\]/));
  write('broken/x.npy', 'no array');
  await assert.rejects(samplesOf(path.join(folder, 'broken'), [x]), code('ERR_DATA_FORMAT'));
  write('none/x.txt.md', '');
  await assert.rejects(openData(path.join(folder, 'none'), [x]), code('ERR_DATA_EMPTY', /no images and no \.npy/));
});
