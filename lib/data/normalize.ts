// x' = (x − mean) / scale per colour channel, and the step from [H, W, C] pixels to the model's layout.
import { LowpError } from '../errors/lowp-error.ts';
import { toFloat32 } from '../tensor/convert.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface Normalization {
  /** Per channel, or one value for all; on the scale of the data, 0…255 for images. */
  readonly mean?: readonly number[];
  readonly scale?: readonly number[];
  /** The data has its channels last although the model takes [N, C, H, W]. */
  readonly channelsLast?: boolean;
  /** Swap the first and the last of three channels. */
  readonly reverseChannels?: boolean;
}

/**
 * Interleaved pixels as one batch of the model's layout.
 *
 * @param pixels  height · width · channels values, channels innermost
 * @returns       f32 of shape [1, C, H, W] or [1, H, W, C]
 */
export function normalizePixels(
  pixels: Uint8Array | Float32Array,
  size: { readonly height: number; readonly width: number; readonly channels: number },
  layout: 'NCHW' | 'NHWC',
  { mean, scale, reverseChannels }: Normalization,
): Tensor {
  const { height, width, channels } = size;
  const area = height * width;
  const data = new Float32Array(area * channels);
  for (let c = 0; c < channels; c++) {
    const m = channelValue(mean, c, 0, channels);
    const s = channelValue(scale, c, 1, channels);
    const from = reverseChannels ? channels - 1 - c : c;
    for (let i = 0; i < area; i++) {
      data[layout === 'NCHW' ? c * area + i : i * channels + c] = (pixels[i * channels + from]! - m) / s;
    }
  }
  return { type: 'f32', shape: layout === 'NCHW' ? [1, channels, height, width] : [1, height, width, channels], data };
}

/** Applies what is asked for to an array of the data; nothing asked for leaves it alone. */
export function normalizeArray(t: Tensor, normalization: Normalization): Tensor {
  const { mean, scale, channelsLast, reverseChannels } = normalization;
  if (!mean && !scale && !channelsLast && !reverseChannels) return t;
  const values = toFloat32(t);
  if (t.shape.length !== 4) {
    const data = values.map((v) => (v - channelValue(mean, 0, 0, 1)) / channelValue(scale, 0, 1, 1));
    return { type: 'f32', shape: t.shape, data };
  }
  const [, a, b, c] = t.shape as [number, number, number, number];
  if (channelsLast) return normalizePixels(values, { height: a, width: b, channels: c }, 'NCHW', normalization);
  const area = b * c;
  const data = new Float32Array(values.length);
  for (let channel = 0; channel < a; channel++) {
    const m = channelValue(mean, channel, 0, a);
    const s = channelValue(scale, channel, 1, a);
    const from = reverseChannels ? a - 1 - channel : channel;
    for (let i = 0; i < area; i++) data[channel * area + i] = (values[from * area + i]! - m) / s;
  }
  return { type: 'f32', shape: t.shape, data };
}

/** @throws {LowpError} `ERR_CONFIG_INVALID` for lists that fit neither one value nor the channels */
function channelValue(
  values: readonly number[] | undefined,
  channel: number,
  fallback: number,
  channels: number,
): number {
  if (!values || values.length === 0) return fallback;
  if (values.length !== 1 && values.length !== channels) {
    throw new LowpError(
      'ERR_CONFIG_INVALID',
      `${values.length} mean or scale values were given for ${channels} channels`,
    );
  }
  return values.length === 1 ? values[0]! : values[channel]!;
}
