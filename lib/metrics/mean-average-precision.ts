// Average precision of boxes over classes and overlaps.
import * as z from 'zod';
import type { Tensor } from '../tensor/tensor.ts';
import { type Box, boxesOf, overlap } from './boxes.ts';
import { defineMetric, meanOf, prediction, tensorTruth } from './define-metric.ts';
import type { MetricRun } from './metric.ts';

/** IoU thresholds of COCO: 0.50, 0.55 … 0.95. */
const cocoThresholds = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100);
const recallPoints = 101;

/** Detections and true boxes of one image. */
interface Image {
  readonly found: readonly Box[];
  readonly real: readonly Box[];
}

/**
 * Average precision as COCO defines it: for each class and IoU threshold detections are matched in the order of their
 * scores, each with the true box of the same image that it overlaps most and that no better one has taken; precision is
 * made monotone and averaged at the recalls 0, 0.01 … 1. The value is the mean over the classes that have true boxes, and
 * over the thresholds. All true boxes count: no crowds, no ranges of area.
 *
 * @see https://cocodataset.org/#detection-eval
 */
export const meanAveragePrecision = defineMetric({
  usage: 'map, map@IOU',
  summary: 'mean average precision of boxes, over IoU 0.50 … 0.95 as COCO has it, or at one IoU',
  pattern: /^map(?:@(0?\.\d+))?$/,
  options: z.strictObject({
    /** Detections for each image and class. */
    detections: z.coerce.number().int().min(1).default(100),
  }),
  create: (match, { detections }) => {
    const thresholds = match[1] === undefined ? cocoThresholds : [Number(match[1])];
    return { name: match[0], direction: 'higher', create: () => run(thresholds, detections) };
  },
});

function run(thresholds: readonly number[], detections: number): MetricRun {
  const images: Image[] = [];
  return {
    update(outputs: Readonly<Record<string, Tensor>>, truth) {
      images.push({
        found: boxesOf(prediction(outputs, 'map'), 'the prediction'),
        real: boxesOf(tensorTruth(truth, 'map', 'boxes'), 'the label'),
      });
    },
    value: () => averageOver(images, thresholds, detections),
    perSample: () => images.map((image) => averageOver([image], thresholds, detections)),
  };
}

function averageOver(images: readonly Image[], thresholds: readonly number[], detections: number): number {
  const categories = new Set(images.flatMap((i) => i.real.map((b) => b.category)));
  const values: number[] = [];
  for (const category of categories) {
    const own = images.map(({ found, real }) => ({
      found: found
        .filter((b) => b.category === category)
        .sort((a, b) => b.score - a.score)
        .slice(0, detections),
      real: real.filter((b) => b.category === category),
    }));
    for (const threshold of thresholds) values.push(averagePrecision(own, threshold));
  }
  return meanOf(values);
}

/** Of one class at one threshold. */
function averagePrecision(images: readonly Image[], threshold: number): number {
  const real = images.reduce((n, i) => n + i.real.length, 0);
  const marked = images.flatMap((image) => matches(image, threshold)).sort((a, b) => b.score - a.score);
  const precision: number[] = [];
  const recall: number[] = [];
  let hits = 0;
  for (const [i, { isHit }] of marked.entries()) {
    if (isHit) hits++;
    precision.push(hits / (i + 1));
    recall.push(hits / real);
  }
  for (let i = precision.length - 2; i >= 0; i--) precision[i] = Math.max(precision[i]!, precision[i + 1]!);
  let sum = 0;
  let at = 0;
  for (let p = 0; p < recallPoints; p++) {
    while (at < recall.length && recall[at]! < p / (recallPoints - 1)) at++;
    sum += precision[at] ?? 0;
  }
  return sum / recallPoints;
}

/** Which detections of an image hit a true box, best score first. */
function matches({ found, real }: Image, threshold: number): { readonly score: number; readonly isHit: boolean }[] {
  const taken = new Set<Box>();
  return found.map((box) => {
    let best: Box | undefined;
    let most = Math.min(threshold, 1 - 1e-10);
    for (const candidate of real) {
      if (taken.has(candidate)) continue;
      const common = overlap(box, candidate);
      if (common < most) continue;
      most = common;
      best = candidate;
    }
    if (best) taken.add(best);
    return { score: box.score, isHit: best !== undefined };
  });
}
