// Boxes on their way from a detector to a metric: suppression of doubles, and the step back to the pixels of the image.
import * as z from 'zod';
import type { Sample } from '../data/dataset.ts';
import { LowpError } from '../errors/lowp-error.ts';
import { type Box, overlap } from '../metrics/boxes.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Corners in pixels of the model's input. */
export type Detection = Box;

/** Options that all detectors share. */
export const detectionOptions = {
  score: z.number().min(0).default(0.01).describe('boxes with a score of at most this are left out'),
  nms: z
    .number()
    .min(0)
    .max(1)
    .default(0.65)
    .describe('a box is left out that overlaps a better one of its class more'),
  keep: z.number().int().min(1).default(300).describe('boxes that are left after that, at most'),
};

/**
 * Non-maximum suppression within each class, best score first.
 *
 * @param most     IoU of two boxes that both stay, at most
 * @param keep     how many boxes stay at most
 */
export function suppress(boxes: readonly Detection[], most: number, keep: number): Detection[] {
  const kept = new Map<number, Detection[]>();
  const result: Detection[] = [];
  for (const box of boxes.toSorted((a, b) => b.score - a.score)) {
    const own = kept.get(box.category) ?? [];
    if (own.some((other) => overlap(box, other) > most)) continue;
    own.push(box);
    kept.set(box.category, own);
    result.push(box);
    if (result.length === keep) break;
  }
  return result;
}

/** Boxes `[n, 6]` of `x1, y1, x2, y2, score, class` in pixels of the image as it was before resizing. */
export function boxTensor(boxes: readonly Detection[], sample: Sample): Tensor {
  const { scaleX, scaleY, left, top } = sample.geometry ?? { scaleX: 1, scaleY: 1, left: 0, top: 0 };
  const data = new Float32Array(boxes.length * 6);
  for (const [i, b] of boxes.entries())
    data.set(
      [
        (b.x1 - left) / scaleX,
        (b.y1 - top) / scaleY,
        (b.x2 - left) / scaleX,
        (b.y2 - top) / scaleY,
        b.score,
        b.category,
      ],
      i * 6,
    );
  return { type: 'f32', shape: [boxes.length, 6], data };
}

/** Width and height of the image that the model sees. */
export function inputSize(sample: Sample, postprocess: string): { readonly width: number; readonly height: number } {
  if (sample.geometry) return { width: sample.geometry.inputWidth, height: sample.geometry.inputHeight };
  throw new LowpError('ERR_CONFIG_INVALID', `postprocess ${postprocess} needs images as data: ${sample.id} is none`);
}
