// Writes elements of one tensor to places of a copy of another one: the base of scatter operations.
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { isFloat } from '../../tensor/element-type.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { isPacked, packed, unpacked, wordsOf } from './take.ts';

/**
 * A copy of `t` in which element `target[i]` is element `i` of `updates`, or block by block of `block` consecutive
 * elements; of several writes to one place the last wins.
 *
 * @throws {LowpError} `ERR_TYPE_MISMATCH`, `ERR_TYPE_UNSUPPORTED` for strings
 */
export function put(t: Tensor, target: Int32Array, updates: Tensor, block = 1): Tensor {
  if (t.type !== updates.type) {
    throw new LowpError('ERR_TYPE_MISMATCH', `updates have type ${updates.type}, the data ${t.type}`);
  }
  if (t.type === 'string') throw new LowpError('ERR_TYPE_UNSUPPORTED', 'strings are not written to places');
  if (isPacked(t)) return packed(put(unpacked(t), target, unpacked(updates), block), t.type);
  const data = t.data.slice();
  const [to, from] = [wordsOf(data), wordsOf(updates.data).array];
  const words = block * to.perElement;
  if (words === 1) for (let i = 0; i < target.length; i++) to.array[target[i]!] = from[i]!;
  else for (const [i, at] of target.entries()) to.array.set(from.subarray(i * words, (i + 1) * words), at * words);
  return { type: t.type, shape: [...t.shape], data };
}

/** How an update meets the element that is there. */
export type Reduction = 'none' | 'sum' | 'sub' | 'prod' | 'min' | 'max' | 'mean';

const reductions: Readonly<Record<Exclude<Reduction, 'none'>, (x: number, u: number) => number>> = {
  sum: (x, u) => x + u,
  sub: (x, u) => x - u,
  prod: (x, u) => x * u,
  min: Math.min,
  max: Math.max,
  mean: (x, u) => x + u,
};

/**
 * A copy of `t` in which element `target[i]` is reduced with element `i` of `updates`, one after another. Without
 * `keepsOld` the first update of a place replaces what was there. A mean of whole numbers is rounded down.
 *
 * @throws {LowpError} as {@link put}
 */
export function reduceInto(t: Tensor, target: Int32Array, updates: Tensor, by: Reduction, keepsOld = true): Tensor {
  if (by === 'none') return put(t, target, updates);
  if (t.type !== updates.type) {
    throw new LowpError('ERR_TYPE_MISMATCH', `updates have type ${updates.type}, the data ${t.type}`);
  }
  const [values, list] = [toFloat64(t), toFloat64(updates)];
  const counts = new Uint32Array(values.length).fill(keepsOld ? 1 : 0);
  for (const [i, at] of target.entries()) {
    values[at] = counts[at]!++ === 0 ? list[i]! : reductions[by](values[at]!, list[i]!);
  }
  if (by === 'mean') {
    const whole = !isFloat(t.type);
    for (const at of new Set(target)) {
      const mean = values[at]! / counts[at]!;
      values[at] = whole ? Math.floor(mean) : mean;
    }
  }
  return fromFloat64(values, t.shape, t.type);
}

/**
 * A position on an axis, counted from the front.
 *
 * @throws {LowpError} `ERR_SHAPE_MISMATCH` when it lies outside
 */
export function positionOn(index: number, size: number): number {
  const at = index < 0 ? index + size : index;
  if (at >= 0 && at < size) return at;
  throw new LowpError('ERR_SHAPE_MISMATCH', `index ${index} lies outside of an axis with ${size} elements`);
}
