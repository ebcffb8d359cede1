// MaxPool, AvgPool and means over all positions as native kernel calls.
import type { Node } from '../../graph/node.ts';
import type { LowerContext, QuantFormat } from '../lower-context.ts';
import type { Window } from '../window.ts';
import { fitsKernels, spatialAxes, volumeGeometry } from '../window-geometry.ts';

/** How elements under a window become one. */
export type PoolMode = 'max' | 'averageInside' | 'averagePadded';

const modes: Readonly<Record<PoolMode, number>> = { max: 0, averageInside: 1, averagePadded: 2 };

/** Emits a pooling call over one to three spatial axes. */
export function lowerPool(node: Node, context: LowerContext, window: Window, mode: PoolMode): void {
  const x = node.source(0)!.fact.shape;
  const channels = x[1]!;
  const [padBack, padBottom, padRight] = spatialAxes(window.padsEnd, 0);
  const bytes = context.quantized(node, 0, 'channelsLast', { strided: true });
  const input = bytes?.buffer ?? context.float(node, 0, 'channelsLast');
  const tail = context.tail(node);
  const stored = mode === 'max' ? bytes?.format : tail.format;
  const place = stored
    ? context.placeQuantized(tail.port, 'channelsLast', stored, { strided: true })
    : context.placeFloat(tail.port, 'channelsLast', { strided: true });
  const { scale, bias } = mode === 'max' ? { scale: 1, bias: 0 } : averageScale(bytes?.format, tail.format);
  context.builder.call(
    'pool',
    {
      batch: x[0]!,
      ...volumeGeometry(window),
      channels,
      inStride: bytes?.stride ?? channels,
      outStride: place.stride,
      outOffset: place.offset,
      padBack,
      padBottom,
      padRight,
      mode: modes[mode],
      inZeroPoint: bytes?.format.zeroPoint[0] ?? 0,
      scale,
      bias,
    },
    { name: node.name, in: [input], out: [place.buffer] },
  );
}

/** `mean(q − zeroPoint) · scale + bias` is the mean of the input in the output's format, or a float. */
function averageScale(from: QuantFormat | undefined, to: QuantFormat | undefined): { scale: number; bias: number } {
  const scale = (from?.scale[0] ?? 1) / (to?.scale[0] ?? 1);
  const beside = from ? from.zeroPoint[0]! - from.zero[0]! : 0;
  return { scale, bias: (to?.zero[0] ?? 0) + beside * scale };
}

/** Maxima on one to three spatial axes: of one element at least, and nobody reads their positions. */
export function canLowerMaximum(node: Node, window: Window): boolean {
  const isRead = node.outputs.slice(1).some((o) => o.consumers.size > 0);
  return fitsKernels(window) && !isRead && window.input.every((_, axis) => !hasEmptyWindow(window, axis));
}

/** True when some output position sees padding only along an axis. */
function hasEmptyWindow({ input, kernel, strides, dilations, padsBegin, output }: Window, axis: number): boolean {
  const [size, dilation] = [input[axis]!, dilations[axis]!];
  for (let o = 0; o < output[axis]!; o++) {
    const start = o * strides[axis]! - padsBegin[axis]!;
    const first = start < 0 ? start + Math.ceil(-start / dilation) * dilation : start;
    if (first >= size || first > start + (kernel[axis]! - 1) * dilation) return true;
  }
  return false;
}
