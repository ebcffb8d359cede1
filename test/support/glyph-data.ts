// Images and labels of the demo network as .npy files.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { glyphSample, glyphSize } from '../../lib/data/glyphs.ts';
import { writeNpy } from '../../lib/tensor/npy.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

/** Writes `images.npy` [count, 1, 32, 32] and `labels.npy` [count] of a seed; returns their paths. */
export function writeGlyphs(folder: string, seed: number, count: number): { images: string; labels: string } {
  const area = glyphSize * glyphSize;
  const pixels = new Float32Array(count * area);
  const classes: number[] = [];
  for (let i = 0; i < count; i++) {
    const { image, label } = glyphSample(seed, i);
    pixels.set(image, i * area);
    classes.push(label);
  }
  const images = path.join(folder, `images-${seed}.npy`);
  const labels = path.join(folder, `labels-${seed}.npy`);
  writeFileSync(images, writeNpy(tensor('f32', [count, 1, glyphSize, glyphSize], pixels)));
  writeFileSync(labels, writeNpy(tensor('i32', [count], classes)));
  return { images, labels };
}
