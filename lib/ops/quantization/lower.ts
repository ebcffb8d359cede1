// FakeQuantize as a native kernel call: bytes when something behind it reads bytes, else rounded floats.
import { constantOf, type Node } from '../../graph/node.ts';
import { toFloat32 } from '../../tensor/convert.ts';
import { elementCount, type Shape } from '../../tensor/shape.ts';
import type { LowerContext, QuantFormat } from '../lower-context.ts';
import { boundsOf, noLimits, roundingOf } from './grid.ts';

/** Pixels of three channels take four bytes, so that a convolution reads whole words. */
const leastPixel = (channels: number): number => (channels === 3 ? 4 : channels);

/** A kernel counts levels in 32 bits with a sign. */
const mostLevels = 2 ** 31 - 1;

/** Constant limits, one for the tensor or one for each index of axis 1, and levels that a kernel can count. */
export function canLowerFakeQuantize(a: { readonly levels: number }, node: Node): boolean {
  const { shape } = node.source(0)!.fact;
  if (a.levels > mostLevels) return false;
  return [1, 2, 3, 4].every((i) => {
    const limit = constantOf(node.source(i));
    return limit !== undefined && (limit.data.length === 1 || isPerChannel(limit.shape, shape));
  });
}

function isPerChannel(limit: Shape, shape: Shape): boolean {
  const padded = [...new Array<number>(Math.max(0, shape.length - limit.length)).fill(1), ...limit];
  return shape.length >= 2 && padded.every((d, i) => (i === 1 ? d === shape[1] : d === 1));
}

/** Emits the rounding, to bytes when the value is planned as bytes. */
export function lowerFakeQuantize(a: { readonly levels: number }, node: Node, context: LowerContext): void {
  const format = context.storedFormat(node);
  if (format) lowerToBytes(node, context, format);
  else lowerToFloats(a.levels, node, context);
}

function lowerToBytes(node: Node, context: LowerContext, format: QuantFormat): void {
  const { builder } = context;
  const { shape } = node.output.fact;
  const perChannel = format.scale.length > 1;
  const from = context.layoutOf(node, 0);
  const hasImageRank = shape.length >= 4 || (shape.length === 3 && (from === 'channelsLast' || perChannel));
  const isImage = hasImageRank && (perChannel || from === 'channelsLast' || !context.isReadPlain(node.output));
  const input = context.float(node, 0, from);
  const layout = isImage ? 'channelsLast' : 'plain';
  const place = context.placeQuantized(node.output, layout, format, { pixel: isImage ? leastPixel(shape[1]!) : 0 });
  const view = isImage ? imageView(shape) : rowView(shape, perChannel);
  const bounds = boundsOf(format, noLimits, view.channels);
  const { scale, zero } = roundingOf(format);
  const inverse = Float32Array.from(scale, (s) => 1 / s);
  builder.call(
    'quantize',
    {
      ...view,
      layout: isImage && from === 'plain' ? 1 : 0,
      outStride: isImage ? place.stride : view.channels,
      padValue: format.zeroPoint[0]!,
    },
    {
      name: node.name,
      in: [
        input,
        builder.constant('f32', inverse),
        builder.constant('f32', zero),
        bounds && builder.constant('u8', bounds),
      ],
      out: [place.buffer],
    },
  );
}

function imageView(shape: Shape): { batch: number; channels: number; spatial: number } {
  return { batch: shape[0]!, channels: shape[1]!, spatial: elementCount(shape.slice(2)) };
}

/** Rows of channels when each has its scale, else one row of everything. */
function rowView(shape: Shape, perChannel: boolean): { batch: number; channels: number; spatial: number } {
  if (perChannel) return { batch: 1, channels: shape[1]!, spatial: shape[0]! };
  return { batch: 1, channels: elementCount(shape), spatial: 1 };
}

function lowerToFloats(levels: number, node: Node, context: LowerContext): void {
  const { builder } = context;
  const { shape } = node.output.fact;
  const limits = [1, 2, 3, 4].map((i) => toFloat32(constantOf(node.source(i))!));
  const perChannel = limits.some((l) => l.length > 1);
  const layout = context.layoutOf(node, 0);
  const input = context.float(node, 0, layout);
  const place = context.placeFloat(node.output, layout);
  const spatial = elementCount(shape.slice(2));
  const channels = perChannel ? shape[1]! : 1;
  const view = !perChannel
    ? { outer: 1, channels, inner: elementCount(shape) }
    : layout === 'plain'
      ? { outer: shape[0]!, channels, inner: spatial }
      : { outer: shape[0]! * spatial, channels, inner: 1 };
  builder.call(
    'fake_quantize',
    { ...view, levels },
    { name: node.name, in: [input, ...limits.map((l) => builder.constant('f32', l))], out: [place.buffer] },
  );
}
