// NMSRotated: of turned boxes that overlap the best ones, class by class.
import type * as z from 'zod';
import { toFloat32, toFloat64 } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { factsOf } from '../fact.ts';
import { rank } from './boxes.ts';
import {
  boxSizes,
  inferFoundRows,
  limitsOf,
  outputsOf,
  type Selected,
  sortByScore,
  typedAttributes,
} from './non-max-suppression.ts';
import { rotatedOverlap } from './rotated-boxes.ts';

const attributes = typedAttributes.omit({ box_encoding: true }).extend({
  /** The sense of positive angles in an image, whose y points down. */
  clockwise: bool.default(true),
});

type Attributes = z.infer<typeof attributes>;

/** Numbers of a box: center x, y, width, height, angle in radians. */
const perBox = 5;

function indicesAbove(scores: Float32Array, least: number): number[] {
  const found: number[] = [];
  for (let b = 0; b < scores.length; b++) if (scores[b]! > least) found.push(b);
  return found;
}

function select(a: Attributes, inputs: readonly (Tensor | undefined)[]): Selected[] {
  const sizes = boxSizes(factsOf(inputs), perBox);
  const limits = limitsOf(inputs);
  const boxes = toFloat64(inputs[0]!).map((v, i) => (a.clockwise || i % perBox < 4 ? v : -v));
  const scores = toFloat32(inputs[1]!);
  const selected: Selected[] = [];
  for (let image = 0; image < sizes.images; image++) {
    const own = boxes.subarray(image * sizes.boxes * perBox, (image + 1) * sizes.boxes * perBox);
    for (let label = 0; label < sizes.classes; label++) {
      const at = (image * sizes.classes + label) * sizes.boxes;
      const candidates = indicesAbove(scores.subarray(at, at + sizes.boxes), limits.score);
      const ranked = rank(candidates.map((b) => scores[at + b]!)).map((i) => candidates[i]!);
      const kept: number[] = [];
      for (const box of ranked) {
        if (kept.length >= limits.most) break;
        if (kept.some((k) => Math.fround(rotatedOverlap(own, box, k)) > limits.overlap)) continue;
        kept.push(box);
        selected.push({ image, label, box, score: scores[at + box]! });
      }
    }
  }
  return a.sort_result_descending ? sortByScore(selected) : selected;
}

/**
 * Inputs: boxes [N, B, 5] (x and y of the center, width, height, angle in radians), scores [N, C, B], most boxes of a
 * class, overlap and score thresholds. A box is a candidate when its score is above the threshold; candidates are taken by
 * score, equal ones by index, unless their intersection over union with one that was taken is above the threshold.
 * Outputs: indices [rows, 3] (image, class, box), scores [rows, 3] (image, class, score), the number of rows.
 */
export const nmsRotated = defineOp({
  type: 'NMSRotated',
  opset: 'opset13',
  attributes,
  inputs: [5, 5],
  infer: (a, inputs) => inferFoundRows(a.output_type, inputs, perBox),
  evaluate: (a, present, inputs = present) => outputsOf(select(a, inputs), a.output_type, inputs[1]!.type),
});
