// What MatrixNms and MulticlassNms share: lists of selected boxes, their orders and their outputs.
import * as z from 'zod';
import { fromFloat64 } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, elementType, enumeration, float, int } from '../attribute.ts';

export const selectionAttributes = z.object({
  sort_result_type: enumeration(['none', 'classid', 'score']).default('none'),
  sort_result_across_batch: bool.default(false),
  output_type: elementType.refine((t) => t === 'i32' || t === 'i64', 'i32 or i64 is expected').default('i64'),
  score_threshold: float.default(0),
  /** Candidates of one class and results of one image at most; −1: all. */
  nms_top_k: int.default(-1),
  keep_top_k: int.default(-1),
  background_class: int.default(-1),
  /** Corners are not pixels that belong to the box. */
  normalized: bool.default(true),
});

export interface SelectedBox {
  readonly image: number;
  readonly label: number;
  readonly box: number;
  readonly score: number;
  readonly corners: Float64Array;
  /** The box in all boxes of the input. */
  readonly index: number;
}

export function byScore(x: SelectedBox, y: SelectedBox): number {
  return y.score - x.score || x.image - y.image || x.label - y.label || x.box - y.box;
}

export function byLabel(x: SelectedBox, y: SelectedBox): number {
  return x.label - y.label || x.image - y.image || y.score - x.score || x.box - y.box;
}

/** The best `most` boxes of one image, by score. */
export function keepBest(selected: readonly SelectedBox[], most: number): SelectedBox[] {
  const sorted = selected.toSorted(byScore);
  return most < 0 ? sorted : sorted.slice(0, most);
}

/**
 * Rows of class, score and corners; indices; and how many boxes each image has.
 *
 * @param images  boxes by image, in the order of the output unless images are mixed
 */
export function selectionOutputs(
  images: readonly (readonly SelectedBox[])[],
  a: z.infer<typeof selectionAttributes>,
  type: ElementType,
): Tensor[] {
  const all = images.flat();
  if (a.sort_result_across_batch && a.sort_result_type === 'score') all.sort(byScore);
  if (a.sort_result_across_batch && a.sort_result_type === 'classid') all.sort(byLabel);
  const rows = new Float64Array(6 * all.length);
  for (const [i, s] of all.entries()) rows.set([s.label, s.score, ...s.corners], 6 * i);
  const indices = Float64Array.from(all, (s) => s.index);
  const numbers = Float64Array.from(images, (boxes) => boxes.length);
  return [
    fromFloat64(rows, [all.length, 6], type),
    fromFloat64(indices, [all.length, 1], a.output_type),
    fromFloat64(numbers, [images.length], a.output_type),
  ];
}
