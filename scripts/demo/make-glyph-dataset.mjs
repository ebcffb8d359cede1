// Writes the demo's glyphs as .npy files for scripts/demo/train.py.
// Usage: node scripts/demo/make-glyph-dataset.mjs FOLDER [TRAIN_COUNT] [TEST_COUNT], after `npm run build:ts`.
// Files: {train,test}_images.npy f32 [N,1,32,32], {train,test}_labels.npy i64 [N]. Seeds: train 1, test 2.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, trainCount = '24000', testCount = '2000'] = process.argv.slice(2);
if (!folder) throw new Error('give the folder to write to');
const built = process.env.LOWP_DIST ?? path.resolve(import.meta.dirname, '../../dist');
const { glyphSample, glyphSize } = await import(pathToFileURL(path.join(built, 'lib/data/glyphs.js')).href);

/** Version 1.0 of the NumPy format: magic, header padded to 64 bytes, little-endian data. */
function writeNpy(file, descr, shape, data) {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const header = Buffer.from(`${text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11)}\n`, 'latin1');
  const prefix = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  writeFileSync(file, Buffer.concat([prefix, header, Buffer.from(data.buffer)]));
}

function writeSplit(name, seed, count) {
  const images = new Float32Array(count * glyphSize * glyphSize);
  const labels = new BigInt64Array(count);
  for (let i = 0; i < count; i++) {
    const { image, label } = glyphSample(seed, i);
    images.set(image, i * image.length);
    labels[i] = BigInt(label);
  }
  writeNpy(path.join(folder, `${name}_images.npy`), '<f4', [count, 1, glyphSize, glyphSize], images);
  writeNpy(path.join(folder, `${name}_labels.npy`), '<i8', [count], labels);
}

mkdirSync(folder, { recursive: true });
writeSplit('train', 1, Number(trainCount));
writeSplit('test', 2, Number(testCount));
