// Harmonic mean of precision and recall of boxes.
import * as z from 'zod';
import { type Box, boxesOf, overlap } from './boxes.ts';
import { defineMetric, prediction, tensorTruth } from './define-metric.ts';

/**
 * F1 of boxes, `2·hits / (found + real)` over all samples: a box hits when it has the class of a true one, overlaps it by at
 * least `iou`, and no box with a better score has taken it. Useful where a model is compared with the unquantized one.
 */
export const boxF1 = defineMetric({
  usage: 'f1:iou=0.5',
  summary: 'F1 of boxes that agree in class and overlap by the IoU',
  pattern: /^f1$/,
  options: z.strictObject({ iou: z.coerce.number().gt(0).max(1).default(0.5) }),
  create: (_, { iou }) => ({
    name: 'f1',
    direction: 'higher',
    create() {
      const samples: { readonly hits: number; readonly boxes: number }[] = [];
      const f1 = (hits: number, boxes: number): number => (boxes === 0 ? 1 : (2 * hits) / boxes);
      return {
        update(outputs, truth) {
          const found = boxesOf(prediction(outputs, 'f1'), 'the prediction');
          const real = boxesOf(tensorTruth(truth, 'f1', 'boxes'), 'the label');
          samples.push({ hits: countHits(found, real, iou), boxes: found.length + real.length });
        },
        value() {
          if (samples.length === 0) return Number.NaN;
          const sum = (key: 'hits' | 'boxes'): number => samples.reduce((n, s) => n + s[key], 0);
          return f1(sum('hits'), sum('boxes'));
        },
        perSample: () => samples.map((s) => f1(s.hits, s.boxes)),
      };
    },
  }),
});

function countHits(found: readonly Box[], real: readonly Box[], iou: number): number {
  const left = new Set(real);
  let hits = 0;
  for (const box of found.toSorted((a, b) => b.score - a.score)) {
    let best: Box | undefined;
    for (const candidate of left) {
      if (candidate.category !== box.category || overlap(box, candidate) < iou) continue;
      if (!best || overlap(box, candidate) > overlap(box, best)) best = candidate;
    }
    if (!best) continue;
    left.delete(best);
    hits++;
  }
  return hits;
}
