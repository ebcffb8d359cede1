// MaxPool, AvgPool and means over all positions as native kernel calls.
import type { Node } from '../../graph/node.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { LowerContext, QuantFormat } from '../lower-context.ts';
import { roundingOf } from '../quantization/grid.ts';
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
  const rounding = to && roundingOf(to);
  const scale = (from?.scale[0] ?? 1) / (rounding?.scale[0] ?? 1);
  const beside = from ? from.zeroPoint[0]! - from.zero[0]! : 0;
  return { scale, bias: (rounding?.zero[0] ?? 0) + beside * scale };
}

/** Positions that the kernel counts. */
const mostPositions = 2 ** 31 - 1;

/** Maxima on one to three spatial axes, of one element at least. */
export function canLowerMaximum(node: Node, window: Window): boolean {
  const fits = node.outputs.length === 1 || elementCount(node.source(0)!.fact.shape) <= mostPositions;
  return fitsKernels(window) && fits && window.input.every((_, axis) => !hasEmptyWindow(window, axis));
}

/** Emits a call for maxima and for their positions in the tensor flattened from `axis` on. */
export function lowerMaxPositions(node: Node, context: LowerContext, window: Window, axis: number): void {
  const x = node.source(0)!.fact.shape;
  const [batch, channels] = [x[0]!, x[1]!];
  const volume = elementCount(x.slice(2));
  const bytes = context.quantized(node, 0, 'channelsLast', { strided: true });
  const place = bytes
    ? context.placeQuantized(node.output, 'channelsLast', bytes.format, { strided: true })
    : context.placeFloat(node.output, 'channelsLast', { strided: true });
  context.builder.call(
    'max_positions',
    {
      batch,
      ...volumeGeometry(window),
      channels,
      inStride: bytes?.stride ?? channels,
      outStride: place.stride,
      outOffset: place.offset,
      batchStep: axis === 0 ? channels * volume : 0,
      channelStep: axis <= 1 ? volume : 0,
      period: axis <= 2 ? volume : elementCount(x.slice(axis)),
    },
    {
      name: node.name,
      in: [bytes?.buffer ?? context.float(node, 0, 'channelsLast')],
      out: [place.buffer, context.place(node.outputs[1]!, 'channelsLast')],
    },
  );
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
