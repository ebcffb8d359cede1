// Broadcasting of operands: shapes by the rule that an operation declares, values by index tables.
import { LowpError } from '../errors/lowp-error.ts';
import { toFloat64 } from '../tensor/convert.ts';
import { broadcastShapes, elementCount, formatShape, type Shape, sameShape, stridesOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The attributes of an operation with two broadcast operands. */
export interface BroadcastRule {
  readonly auto_broadcast: 'numpy' | 'none' | 'explicit' | 'pdpd';
}

/**
 * The shape of an operation on two operands. `numpy` aligns at the last axis; `none` (and `explicit`) wants equal shapes;
 * `pdpd` lets only the second operand grow.
 *
 * @throws {LowpError} `ERR_SHAPE_MISMATCH`
 */
export function broadcastBy(rule: BroadcastRule, a: Shape, b: Shape): number[] {
  if (rule.auto_broadcast === 'numpy') return broadcastShapes(a, b);
  if (rule.auto_broadcast === 'pdpd') {
    requireOneWay(b, a);
    return [...a];
  }
  const fits = a.length === b.length && a.every((d, i) => d === b[i] || d < 0 || b[i]! < 0);
  if (!fits) throw new LowpError('ERR_SHAPE_MISMATCH', `shapes ${formatShape(a)} and ${formatShape(b)} must be equal`);
  return a.map((d, i) => Math.max(d, b[i]!));
}

/**
 * Checks that `from` expands to `to` and not the other way round.
 *
 * @throws {LowpError} `ERR_SHAPE_MISMATCH`
 */
export function requireOneWay(from: Shape, to: Shape): void {
  const shift = to.length - from.length;
  const fits = shift >= 0 && from.every((d, i) => d === 1 || d < 0 || to[i + shift]! < 0 || d === to[i + shift]);
  if (!fits)
    throw new LowpError('ERR_SHAPE_MISMATCH', `shape ${formatShape(from)} does not expand to ${formatShape(to)}`);
}

/** For each axis of `to`: the elements of a tensor of shape `from` between neighbours, 0 along an expanded axis. */
export function expandedStrides(from: Shape, to: Shape): number[] {
  const shift = to.length - from.length;
  const strides = stridesOf(from);
  return to.map((_, i) => (i < shift || from[i - shift] === 1 ? 0 : strides[i - shift]!));
}

/** Values of shape `from` repeated to shape `to`; the same array when the shapes are equal. */
export function expandValues(values: Float64Array, from: Shape, to: Shape): Float64Array {
  if (sameShape(from, to)) return values;
  const aligned = [...new Array<number>(to.length - from.length).fill(1), ...from];
  const out = new Float64Array(elementCount(to));
  const [sizes, steps] = [stridesOf(to), stridesOf(aligned)];
  const copy = (axis: number, source: number, target: number): void => {
    const [inner, size] = [sizes[axis - 1] ?? out.length, steps[axis - 1] ?? values.length];
    if (size === 1) out.fill(values[source]!, target, target + inner);
    else if (size === inner) out.set(values.subarray(source, source + size), target);
    else {
      const step = aligned[axis] === 1 ? 0 : steps[axis]!;
      for (let i = 0; i < to[axis]!; i++) copy(axis + 1, source + i * step, target + i * sizes[axis]!);
    }
  };
  copy(0, 0, 0);
  return out;
}

/** The elements of a tensor as doubles, repeated to `shape`. */
export function expandTensor(t: Tensor, shape: Shape): Float64Array {
  return expandValues(toFloat64(t), t.shape, shape);
}

/** For each index of a row-major `shape`: `Σ index[axis] · strides[axis]`. */
export function stridedOffsets(shape: Shape, strides: readonly number[]): Int32Array {
  let block = new Int32Array(1);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    const stride = strides[axis]!;
    const next = new Int32Array(block.length * size);
    for (let i = 0; i < size; i++) {
      const at = i * block.length;
      for (let j = 0; j < block.length; j++) next[at + j] = block[j]! + i * stride;
    }
    block = next;
  }
  return block;
}
