// Soft non-maximum suppression: a box that overlaps a better one keeps a share of its score.
import { overlap } from './boxes.ts';

export interface SoftSuppression {
  /** A box with overlap o of a kept one keeps `exp(−o² / (2 · sigma))` of its score. */
  readonly sigma: number;
  /** It is dropped when it overlaps a kept box by this much or more. */
  readonly dropFrom: number;
  /** It is dropped when its score is not above this. */
  readonly least: number;
  /** Boxes that are kept at most. */
  readonly most: number;
}

/** Candidates by score, the best on top; of equal scores the one with the smaller index. */
class Queue {
  private readonly heap: Int32Array;
  private readonly scores: Float32Array;
  private size = 0;

  constructor(scores: Float32Array) {
    this.heap = new Int32Array(scores.length);
    this.scores = scores;
  }

  private before(a: number, b: number): boolean {
    const [x, y] = [this.scores[a]!, this.scores[b]!];
    return x > y || (x === y && a < b);
  }

  push(candidate: number): void {
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(candidate, this.heap[parent]!)) break;
      this.heap[at] = this.heap[parent]!;
      at = parent;
    }
    this.heap[at] = candidate;
  }

  pop(): number | undefined {
    if (this.size === 0) return undefined;
    const top = this.heap[0]!;
    const last = this.heap[--this.size]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && this.before(this.heap[child + 1]!, this.heap[child]!)) child++;
      if (!this.before(this.heap[child]!, last)) break;
      this.heap[at] = this.heap[child]!;
      at = child;
    }
    this.heap[at] = last;
    return top;
  }
}

/**
 * The candidates that stay, in the order in which they were chosen. A candidate whose score has sunk goes back into the
 * queue, and meets only boxes that were kept since.
 *
 * @param scores  of every box; lowered in place
 */
export function suppressSoftly(boxes: Float64Array, scores: Float32Array, s: SoftSuppression): Int32Array {
  const queue = new Queue(scores);
  for (let c = 0; c < scores.length; c++) queue.push(c);
  const met = new Int32Array(scores.length);
  const kept = new Int32Array(Math.min(scores.length, s.most));
  const factor = Math.fround(-0.5 / s.sigma);
  let count = 0;
  while (count < kept.length) {
    const candidate = queue.pop();
    if (candidate === undefined) break;
    const before = scores[candidate]!;
    let dropped = false;
    for (let k = count - 1; k >= met[candidate]! && !dropped; k--) {
      const shared = Math.fround(overlap(boxes, candidate, kept[k]!));
      scores[candidate]! *= Math.fround(Math.exp(factor * shared * shared));
      dropped = shared >= s.dropFrom || !(scores[candidate]! > s.least);
    }
    met[candidate] = count;
    if (dropped) continue;
    if (scores[candidate] === before) kept[count++] = candidate;
    else queue.push(candidate);
  }
  return kept.subarray(0, count);
}
