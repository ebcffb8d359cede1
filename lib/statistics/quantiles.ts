// Quantiles of one value: the only statistic that needs the value itself.
import type { Granularity } from '../targets/target.ts';
import { toFloat32 } from '../tensor/convert.ts';
import { normalizeAxis, stridesOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The `share` quantile of a value (of its magnitudes with `isAbsolute`): of all elements, or for each index of an axis. */
export function quantilesOf(
  value: Tensor,
  how: {
    readonly share: number;
    readonly isAbsolute: boolean;
    readonly granularity: Granularity;
    readonly channelAxis?: number;
  },
): Float32Array {
  const data = toFloat32(value);
  if (how.granularity === 'perTensor') {
    const all: Elements = { data, first: 0, run: data.length, stride: data.length, runs: 1 };
    return Float32Array.of(quantileOf(all, how));
  }
  const axis = normalizeAxis(how.channelAxis ?? 1, value.shape.length);
  const channels = value.shape[axis]!;
  const run = stridesOf(value.shape)[axis]!;
  const stride = run * channels;
  const runs = stride > 0 ? data.length / stride : 0;
  return Float32Array.from({ length: channels }, (_, c) =>
    quantileOf({ data, first: c * run, run, stride, runs }, how),
  );
}

/** `runs` runs of `run` elements, whose beginnings are `stride` apart. */
interface Elements {
  readonly data: Float32Array;
  readonly first: number;
  readonly run: number;
  readonly stride: number;
  readonly runs: number;
}

/** Up to this share of the elements, the outermost ones are kept in a heap; beyond it all are reordered. */
const largestHeap = 1 / 64;

function quantileOf(elements: Elements, how: { readonly share: number; readonly isAbsolute: boolean }): number {
  const { data, first, run, stride, runs } = elements;
  const count = run * runs;
  const position = how.share * (count - 1);
  const below = Math.floor(position);
  const fromBelow = below + 2;
  const fromAbove = count - below;
  const kept = Math.min(fromBelow, fromAbove);
  if (kept <= count * largestHeap) {
    const isTop = kept === fromAbove;
    const [outer, next] = innermost(elements, kept, isTop ? 1 : -1, how.isAbsolute);
    const [low, high] = isTop ? [outer, next] : [next, outer];
    return low + (high - low) * (position - below);
  }
  const copy = new Float32Array(count);
  for (let r = 0; r < runs; r++) {
    const begin = first + r * stride;
    copy.set(data.subarray(begin, begin + run), r * run);
  }
  if (how.isAbsolute) for (let i = 0; i < count; i++) copy[i] = Math.abs(copy[i]!);
  return quantileInPlace(copy, how.share);
}

/**
 * Of the `kept` largest elements (smallest for `sign` −1) the one nearest to the rest and its neighbour, in one pass with
 * memory for `kept` numbers, whatever the order of the elements.
 */
function innermost(elements: Elements, kept: number, sign: 1 | -1, isAbsolute: boolean): readonly [number, number] {
  const { data, first, run, stride, runs } = elements;
  const heap = new Float32Array(kept).fill(Number.NEGATIVE_INFINITY);
  for (let r = 0; r < runs; r++) {
    const begin = first + r * stride;
    for (let i = begin; i < begin + run; i++) {
      const x = data[i]!;
      const v = sign * (isAbsolute && x < 0 ? -x : x);
      if (v > heap[0]!) replaceLeast(heap, v);
    }
  }
  const next = kept < 2 ? heap[0]! : kept < 3 ? heap[1]! : Math.min(heap[1]!, heap[2]!);
  return [sign * heap[0]!, sign * next];
}

/** Puts a number in the place of the least one of a heap whose entries are not greater than their children. */
function replaceLeast(heap: Float32Array, value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
}

/** As `quantile` of the sorted numbers, without sorting them: only the two neighbours of the position are found. */
function quantileInPlace(values: Float32Array, share: number): number {
  const position = share * (values.length - 1);
  const below = Math.floor(position);
  const low = selectInPlace(values, below);
  if (below + 1 >= values.length) return low;
  let high = values[below + 1]!;
  for (let i = below + 2; i < values.length; i++) if (values[i]! < high) high = values[i]!;
  return low + (high - low) * (position - below);
}

/** Reorders finite numbers until the one of rank `k` is at its place, smaller ones before and larger ones behind it (Hoare). */
function selectInPlace(values: Float32Array, k: number): number {
  let left = 0;
  let right = values.length - 1;
  while (left < right) {
    const pivot = middleOf(values[left]!, values[(left + right) >> 1]!, values[right]!);
    let i = left;
    let j = right;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const swapped = values[i]!;
      values[i++] = values[j]!;
      values[j--] = swapped;
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else break;
  }
  return values[k]!;
}

function middleOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** True when some element is NaN or infinite. */
export function isNotFinite(value: Tensor): boolean {
  const data = toFloat32(value);
  const whole = data.length - (data.length % 4);
  // NaN and infinity times zero are NaN, and stay NaN in a sum.
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += data[i]! * 0;
    b += data[i + 1]! * 0;
    c += data[i + 2]! * 0;
    d += data[i + 3]! * 0;
  }
  for (let i = whole; i < data.length; i++) a += data[i]! * 0;
  return Number.isNaN(a + b + c + d);
}
