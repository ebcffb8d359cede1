// Shapes, their limits and the positions of their elements.
import { limits } from '../errors/limits.ts';
import { LowpError } from '../errors/lowp-error.ts';

/** Row-major sizes; -1 is a dynamic dimension. A scalar has the empty shape. {@link unknownRank} stands for any shape. */
export type Shape = readonly number[];

/**
 * The shape of a tensor of which not even the number of dimensions is known. It is not static, and of no use axis by axis:
 * who asks for the rank asks {@link hasRank} first. Operations are not asked, `inferFacts` tries the ranks for them.
 */
export const unknownRank: Shape = Object.freeze([-2]);

/** False for {@link unknownRank} and copies of it. */
export function hasRank(shape: Shape): boolean {
  return shape.length !== 1 || shape[0] !== -2;
}

/** Largest number of elements that a tensor may have. */
export const maxElements = limits.tensorElements.value;

export function isStatic(shape: Shape): boolean {
  return shape.every((d) => d >= 0);
}

/**
 * Number of elements, the product of all sizes.
 *
 * @throws {LowpError} `ERR_SHAPE_DYNAMIC` for a dynamic dimension, `ERR_SHAPE_OVERFLOW` beyond 2^40 elements
 */
export function elementCount(shape: Shape): number {
  let count = 1;
  for (const d of shape) {
    if (d < 0) throw new LowpError('ERR_SHAPE_DYNAMIC', `shape ${formatShape(shape)} has a dynamic dimension`);
    count *= d;
    if (count > maxElements || !Number.isSafeInteger(d)) {
      throw new LowpError('ERR_SHAPE_OVERFLOW', `shape ${formatShape(shape)} has more than 2^40 elements`);
    }
  }
  return count;
}

/**
 * A shape of which only the number of dimensions is known.
 *
 * @throws {LowpError} `ERR_SHAPE_RANK` beyond the limit
 */
export function unknownShape(rank: number): number[] {
  requireRankWithinLimit(rank);
  return new Array<number>(Math.max(0, rank)).fill(-1);
}

/**
 * A shape that a tensor can have, as far as it is known. Only {@link unknownRank} itself stands for any: in a copy, -2 may
 * be a size that was computed.
 *
 * @throws {LowpError} `ERR_SHAPE_RANK` for too many dimensions, `ERR_SHAPE_OVERFLOW` for a dimension that is no whole
 *   number from -1 to 2^40, or when the known dimensions alone make more than 2^40 elements
 */
export function requireShape(shape: Shape): void {
  if (shape === unknownRank) return;
  requireRankWithinLimit(shape.length);
  for (const d of shape) {
    if (d < -1 || d > maxElements || !Number.isInteger(d)) {
      throw new LowpError('ERR_SHAPE_OVERFLOW', `${d} is not a dimension: expected -1 to 2^40`);
    }
  }
  if (isStatic(shape)) elementCount(shape);
}

function requireRankWithinLimit(rank: number): void {
  if (rank <= limits.rank.value) return;
  throw new LowpError('ERR_SHAPE_RANK', `a tensor of rank ${rank}; lowp reads up to rank ${limits.rank.value}`);
}

/** Number of elements as if empty axes had one: what lists of positions along the axes take, even of an empty tensor. */
export function spannedElements(shape: Shape): number {
  return shape.reduce((product, d) => product * Math.max(d, 1), 1);
}

/** Elements between neighbours along each axis of a dense row-major tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** What is known of a tensor that has the one shape or the other. */
export function commonShape(a: Shape, b: Shape): Shape {
  if (a.length !== b.length || !hasRank(a) || !hasRank(b)) return unknownRank;
  return a.map((d, i) => (d === b[i] ? d : -1));
}

/** True when a tensor of shape `a` has the shape `b` too, of which less may be known. */
export function isWithin(a: Shape, b: Shape): boolean {
  return !hasRank(b) || (a.length === b.length && b.every((d, i) => d < 0 || d === a[i]));
}

/**
 * The axis counted from the front.
 *
 * @throws {LowpError} `ERR_SHAPE_RANK` when it lies outside [-rank, rank)
 */
export function normalizeAxis(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(positive) || positive < 0 || positive >= rank) {
    throw new LowpError('ERR_SHAPE_RANK', `axis ${axis} does not exist in a tensor of rank ${rank}`);
  }
  return positive;
}

/**
 * Numpy broadcasting of two shapes; a dynamic dimension meets 1 or itself, and wins over 1.
 *
 * @throws {LowpError} `ERR_SHAPE_MISMATCH`
 */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[i - (rank - a.length)] ?? 1;
    const y = b[i - (rank - b.length)] ?? 1;
    if (x === y || y === 1) out[i] = x;
    else if (x === 1) out[i] = y;
    else if (x === -1 || y === -1) out[i] = Math.max(x, y);
    else throw new LowpError('ERR_SHAPE_MISMATCH', `shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast`);
  }
  return out;
}

/** `[1,3,?,?]`, for messages; `[...]` for an unknown rank. */
export function formatShape(shape: Shape): string {
  if (!hasRank(shape)) return '[...]';
  return `[${shape.map((d) => (d < 0 ? '?' : d)).join(',')}]`;
}
