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
  const magnitude = (v: number): number => (how.isAbsolute ? Math.abs(v) : v);
  if (how.granularity === 'perTensor') return Float32Array.of(quantileInPlace(data.map(magnitude), how.share));
  const axis = normalizeAxis(how.channelAxis ?? 1, value.shape.length);
  const channels = value.shape[axis]!;
  const stride = stridesOf(value.shape)[axis]!;
  const each = Array.from({ length: channels }, () => new Float32Array(data.length / Math.max(1, channels)));
  const filled = new Int32Array(channels);
  for (let i = 0; i < data.length; i++) {
    const c = Math.floor(i / stride) % channels;
    each[c]![filled[c]!++] = magnitude(data[i]!);
  }
  return Float32Array.from(each, (values) => quantileInPlace(values, how.share));
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
