// Boxes as four numbers each, x0 y0 x1 y1 or y0 x0 y1 x1, one behind the other; ranking and suppression of them.

/**
 * Intersection over union of two boxes, 0 when they do not intersect.
 *
 * @param extent  added to every side: 1 where corners are pixels that belong to the box
 */
export function overlap(boxes: Float64Array, a: number, b: number, extent = 0): number {
  const [i, j] = [4 * a, 4 * b];
  const width = Math.min(boxes[i + 2]!, boxes[j + 2]!) - Math.max(boxes[i]!, boxes[j]!) + extent;
  if (!(width > 0)) return 0;
  const height = Math.min(boxes[i + 3]!, boxes[j + 3]!) - Math.max(boxes[i + 1]!, boxes[j + 1]!) + extent;
  if (!(height > 0)) return 0;
  const common = width * height;
  return common / (areaOf(boxes, a, extent) + areaOf(boxes, b, extent) - common);
}

export function areaOf(boxes: Float64Array, at: number, extent = 0): number {
  const i = 4 * at;
  return (boxes[i + 2]! - boxes[i]! + extent) * (boxes[i + 3]! - boxes[i + 1]! + extent);
}

/**
 * Sorts indices by falling score, equal scores by rising index.
 *
 * @param scores  by index
 */
export function rank(indices: Int32Array, scores: Float64Array): Int32Array {
  return indices.sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** When a box gives way to a kept one. */
export interface Suppression {
  /** It gives way when its overlap with a kept box, in single precision, is above this. */
  readonly threshold: number;
  /** It also gives way when the overlap is equal to the threshold. */
  readonly atThreshold?: boolean;
  /** Boxes that are kept at most. */
  readonly most: number;
  readonly extent?: number;
}

/** Greedy non-maximum suppression: the indices that stay, in their order. Boxes are counted from `first` on. */
export function suppress(ranked: Int32Array, boxes: Float64Array, s: Suppression, first = 0): Int32Array {
  const kept = new Int32Array(Math.min(ranked.length, s.most));
  let count = 0;
  for (let i = 0; i < ranked.length && count < kept.length; i++) {
    const candidate = ranked[i]!;
    let stays = true;
    for (let k = 0; k < count && stays; k++) {
      const shared = Math.fround(overlap(boxes, first + candidate, first + kept[k]!, s.extent));
      stays = !(shared > s.threshold || (s.atThreshold && shared === s.threshold));
    }
    if (stays) kept[count++] = candidate;
  }
  return kept.subarray(0, count);
}
