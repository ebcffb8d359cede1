// Channels-last order: sizes, calls and constants that change between it and the model's own order.
import type { Layout } from '../ops/lower-context.ts';
import type { ProgramBuilder } from '../program/builder.ts';
import type { BufferId } from '../program/program.ts';
import type { TensorData } from '../tensor/element-type.ts';
import type { Shape } from '../tensor/shape.ts';
import { elementCount } from '../tensor/shape.ts';

/** A shape [N, C, spatial…] as batch, channels and positions; rank 0 and 1 have one channel per element. */
export interface ImageSize {
  readonly batch: number;
  readonly channels: number;
  readonly spatial: number;
}

/** The sizes of a shape as an image. */
export function imageSize(shape: Shape): ImageSize {
  if (shape.length < 2) return { batch: 1, channels: elementCount(shape), spatial: 1 };
  return { batch: shape[0]!, channels: shape[1]!, spatial: elementCount(shape.slice(2)) };
}

/** Both orders are the same bytes. */
export function sameInBothLayouts(shape: Shape): boolean {
  const { channels, spatial } = imageSize(shape);
  return channels === 1 || spatial === 1;
}

/** Emits the copy between the two orders; `stride` is the distance of pixels in a channels-last source. */
export function emitLayoutChange(
  builder: ProgramBuilder,
  name: string,
  shape: Shape,
  from: { readonly buffer: BufferId; readonly layout: Layout; readonly stride: number; readonly offset: number },
  to: BufferId,
): void {
  const { batch, channels, spatial } = imageSize(shape);
  const dense = channels * spatial;
  const channelsLast = from.layout === 'channelsLast';
  builder.call(
    'copy',
    {
      rank: 3,
      d0: batch,
      d1: channelsLast ? channels : spatial,
      d2: channelsLast ? spatial : channels,
      inStride0: channelsLast ? from.stride * spatial : dense,
      inStride1: 1,
      inStride2: channelsLast ? from.stride : spatial,
      inOffset: from.offset,
      outStride0: dense,
      outStride1: channelsLast ? spatial : channels,
      outStride2: 1,
      outOffset: 0,
    },
    { name, in: [from.buffer], out: [to] },
  );
}

/** Elements of a constant in channels-last order. */
export function constantToChannelsLast<T extends TensorData>(data: T, shape: Shape): T {
  const { batch, channels, spatial } = imageSize(shape);
  const out = data.slice() as T;
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let s = 0; s < spatial; s++) out[(n * spatial + s) * channels + c] = data[(n * channels + c) * spatial + s]!;
  return out;
}
