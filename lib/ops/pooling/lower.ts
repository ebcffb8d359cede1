// MaxPool, AvgPool and means over all positions as native kernel calls.
import type { Node } from '../../graph/node.ts';
import type { LowerContext } from '../lower-context.ts';
import { fitsPlane, onPlane, planeGeometry } from '../plane-geometry.ts';
import type { Window } from '../window.ts';

/** How elements under a window become one. */
export type PoolMode = 'max' | 'averageInside' | 'averagePadded';

const modes: Readonly<Record<PoolMode, number>> = { max: 0, averageInside: 1, averagePadded: 2 };

/** Emits a pooling call over one or two spatial axes. */
export function lowerPool(node: Node, context: LowerContext, window: Window, mode: PoolMode): void {
  const x = node.source(0)!.fact.shape;
  const channels = x[1]!;
  const [padBottom, padRight] = onPlane(window.padsEnd, 0);
  const bytes = context.quantized(node, 0, 'channelsLast', { strided: true });
  const input = bytes?.buffer ?? context.float(node, 0, 'channelsLast');
  const tail = context.tail(node);
  const stored = mode === 'max' ? bytes?.format : tail.format;
  const place = stored
    ? context.placeQuantized(tail.port, 'channelsLast', stored, { strided: true })
    : context.placeFloat(tail.port, 'channelsLast', { strided: true });
  const inScale = bytes?.format.scale[0] ?? 1;
  context.builder.call(
    'pool',
    {
      batch: x[0]!,
      ...planeGeometry(window),
      channels,
      inStride: bytes?.stride ?? channels,
      outStride: place.stride,
      outOffset: place.offset,
      padBottom,
      padRight,
      mode: modes[mode],
      inZeroPoint: bytes?.format.zeroPoint[0] ?? 0,
      scale: mode === 'max' ? 1 : inScale / (tail.format?.scale[0] ?? 1),
      bias: mode === 'max' ? 0 : (tail.format?.zeroPoint[0] ?? 0),
    },
    { name: node.name, in: [input], out: [place.buffer] },
  );
}

/** Maxima on one or two spatial axes: of one element at least, and nobody reads their positions. */
export function canLowerMaximum(node: Node, window: Window): boolean {
  const isRead = node.outputs.slice(1).some((o) => o.consumers.size > 0);
  return fitsPlane(window) && !isRead && window.input.every((_, axis) => !hasEmptyWindow(window, axis));
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
