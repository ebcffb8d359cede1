// MaxPool, AvgPool and means over all positions as native kernel calls.
import type { Node } from '../../graph/node.ts';
import type { LowerContext } from '../lower-context.ts';
import type { Window } from '../window.ts';

/** How elements under a window become one. */
export type PoolMode = 'max' | 'averageInside' | 'averagePadded';

const modes: Readonly<Record<PoolMode, number>> = { max: 0, averageInside: 1, averagePadded: 2 };

/** Emits a pooling call over one or two spatial axes. */
export function lowerPool(node: Node, context: LowerContext, window: Window, mode: PoolMode): void {
  const x = node.source(0)!.fact.shape;
  const channels = x[1]!;
  const two = (values: readonly number[], fill: number): [number, number] =>
    values.length === 1 ? [fill, values[0]!] : [values[0]!, values[1]!];
  const [inH, inW] = two(window.input, 1);
  const [outH, outW] = two(window.output, 1);
  const [kernelH, kernelW] = two(window.kernel, 1);
  const [strideH, strideW] = two(window.strides, 1);
  const [dilationH, dilationW] = two(window.dilations, 1);
  const [padTop, padLeft] = two(window.padsBegin, 0);
  const [padBottom, padRight] = two(window.padsEnd, 0);
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
      inH,
      inW,
      channels,
      inStride: bytes?.stride ?? channels,
      outH,
      outW,
      outStride: place.stride,
      outOffset: place.offset,
      kernelH,
      kernelW,
      strideH,
      strideW,
      dilationH,
      dilationW,
      padTop,
      padLeft,
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

/** One or two spatial axes. */
export function canLowerPool(_: unknown, node: Node): boolean {
  const rank = node.source(0)!.fact.shape.length;
  return (rank === 3 || rank === 4) && node.outputs.slice(1).every((o) => o.consumers.size === 0);
}
