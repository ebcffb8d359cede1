// Splitting a tensor at one axis, and lists of axes.
import { elementCount, normalizeAxis, type Shape } from '../tensor/shape.ts';

/** A row-major tensor seen as `[outer, size, inner]` around one axis. */
export interface AxisView {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

/** @throws {LowpError} `ERR_SHAPE_RANK` when the axis does not exist */
export function viewAround(shape: Shape, axis: number): AxisView {
  const at = normalizeAxis(axis, shape.length);
  return { outer: elementCount(shape.slice(0, at)), size: shape[at]!, inner: elementCount(shape.slice(at + 1)) };
}

/** Axes counted from the front, each once, in ascending order. */
export function normalizeAxes(axes: readonly number[], rank: number): number[] {
  return [...new Set(axes.map((a) => normalizeAxis(a, rank)))].sort((a, b) => a - b);
}
