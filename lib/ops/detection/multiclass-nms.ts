// MulticlassNms, both revisions: suppression by class, and the best boxes of every image.
import type * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node } from '../../graph/node.ts';
import { toFloat32, toFloat64, toIntegers } from '../../tensor/convert.ts';
import { formatShape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { float } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, inputFact, mergeSizes, requireRank } from '../fact.ts';
import { overlap, rank, takeBoxes } from './boxes.ts';
import { defineSelectionRows, expandSelection } from './lower-selection.ts';
import { boxSizes } from './non-max-suppression.ts';
import { byLabel, keepBest, type SelectedBox, selectionAttributes, selectionOutputs } from './selection.ts';

const attributes = selectionAttributes.extend({
  iou_threshold: float.default(0),
  /** Below 1, the threshold shrinks by this with every kept box while it is above a half. */
  nms_eta: float.default(1),
});

type Attributes = z.infer<typeof attributes>;

/** Boxes and scores of one class of one image. */
interface ClassBoxes {
  readonly image: number;
  readonly label: number;
  readonly boxes: Float64Array;
  readonly scores: Float32Array;
  indexOf(box: number): number;
}

/** Positions of ranked boxes that stay; an overlap equal to the threshold is enough to be dropped. */
function keep(a: Attributes, corners: Float64Array): number[] {
  const sized = a.normalized ? corners : corners.map((v, i) => (i % 4 < 2 ? v : v + 1));
  const kept: number[] = [];
  const eta = Math.fround(a.nms_eta);
  let threshold = Math.fround(a.iou_threshold);
  for (let i = 0; i < corners.length / 4; i++) {
    if (kept.some((k) => Math.fround(overlap(sized, i, k)) >= threshold)) continue;
    kept.push(i);
    if (eta < 1 && threshold > 0.5) threshold = Math.fround(threshold * eta);
  }
  return kept;
}

function selectClass(a: Attributes, c: ClassBoxes): SelectedBox[] {
  const candidates: number[] = [];
  for (let b = 0; b < c.scores.length; b++) {
    if (c.scores[b]! >= Math.fround(a.score_threshold)) candidates.push(b);
  }
  const own = candidates.map((b) => c.scores[b]!);
  const ranked = rank(own, a.nms_top_k < 0 ? undefined : a.nms_top_k).map((i) => candidates[i]!);
  const corners = takeBoxes(c.boxes, ranked);
  return keep(a, corners).map((i) => {
    const box = ranked[i]!;
    const score = c.scores[box]!;
    const place = { image: c.image, label: c.label, box, index: c.indexOf(box) };
    return { ...place, score, corners: corners.subarray(4 * i, 4 * i + 4) };
  });
}

/** The boxes of one image: its classes one by one. */
function selectImage(a: Attributes, classes: readonly ClassBoxes[]): SelectedBox[] {
  const found = classes.filter((c) => c.label !== a.background_class).flatMap((c) => selectClass(a, c));
  const best = keepBest(found, a.keep_top_k);
  return !a.sort_result_across_batch && a.sort_result_type === 'classid' ? best.sort(byLabel) : best;
}

/** All classes share boxes [N, B, 4]; scores are [N, C, B]. */
function sharedBoxes(inputs: readonly Tensor[]): ClassBoxes[][] {
  const { images, classes, boxes } = boxSizes(factsOf(inputs));
  const [all, scores] = [toFloat64(inputs[0]!), toFloat32(inputs[1]!)];
  return Array.from({ length: images }, (_, image) =>
    Array.from({ length: classes }, (_, label) => {
      const at = (image * classes + label) * boxes;
      return {
        ...{ image, label, scores: scores.subarray(at, at + boxes) },
        boxes: all.subarray(image * boxes * 4, (image + 1) * boxes * 4),
        indexOf: (box: number) => image * boxes + box,
      };
    }),
  );
}

/** Every class has boxes [C, M, 4] and scores [C, M]; an input says how many of the M each image has. */
function ownBoxes(inputs: readonly Tensor[]): ClassBoxes[][] {
  const [classes, count] = inputs[1]!.shape as [number, number];
  const [all, scores] = [toFloat64(inputs[0]!), toFloat32(inputs[1]!)];
  let start = 0;
  return toIntegers(inputs[2]!).map((own, image) => {
    const first = start;
    start += Math.max(0, own);
    if (start > count) throw new LowpError('ERR_OP_INPUTS', `the images have more boxes than there are (${count})`);
    return Array.from({ length: classes }, (_, label) => {
      const at = label * count + first;
      return {
        ...{ image, label, scores: scores.subarray(at, at + Math.max(0, own)) },
        boxes: all.subarray(4 * at, 4 * (at + Math.max(0, own))),
        indexOf: (box: number) => (first + box) * classes + label,
      };
    });
  });
}

function infer(a: Attributes, inputs: Facts): Fact[] {
  const numbers = inputs[2];
  let images: number;
  if (numbers) {
    const [boxes, scores] = [inputFact(inputs, 0), inputFact(inputs, 1)];
    requireRank(boxes.shape, 3, 3, 'the boxes');
    requireRank(scores.shape, 2, 2, 'the scores');
    requireRank(numbers.shape, 1, 1, 'the numbers of boxes');
    if (boxes.shape[2]! >= 0 && boxes.shape[2] !== 4) {
      throw new LowpError('ERR_SHAPE_MISMATCH', `boxes have shape ${formatShape(boxes.shape)}, expected [C,M,4]`);
    }
    for (const axis of [0, 1]) mergeSizes(boxes.shape[axis]!, scores.shape[axis]!, 'classes and boxes of both inputs');
    images = numbers.shape[0]!;
  } else images = boxSizes(inputs).images;
  return [
    { type: inputFact(inputs, 1).type, shape: [-1, 6] },
    { type: a.output_type, shape: [-1, 1] },
    { type: a.output_type, shape: [images] },
  ];
}

function evaluate(a: Attributes, inputs: readonly Tensor[]): Tensor[] {
  infer(a, factsOf(inputs));
  const images = inputs[2] ? ownBoxes(inputs) : sharedBoxes(inputs);
  return selectionOutputs(
    images.map((classes) => selectImage(a, classes)),
    a,
    inputs[1]!.type,
  );
}

const common = {
  ...{ type: 'MulticlassNms', attributes, infer, evaluate },
  expand: (a: Attributes, node: Node, e: Expansion) => expandSelection('MulticlassNms', a, node, e),
};

/**
 * Inputs: boxes [N, B, 4], scores [N, C, B]. Of every class the boxes from `score_threshold` on are taken by score,
 * equal ones by index, unless they overlap one that was taken. Outputs: class, score and corners [n, 6], by image; indices
 * [n, 1] over all images; boxes of each image [N].
 */
export const multiclassNms8 = defineOp({ ...common, opset: 'opset8', inputs: [2, 2] });

/** MulticlassNms that also takes boxes [C, M, 4] and scores [C, M] with the number of boxes of each image. */
export const multiclassNms9 = defineOp({ ...common, opset: 'opset9', inputs: [2, 3] });

/** Of boxes that all classes share. */
export const multiclassNmsRows = defineSelectionRows<Attributes>({
  ...{ type: 'MulticlassNms', attributes, infer, evaluate, sortsByClass: true },
  params: (a) => ({ decay: 0, threshold: a.iou_threshold, eta: a.nms_eta, sigma: 0 }),
});
