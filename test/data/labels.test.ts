import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { readLabels } from '../../lib/data/labels.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { writeNpy } from '../../lib/tensor/npy.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'lowp-labels-'));
after(() => rmSync(folder, { recursive: true }));

let count = 0;
function read(extension: string, content: string | Uint8Array, samples: number, files?: string[]): Promise<Int32Array> {
  const file = path.join(folder, `${count++}.${extension}`);
  writeFileSync(file, content);
  return readLabels(file, samples, files);
}

async function refused(read: Promise<unknown>): Promise<string> {
  try {
    await read;
  } catch (error) {
    assert.ok(error instanceof LowpError);
    assert.equal(error.code, 'ERR_DATA_LABELS');
    return error.message;
  }
  return assert.fail('nothing was thrown');
}

test('reads integers of an .npy, also as a column', async () => {
  assert.deepEqual(await read('npy', writeNpy(tensor('i64', [3], [2, 0, 1])), 3), Int32Array.of(2, 0, 1));
  assert.deepEqual(await read('npy', writeNpy(tensor('u8', [2, 1], [2, 255])), 2), Int32Array.of(2, 255));
  assert.deepEqual(await read('npy', writeNpy(tensor('f32', [2], [2, 5])), 2), Int32Array.of(2, 5));
});

test('reads one class a line, with either end of line', async () => {
  assert.deepEqual(await read('txt', '3\r\n1\r\n\r\n2', 3), Int32Array.of(3, 1, 2));
});

test('finds classes by file name in text and JSON, whatever the order and the folder', async () => {
  const files = ['a b.jpg', 'c.jpg'];
  assert.deepEqual(await read('txt', 'x/c.jpg 7\nunused.jpg 1\na b.jpg 5\n', 2, files), Int32Array.of(5, 7));
  assert.deepEqual(await read('json', '{"c.jpg": 7, "a b.jpg": 5}', 2, files), Int32Array.of(5, 7));
  assert.deepEqual(await read('json', '[5, 7]', 2, files), Int32Array.of(5, 7));
});

test('refuses what is no class of each sample', async () => {
  assert.match(await refused(read('txt', '1\n2\n', 3)), /2 labels, the dataset has 3 samples/);
  assert.match(await refused(read('txt', '', 1)), /0 labels/);
  assert.match(await refused(read('txt', '1\ncat\n', 2)), /label 1 is NaN/);
  assert.match(await refused(read('npy', writeNpy(tensor('f32', [2], [1, 0.5])), 2)), /label 1 is 0\.5/);
  assert.match(await refused(read('json', '[3000000000]', 1)), /3000000000/);
  assert.match(await refused(read('json', '"5"', 1)), /expected an array/);
  assert.match(await refused(read('json', '{', 1)), /not valid JSON/);
  assert.match(await refused(read('txt', 'a.jpg 1\n', 1, ['b.jpg'])), /no label for b\.jpg/);
});
