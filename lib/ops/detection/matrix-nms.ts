// MatrixNms: scores sink by how much boxes overlap better ones of their class; nothing waits for a decision.
import type * as z from 'zod';
import type { Fact } from '../../graph/node.ts';
import { toFloat32, toFloat64 } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { enumeration, float } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact } from '../fact.ts';
import { overlap, rank, takeBoxes } from './boxes.ts';
import { defineSelectionRows, expandSelection } from './lower-selection.ts';
import { boxSizes } from './non-max-suppression.ts';
import { keepBest, type SelectedBox, selectionAttributes, selectionOutputs } from './selection.ts';

const attributes = selectionAttributes.extend({
  decay_function: enumeration(['linear', 'gaussian']).default('linear'),
  gaussian_sigma: float.default(2),
  /** Boxes whose lowered score is not above this are dropped. */
  post_threshold: float.default(0),
});

type Attributes = z.infer<typeof attributes>;

function infer(a: Attributes, inputs: Facts): Fact[] {
  const { images } = boxSizes(inputs);
  return [
    { type: inputFact(inputs, 1).type, shape: [-1, 6] },
    { type: a.output_type, shape: [-1, 1] },
    { type: a.output_type, shape: [images] },
  ];
}

/** Factor of a score whose box overlaps a better one by `shared`; that one overlaps a still better one by `most`. */
function decay(a: Attributes, shared: number, most: number): number {
  if (a.decay_function === 'gaussian') {
    return Math.exp((most * most - shared * shared) * Math.fround(a.gaussian_sigma));
  }
  return (1 - shared) / (1 - most + 1e-10);
}

/** Lowered scores of boxes that stand in the order of their scores. */
function lowered(a: Attributes, boxes: Float64Array, scores: Float32Array): Float32Array {
  const extent = a.normalized ? 0 : 1;
  const most = new Float64Array(scores.length);
  return scores.map((score, i) => {
    let least = 1;
    for (let j = 0; j < i; j++) {
      const shared = overlap(boxes, i, j, extent);
      most[i] = Math.max(most[i]!, shared);
      least = Math.min(least, decay(a, shared, most[j]!));
    }
    return score * least;
  });
}

function evaluate(a: Attributes, inputs: readonly Tensor[]): Tensor[] {
  const sizes = boxSizes(factsOf(inputs));
  const [all, scores] = [toFloat64(inputs[0]!), toFloat32(inputs[1]!)];
  const images = Array.from({ length: sizes.images }, (_, image) => {
    const boxes = all.subarray(image * sizes.boxes * 4, (image + 1) * sizes.boxes * 4);
    const found: SelectedBox[] = [];
    for (let label = 0; label < sizes.classes; label++) {
      if (label === a.background_class) continue;
      const at = (image * sizes.classes + label) * sizes.boxes;
      const candidates: number[] = [];
      for (let b = 0; b < sizes.boxes; b++) {
        if (scores[at + b]! > Math.fround(a.score_threshold)) candidates.push(b);
      }
      const ranked = rank(
        candidates.map((b) => scores[at + b]!),
        a.nms_top_k < 0 ? undefined : a.nms_top_k,
      ).map((i) => candidates[i]!);
      const corners = takeBoxes(boxes, ranked);
      const own = lowered(
        a,
        corners,
        Float32Array.from(ranked, (b) => scores[at + b]!),
      );
      for (const [i, box] of ranked.entries()) {
        if (!(own[i]! > Math.fround(a.post_threshold))) continue;
        const selected = { image, label, box, score: own[i]!, index: image * sizes.boxes + box };
        found.push({ ...selected, corners: corners.subarray(4 * i, 4 * i + 4) });
      }
    }
    return keepBest(found, a.keep_top_k);
  });
  return selectionOutputs(images, a, inputs[1]!.type);
}

/**
 * Inputs: boxes [N, B, 4], scores [N, C, B]. The score of a box is multiplied by the least, over the better boxes of its
 * class, of (1 − overlap) / (1 − largest overlap of that box with better ones), or of a Gaussian of both. Outputs: class,
 * score and corners [n, 6], by image and score; indices [n, 1] over all images; boxes of each image [N].
 */
export const matrixNms = defineOp({
  ...{ type: 'MatrixNms', opset: 'opset8', attributes, inputs: [2, 2], infer, evaluate },
  expand: (a, node, e) => expandSelection('MatrixNms', a, node, e),
});

export const matrixNmsRows = defineSelectionRows<Attributes>({
  ...{ type: 'MatrixNms', attributes, infer, evaluate, sortsByClass: false },
  params: (a) => ({
    decay: a.decay_function === 'gaussian' ? 2 : 1,
    threshold: a.post_threshold,
    eta: 1,
    sigma: a.gaussian_sigma,
  }),
});
