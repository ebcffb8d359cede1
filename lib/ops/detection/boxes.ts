// Boxes as four numbers each, x0 y0 x1 y1 or y0 x0 y1 x1, one behind the other; ranking and suppression of them.

/**
 * Intersection over union of two boxes, 0 when they do not meet.
 *
 * @param extent  added to every side: 1 where corners are pixels that belong to the box
 */
export function overlap(boxes: Float64Array, a: number, b: number, extent = 0): number {
  const [i, j] = [4 * a, 4 * b];
  const width = Math.min(boxes[i + 2]!, boxes[j + 2]!) - Math.max(boxes[i]!, boxes[j]!);
  const height = Math.min(boxes[i + 3]!, boxes[j + 3]!) - Math.max(boxes[i + 1]!, boxes[j + 1]!);
  if (!(width >= 0 && height >= 0)) return 0;
  const common = (width + extent) * (height + extent);
  if (common === 0) return 0;
  return common / (areaOf(boxes, a, extent) + areaOf(boxes, b, extent) - common);
}

export function areaOf(boxes: Float64Array, at: number, extent = 0): number {
  const i = 4 * at;
  return (boxes[i + 2]! - boxes[i]! + extent) * (boxes[i + 3]! - boxes[i + 1]! + extent);
}

/** As many scores are ranked without comparing in JavaScript. */
const rankedAtOnce = 2 ** 21;

/**
 * Positions by falling score with NaN at the end, equal scores by rising position.
 *
 * The 32 bits of a score, put in order, and the 21 of a position make one double; doubles are sorted natively.
 *
 * @param scores  in single precision
 * @param most    positions that are returned at most
 */
export function rank(scores: ArrayLike<number>, most = Number.POSITIVE_INFINITY): Int32Array {
  const count = scores.length;
  const order = new Int32Array(Math.min(count, most));
  if (count > rankedAtOnce) {
    const all = Int32Array.from({ length: count }, (_, i) => i);
    const isNone = (i: number) => Number(Number.isNaN(scores[i]));
    return all.sort((a, b) => isNone(a) - isNone(b) || scores[b]! - scores[a]! || a - b).subarray(0, order.length);
  }
  const bits = new Uint32Array(Float32Array.from(scores).buffer);
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const b = scores[i] === 0 ? 0 : bits[i]!;
    const ordered = Number.isNaN(scores[i]) ? 0 : (b >>> 31 === 1 ? ~b : b | 0x80000000) >>> 0;
    keys[i] = ordered * rankedAtOnce + (rankedAtOnce - 1 - i);
  }
  keys.sort();
  for (let i = 0; i < order.length; i++) order[i] = rankedAtOnce - 1 - (keys[count - 1 - i]! % rankedAtOnce);
  return order;
}

/** The boxes at some positions, one behind the other. */
export function takeBoxes(boxes: Float64Array, positions: Int32Array): Float64Array {
  const out = new Float64Array(4 * positions.length);
  for (let i = 0; i < positions.length; i++) {
    for (let k = 0; k < 4; k++) out[4 * i + k] = boxes[4 * positions[i]! + k]!;
  }
  return out;
}

/** When a box gives way to a kept one. */
export interface Suppression {
  /** It gives way when its overlap with a kept box, in single precision, is above this. */
  readonly threshold: number;
  /** It also gives way when the overlap is equal to the threshold. */
  readonly atThreshold?: boolean;
  /** Boxes that are kept at most. */
  readonly most?: number;
  readonly extent?: number;
}

/** Greedy non-maximum suppression of boxes that stand in the order of their scores: the positions that stay. */
export function suppress(boxes: Float64Array, s: Suppression): Int32Array {
  const count = boxes.length / 4;
  const kept = new Int32Array(Math.min(count, s.most ?? count));
  let found = 0;
  for (let i = 0; i < count && found < kept.length; i++) {
    if (!givesWay(boxes, i, kept, found, s)) kept[found++] = i;
  }
  return kept.subarray(0, found);
}

/** Most pairs of boxes do not meet: that is decided first, without areas. */
function givesWay(boxes: Float64Array, at: number, kept: Int32Array, count: number, s: Suppression): boolean {
  const { threshold, extent = 0, atThreshold = false } = s;
  const isApartEnough = threshold < 0 || (atThreshold && threshold <= 0);
  const [x0, y0, x1, y1] = [boxes[4 * at]!, boxes[4 * at + 1]!, boxes[4 * at + 2]!, boxes[4 * at + 3]!];
  for (let k = 0; k < count; k++) {
    const i = 4 * kept[k]!;
    if (x0 > boxes[i + 2]! || boxes[i]! > x1 || y0 > boxes[i + 3]! || boxes[i + 1]! > y1) {
      if (isApartEnough) return true;
      continue;
    }
    const shared = Math.fround(overlap(boxes, at, kept[k]!, extent));
    if (shared > threshold || (atThreshold && shared === threshold)) return true;
  }
  return false;
}
