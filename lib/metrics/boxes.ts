// Boxes in metrics: rows of a tensor, and how much two of them overlap.
import { LowpError } from '../errors/lowp-error.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A box in pixels or in any unit that both sides share; the corners count as points, not as pixels. */
export interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly category: number;
  /** 1 where none is given. */
  readonly score: number;
}

/**
 * Rows `x1, y1, x2, y2, [score,] class`.
 *
 * @throws {LowpError} `ERR_DATA_LABELS` for another shape
 */
export function boxesOf(t: Tensor, what: string): Box[] {
  const [rows, columns] = t.shape;
  if (t.shape.length !== 2 || (columns !== 5 && columns !== 6)) {
    throw new LowpError(
      'ERR_DATA_LABELS',
      `${what} has the shape ${formatShape(t.shape)}; expected boxes as [n, 5] or, with scores, [n, 6]`,
      { help: 'A dataset file names a postprocess that makes boxes of the outputs of a detector.' },
    );
  }
  const at = (i: number): number => Number(t.data[i]);
  return Array.from({ length: rows! }, (_, i) => {
    const o = i * columns;
    return {
      x1: at(o),
      y1: at(o + 1),
      x2: at(o + 2),
      y2: at(o + 3),
      score: columns === 6 ? at(o + 4) : 1,
      category: at(o + columns - 1),
    };
  });
}

/** Area of the common part over the area of both together, 0 for boxes without area. */
export function overlap(a: Omit<Box, 'category' | 'score'>, b: Omit<Box, 'category' | 'score'>): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (!(width > 0 && height > 0)) return 0;
  const both = width * height;
  return both / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - both);
}
