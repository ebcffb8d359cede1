// What PriorBox and PriorBoxClustered share: the same boxes around the center of every cell of a grid.
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { toIntegers } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Facts, inputFact, knownIntegers } from '../fact.ts';

/** A box of every cell, in pixels of the image: its center relative to the center of the cell, and half its sizes. */
export interface CellBox {
  readonly dx: number;
  readonly dy: number;
  readonly halfWidth: number;
  readonly halfHeight: number;
  /** Near corner at least 0 and far corner at most 1, whatever the attributes say. */
  readonly clip?: boolean;
}

/** How the grid lies over the image. */
export interface PriorGrid {
  readonly boxes: readonly CellBox[];
  /** Center of the first cell, and from one center to the next, in pixels. */
  readonly start: readonly [x: number, y: number];
  readonly step: readonly [x: number, y: number];
  /** Every corner into [0, 1]. */
  readonly clip: boolean;
  readonly variance: readonly number[];
}

/** Height and width of the grid and of the image. */
export interface GridSizes {
  readonly grid: readonly [number, number];
  readonly image: readonly [number, number];
}

/** f32 of shape [2, 4 · cells · boxes of a cell]; both inputs are [height, width]. */
export function inferPriors(inputs: Facts, boxes: number): Fact[] {
  const [grid, image] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  for (const [i, fact] of [grid, image].entries()) {
    if (fact.shape.length === 1 && (fact.shape[0] === 2 || fact.shape[0] === -1)) continue;
    throw new LowpError('ERR_SHAPE_MISMATCH', `input ${i} must hold height and width: shape [2]`);
  }
  const sizes = knownIntegers(grid);
  return [{ type: 'f32', shape: [2, sizes ? 4 * boxes * sizes[0]! * sizes[1]! : -1] }];
}

export function sizesOf(inputs: readonly Tensor[]): GridSizes {
  const [grid, image] = inputs.map((t) => toIntegers(t));
  for (const [what, sizes] of [['grid', grid!] as const, ['image', image!] as const]) {
    if (sizes.length === 2 && sizes.every((s) => s >= 0)) continue;
    throw new LowpError('ERR_OP_INPUTS', `the sizes of the ${what} are ${sizes.join(', ')}, expected height and width`);
  }
  return { grid: [grid![0]!, grid![1]!], image: [image![0]!, image![1]!] };
}

/**
 * Row 0: (x − halfWidth) / imageWidth, (y − halfHeight) / imageHeight, and the far corner, of every box of every cell,
 * cells row by row. Row 1: the four variances of each box; one variance counts for all, none is 0.1.
 */
export function writePriors(p: PriorGrid, { grid, image }: GridSizes): Tensor {
  const row = 4 * p.boxes.length * grid[0] * grid[1];
  const data = new Float32Array(2 * row);
  let at = 0;
  const cells = grid[0] * grid[1];
  for (let cell = 0; cell < cells; cell++) {
    for (const box of p.boxes) {
      const x = p.start[0] + (cell % grid[1]) * p.step[0] + box.dx;
      const y = p.start[1] + Math.floor(cell / grid[1]) * p.step[1] + box.dy;
      data[at++] = (x - box.halfWidth) / image[1];
      data[at++] = (y - box.halfHeight) / image[0];
      data[at++] = (x + box.halfWidth) / image[1];
      data[at++] = (y + box.halfHeight) / image[0];
      if (box.clip || p.clip) clip(data.subarray(at - 4, at), p.clip);
    }
  }
  const { variance } = p;
  for (let i = 0; i < row; i++) data[row + i] = variance.length === 4 ? variance[i % 4]! : (variance[0] ?? 0.1);
  return { type: 'f32', shape: [2, row], data };
}

function clip(box: Float32Array, both: boolean): void {
  for (let i = 0; i < 4; i++) {
    if (i < 2 || both) box[i] = Math.max(box[i]!, 0);
    if (i > 1 || both) box[i] = Math.min(box[i]!, 1);
  }
}
