// Cutting a tensor into the pieces of iterations, and putting such pieces together.
import { LowpError } from '../../errors/lowp-error.ts';
import type { PortMapping, Slicing } from '../../graph/sub-graph.ts';
import { elementCount, hasRank, normalizeAxis, type Shape } from '../../tensor/shape.ts';
import { stringTensor } from '../../tensor/strings.ts';
import { type Tensor, zeros } from '../../tensor/tensor.ts';
import { interleave, sequence, takeByAxes } from '../movement/take.ts';

/** A mapping with an axis along which its value is cut. */
export type Sliced = PortMapping & { readonly slicing: Slicing };

export function isSliced(mapping: PortMapping): mapping is Sliced {
  return mapping.slicing !== undefined;
}

/**
 * Pieces along an axis of `size` elements: `(|end − start| + 1) / partSize`.
 *
 * @throws {LowpError} `ERR_SHAPE_MISMATCH` when the range lies outside of the axis or is no multiple of a piece
 */
export function pieceCount({ start, end, partSize, axis }: Slicing, size: number): number {
  if (size === 0) return 0;
  const [first, last] = [start, end].map((i) => (i < 0 ? i + size : i)) as [number, number];
  const count = (Math.abs(last - first) + 1) / partSize;
  if (first < 0 || last < 0 || first >= size || last >= size || !Number.isInteger(count)) {
    const range = `${start} to ${end} in pieces of ${partSize}`;
    throw new LowpError('ERR_SHAPE_MISMATCH', `axis ${axis} has ${size} elements, they cannot be read from ${range}`);
  }
  return count;
}

/** Piece number `i` of a tensor, in the direction of the stride. */
export function pieceOf(t: Tensor, slicing: Slicing, i: number): Tensor {
  const axis = normalizeAxis(slicing.axis, t.shape.length);
  const size = t.shape[axis]!;
  const start = slicing.start < 0 ? slicing.start + size : slicing.start;
  const { partSize, stride } = slicing;
  const from = stride > 0 ? start + i * partSize : start - (i + 1) * partSize + 1;
  const positions = t.shape.map((d, a) => (a === axis ? sequence(partSize, from) : sequence(d)));
  return takeByAxes(t, positions);
}

/** Pieces in the order of iterations side by side along the axis, in the direction of the stride. */
export function joinPieces(pieces: readonly Tensor[], { axis, stride }: Slicing): Tensor {
  const ordered = stride < 0 ? pieces.toReversed() : pieces;
  const first = ordered[0]!;
  const at = normalizeAxis(axis, first.shape.length);
  const sizes = ordered.map((p) => p.shape[at]!);
  const rest = (shape: Shape): string => String(shape.toSpliced(at, 1));
  if (ordered.some((p) => rest(p.shape) !== rest(first.shape)))
    throw new LowpError('ERR_SHAPE_MISMATCH', 'the results of iterations have different shapes');
  const shape = first.shape.with(
    at,
    sizes.reduce((sum, d) => sum + d, 0),
  );
  return interleave(ordered, elementCount(first.shape.slice(0, at)), shape);
}

/** What is joined of no pieces, when one of them would have this type and shape. */
export function noPieces(type: Tensor['type'], shape: Shape, axis: number): Tensor {
  if (!hasRank(shape)) {
    throw new LowpError('ERR_SHAPE_DYNAMIC', 'the loop had no iteration, so the rank of what they join is not known');
  }
  const sizes = shape.map((d) => Math.max(d, 0));
  const empty = sizes.with(normalizeAxis(axis, shape.length), 0);
  return type === 'string' ? stringTensor(empty, []) : zeros(type, empty);
}
