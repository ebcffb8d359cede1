// Ground truth that is more than a class: boxes, maps of classes, images.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Sample } from './dataset.ts';
import { decodeImage, decodingOf, type ImageOptions } from './decode-image.ts';
import { listFiles } from './list-files.ts';
import { readBytes } from './numpy.ts';

/** What is right for each sample, in the order of the data. */
export interface Truths {
  readonly length: number;
  at(index: number, sample: Sample): number | Tensor | Promise<number | Tensor>;
}

/** One number for all channels, or one for each. */
export const numbers = z.union([z.number(), z.array(z.number())]).transform((v) => (typeof v === 'number' ? [v] : v));

/** `labels` of a dataset file when they are no classes. */
export const truthSchema = z.union([
  z.strictObject({
    boxes: z.string().describe('a folder with NAME.txt for NAME.jpg, lines of: class cx cy w h, as fractions (YOLO)'),
  }),
  z.strictObject({ maps: z.string().describe('a folder or glob of images whose gray values are classes') }),
  z.strictObject({
    images: z.string().describe('a folder or glob of images, in the order of the data'),
    color: z.enum(['rgb', 'bgr', 'gray']).optional(),
    mean: numbers.optional(),
    scale: numbers.optional(),
  }),
]);

export type TruthSource = z.output<typeof truthSchema>;

/**
 * Opens what a dataset file names.
 *
 * @param files  file names of the samples
 * @throws {LowpError} `ERR_DATA_LABELS` when there are fewer or more than samples, `ERR_IO_*`, `ERR_DATA_EMPTY`
 */
export async function openTruths(source: TruthSource, length: number, files?: readonly string[]): Promise<Truths> {
  if ('boxes' in source) return yoloBoxes(source.boxes, length, files);
  if ('maps' in source) return images(source.maps, { color: 'gray' }, length, 'i32');
  const { images: folder, ...rest } = source;
  const options = Object.fromEntries(Object.entries(rest).filter(([, v]) => v !== undefined));
  return images(folder, options, length, 'f32');
}

/** The path in the source as a path relative to a folder. */
export function resolveTruth(source: TruthSource, folder: string): TruthSource {
  if ('boxes' in source) return { boxes: path.resolve(folder, source.boxes) };
  if ('maps' in source) return { maps: path.resolve(folder, source.maps) };
  return { ...source, images: path.resolve(folder, source.images) };
}

async function images(spec: string, options: ImageOptions, length: number, type: 'f32' | 'i32'): Promise<Truths> {
  const list = await listFiles(spec);
  if (list.length !== length)
    throw new LowpError('ERR_DATA_LABELS', `${spec} has ${list.length} images, the dataset has ${length} samples`, {
      path: spec,
    });
  const decoding = await decodingOf(options);
  return {
    length,
    async at(index) {
      const { tensor } = await decodeImage(list[index]!, index, decoding);
      return type === 'f32'
        ? tensor
        : { type: 'i32', shape: [1, ...tensor.shape.slice(2)], data: Int32Array.from(tensor.data as Float32Array) };
    },
  };
}

async function yoloBoxes(folder: string, length: number, files: readonly string[] | undefined): Promise<Truths> {
  const names = await readdir(folder).catch((cause) => {
    throw new LowpError('ERR_IO_READ', `${folder} cannot be listed: ${String(cause)}`, { path: folder, cause });
  });
  if (!files) throw new LowpError('ERR_DATA_LABELS', 'boxes belong to images, the data are none');
  const known = new Set(names);
  const labelFiles = files.map((f) => `${path.parse(f).name}.txt`);
  if (!labelFiles.some((f) => known.has(f)))
    throw new LowpError('ERR_DATA_LABELS', `${folder} has no boxes for ${files[0]}: there is no ${labelFiles[0]}`, {
      path: folder,
    });
  return {
    length,
    async at(index, sample) {
      const name = labelFiles[index]!;
      // An image without objects has no file.
      if (!known.has(name)) return { type: 'f32', shape: [0, 5], data: new Float32Array() };
      const file = path.join(folder, name);
      return parseYolo(new TextDecoder().decode(await readBytes(file)), file, sample);
    },
  };
}

/** @throws {LowpError} `ERR_DATA_LABELS` for a line that is no box */
function parseYolo(text: string, file: string, { geometry, id }: Sample): Tensor {
  if (!geometry) throw new LowpError('ERR_DATA_LABELS', `boxes belong to images, ${id} is none`);
  const { width, height } = geometry;
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const data = new Float32Array(lines.length * 5);
  for (const [i, line] of lines.entries()) {
    const [category, cx, cy, w, h, ...rest] = line.trim().split(/\s+/).map(Number) as number[];
    if ([category, cx, cy, w, h].some((v) => !Number.isFinite(v)) || rest.length > 0)
      throw new LowpError('ERR_DATA_LABELS', `${file}: line ${i + 1} is '${line}', expected: class cx cy w h`, {
        path: file,
      });
    const [x, y] = [cx! * width, cy! * height];
    const [dx, dy] = [(w! * width) / 2, (h! * height) / 2];
    data.set([x - dx, y - dy, x + dx, y + dy, category!], i * 5);
  }
  return { type: 'f32', shape: [lines.length, 5], data };
}
