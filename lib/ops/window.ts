// Geometry of sliding windows: padding rules and output sizes of convolutions and pooling.
import { limits } from '../errors/limits.ts';
import { LowpError } from '../errors/lowp-error.ts';
import type { Shape } from '../tensor/shape.ts';

/** What the attributes of a windowed operation say; empty lists stand for ones (pads: zeros). */
export interface WindowAttributes {
  readonly strides: readonly number[];
  readonly dilations?: readonly number[];
  readonly pads_begin: readonly number[];
  readonly pads_end: readonly number[];
  readonly auto_pad: 'explicit' | 'notset' | 'same_upper' | 'same_lower' | 'valid';
  readonly rounding_type?: 'floor' | 'ceil' | 'ceil_torch';
}

/** A window over spatial axes with everything resolved; all lists have one entry per spatial axis. */
export interface Window {
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padsBegin: readonly number[];
  readonly padsEnd: readonly number[];
  /** Output sizes, -1 where the input is dynamic. */
  readonly output: readonly number[];
}

/**
 * Resolves a window over an input of spatial sizes `input`.
 *
 * `reach = (kernel − 1) · dilation + 1`. Explicit: `floor((in + begin + end − reach) / stride) + 1`, with `ceil` for
 * `rounding_type=ceil`; valid: the same without padding; same: `ceil(in / stride)`, the odd element of padding at the
 * end (upper) or at the beginning (lower). `ceil_torch` drops a last window that starts in the padding behind the input.
 *
 * @throws {LowpError} `ERR_OP_ATTRIBUTE` for lists of a wrong length or values out of range, `ERR_SHAPE_MISMATCH` when the
 *   kernel is larger than the padded input
 */
export function resolveWindow(attributes: WindowAttributes, input: Shape, kernel: Shape): Window {
  const rank = input.length;
  if (kernel.length !== rank) {
    throw new LowpError('ERR_SHAPE_RANK', `the kernel has ${kernel.length} spatial axes, the input has ${rank}`);
  }
  for (const taps of kernel) {
    if (taps <= limits.windowTaps.value) continue;
    throw new LowpError('ERR_LIMIT_SIZE', `a window of ${taps} elements; at most ${limits.windowTaps.value} are read`);
  }
  const strides = axisList(attributes.strides, rank, 1, 1, 'strides');
  const dilations = axisList(attributes.dilations ?? [], rank, 1, 1, 'dilations');
  const padsBegin = axisList(attributes.pads_begin, rank, 0, -limits.windowSteps.value, 'pads_begin');
  const padsEnd = axisList(attributes.pads_end, rank, 0, -limits.windowSteps.value, 'pads_end');
  const output: number[] = [];
  for (let i = 0; i < rank; i++) {
    const size = input[i]!;
    const stride = strides[i]!;
    const reach = (kernel[i]! - 1) * dilations[i]! + 1;
    if (kernel[i]! < 1)
      throw new LowpError('ERR_SHAPE_MISMATCH', `the kernel has size ${kernel[i]} on spatial axis ${i}`);
    if (attributes.auto_pad === 'valid') padsBegin[i] = padsEnd[i] = 0;
    if (attributes.auto_pad === 'same_upper' || attributes.auto_pad === 'same_lower') {
      output.push(size < 0 ? -1 : Math.ceil(size / stride));
      const total = size < 0 ? 0 : Math.max(0, (output[i]! - 1) * stride + reach - size);
      const half = Math.floor(total / 2);
      padsBegin[i] = attributes.auto_pad === 'same_upper' ? half : total - half;
      padsEnd[i] = total - padsBegin[i]!;
      continue;
    }
    output.push(size < 0 ? -1 : outputSize(attributes, size, padsBegin[i]!, padsEnd[i]!, reach, stride, i));
  }
  return { input, kernel, strides, dilations, padsBegin, padsEnd, output };
}

function outputSize(
  attributes: WindowAttributes,
  size: number,
  begin: number,
  end: number,
  reach: number,
  stride: number,
  axis: number,
): number {
  const room = size + begin + end - reach;
  if (room < 0) {
    throw new LowpError(
      'ERR_SHAPE_MISMATCH',
      `the kernel spans ${reach} elements of spatial axis ${axis}, the padded input has ${size + begin + end}`,
    );
  }
  const rounding = attributes.rounding_type ?? 'floor';
  if (rounding === 'floor') return Math.floor(room / stride) + 1;
  const count = Math.ceil(room / stride) + 1;
  return rounding === 'ceil_torch' && (count - 1) * stride >= size + begin ? count - 1 : count;
}

/** A list with one entry per axis; an empty list means `fill` everywhere. */
export function axisList(values: readonly number[], rank: number, fill: number, least: number, name: string): number[] {
  if (values.length === 0) return new Array<number>(rank).fill(fill);
  if (values.length !== rank) {
    throw new LowpError('ERR_OP_ATTRIBUTE', `${name} has ${values.length} entries, the input has ${rank} spatial axes`);
  }
  const most = limits.windowSteps.value;
  if (values.some((v) => v < least || v > most)) {
    throw new LowpError('ERR_OP_ATTRIBUTE', `${name} = ${values.join(',')}: expected ${least} to ${most}`);
  }
  return [...values];
}

/** Output positions `[from, to)` for which a window tap lies inside the input, and the tap's input index at `from`. */
export interface TapRange {
  readonly from: number;
  readonly to: number;
  readonly start: number;
}

/**
 * For each tap `k` of one axis: the positions `o` in `[0, count)` with `0 <= o · stride − pad + k · dilation < limit`.
 * Used forwards (positions are outputs, `limit` the input size) and backwards (positions are inputs).
 */
export function tapRanges(
  kernel: number,
  axis: { readonly stride: number; readonly dilation: number; readonly pad: number },
  count: number,
  limit: number,
): TapRange[] {
  return Array.from({ length: kernel }, (_, k) => {
    const shift = k * axis.dilation - axis.pad;
    const from = Math.max(0, Math.ceil(-shift / axis.stride));
    const to = Math.min(count, Math.floor((limit - 1 - shift) / axis.stride) + 1);
    return { from, to, start: from * axis.stride + shift };
  });
}
