// Boxes of two-stage detectors: a box is moved by what the network says about it.

/** How boxes are refined. */
export interface Refinement {
  /** Added to sides: 1 where corners are pixels that belong to the box. */
  readonly extent: number;
  /** Taken off the far corner of the result. */
  readonly back: number;
  /** Largest logarithm of a growth. */
  readonly maxDeltaLogWh: number;
}

/** `log(1000 / 16)`: the growth that detectors of this family allow. */
export const usualGrowth = Math.fround(Math.log(1000 / 16));

/**
 * The box at `from` moved to where `center + (dx, dy) · size` is its center and `exp(dw), exp(dh)` times its size.
 * Written to `to`; the two may be the same.
 */
export function refine(
  boxes: Float64Array,
  from: number,
  delta: readonly [dx: number, dy: number, dw: number, dh: number],
  r: Refinement,
  to: Float64Array,
  at: number,
): void {
  for (let axis = 0; axis < 2; axis++) {
    const size = boxes[from + axis + 2]! - boxes[from + axis]! + r.extent;
    const center = boxes[from + axis]! + size / 2 + delta[axis]! * size;
    const half = (Math.exp(Math.min(delta[axis + 2]!, r.maxDeltaLogWh)) * size) / 2;
    to[at + axis] = center - half;
    to[at + axis + 2] = center + half - r.back;
  }
}

/** Corners into [0, width] and [0, height]. */
export function clipBox(boxes: Float64Array, at: number, width: number, height: number): void {
  for (let i = 0; i < 4; i++) boxes[at + i] = Math.max(0, Math.min(boxes[at + i]!, i % 2 === 0 ? width : height));
}
