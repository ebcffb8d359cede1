// Output channels of weights: which elements share a scale, and their extremes.
import type { Node, OutputPort } from '../graph/node.ts';
import { toFloat32 } from '../tensor/convert.ts';
import { elementCount, type Shape, stridesOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { consumersOf, traitsOf } from './roles.ts';

/** How a constant splits into channels. */
export interface ChannelLayout {
  readonly channels: number;
  /** The constant's shape with 1 on every axis that is not a channel axis; scalar for one channel. */
  readonly limitShape: Shape;
  /** Consecutive elements of one channel. */
  readonly run: number;
  /** Channel of an element at a flat index. */
  channelOf(index: number): number;
}

/** All elements in one channel. */
export const oneChannel: ChannelLayout = {
  channels: 1,
  limitShape: [],
  run: Number.POSITIVE_INFINITY,
  channelOf: () => 0,
};

/**
 * The channels of the constant behind a quantizer: the output channels of the operation that reads it as weights, the
 * first axis for any other reader.
 */
export function channelsOfWeights(quantizer: Node): ChannelLayout {
  const source = quantizer.source(0)!;
  const { shape } = source.fact;
  if (shape.length === 0) return oneChannel;
  const reader = consumersOf(quantizer)[0];
  const traits = reader && traitsOf(reader.node);
  if (!reader || traits?.weights?.port !== reader.index) return layoutOf(shape, [0]);
  const axis = traits.weights.outputChannelAxis(reader.node.attributes as never, shape);
  return layoutOf(shape, channelAxes(shape, axis, biasChannels(reader.node, traits.biasAxis)));
}

function biasChannels(node: Node, axis = 1): number | undefined {
  const size = node.output.fact.shape.at(axis);
  return size === undefined || size < 0 ? undefined : size;
}

/** Grouped weights keep the group on an axis of its own: together with the channel axis it counts the output channels. */
function channelAxes(shape: Shape, axis: number, channels: number | undefined): number[] {
  if (channels === undefined || axis === 0 || shape[axis] === channels) return [axis];
  return shape[0]! * shape[axis]! === channels ? [0, axis] : [axis];
}

function layoutOf(shape: Shape, axes: readonly number[]): ChannelLayout {
  const limitShape = shape.map((d, i) => (axes.includes(i) ? d : 1));
  const strides = stridesOf(shape);
  const channels = elementCount(limitShape);
  const channelStrides = stridesOf(limitShape);
  const channelOf = (index: number): number => {
    let channel = 0;
    for (const axis of axes) channel += (Math.floor(index / strides[axis]!) % shape[axis]!) * channelStrides[axis]!;
    return channel;
  };
  return { channels, limitShape, run: strides[axes.at(-1)!]!, channelOf };
}

/** Smallest and largest element and largest magnitude of each channel, in the precision of f32. */
export interface ChannelExtremes {
  readonly min: Float32Array;
  readonly max: Float32Array;
  readonly absMax: Float32Array;
}

export function channelExtremes(value: Tensor, layout: ChannelLayout): ChannelExtremes {
  const data = toFloat32(value);
  const min = new Float32Array(layout.channels).fill(Number.POSITIVE_INFINITY);
  const max = new Float32Array(layout.channels).fill(Number.NEGATIVE_INFINITY);
  for (let start = 0; start < data.length; start += layout.run) {
    const c = layout.channelOf(start);
    const end = Math.min(data.length, start + layout.run);
    for (let i = start; i < end; i++) {
      const v = data[i]!;
      if (v < min[c]!) min[c] = v;
      if (v > max[c]!) max[c] = v;
    }
  }
  if (data.length === 0) {
    min.fill(0);
    max.fill(0);
  }
  return { min, max, absMax: max.map((v, c) => Math.max(Math.abs(v), Math.abs(min[c]!))) };
}

/** True when some element is NaN or infinite. */
export function hasNonFinite(port: OutputPort): boolean {
  const value = port.fact.value;
  if (!value) return false;
  const data = toFloat32(value);
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i]!)) return true;
  return false;
}
