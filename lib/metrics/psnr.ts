// Peak signal to noise of images.
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import { toFloat64 } from '../tensor/convert.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defineMetric, meanRun, prediction, tensorTruth } from './define-metric.ts';

/** Weights of red, green and blue in the luma of ITU-R BT.601, black at 16 and white at 235 of 255; the offset cancels. */
const luma = [65.481 / 255, 128.553 / 255, 24.966 / 255] as const;

/**
 * Peak signal-to-noise ratio of images, `10·log10(peak² / mean squared error)`, the mean over samples. Images are
 * `[…, C, H, W]`; the prediction is clamped to `[0, peak]`. `channel=y` compares the luma of RGB images as the literature on
 * super-resolution does, `border` leaves out that many pixels at each edge, `levels` rounds the prediction to so many
 * steps first (255 for bytes).
 */
export const psnr = defineMetric({
  usage: 'psnr:channel=y,border=N,peak=1,levels=255',
  summary: 'peak signal-to-noise ratio in dB, of all channels or of the luma, without N pixels at the edges',
  pattern: /^psnr$/,
  options: z.strictObject({
    channel: z.enum(['y']).optional(),
    border: z.coerce.number().int().min(0).default(0),
    peak: z.coerce.number().gt(0).default(1),
    levels: z.coerce.number().int().min(1).optional(),
  }),
  create: (_, { channel, border, peak, levels }) => ({
    name: 'psnr',
    direction: 'higher',
    unit: 'dB',
    create: () =>
      meanRun((outputs, truth) => {
        const found = prediction(outputs, 'psnr');
        const real = tensorTruth(truth, 'psnr', 'an image');
        const [, , h, w] = imageShape(found, real, border);
        const clamped = toFloat64(found).map((v) => {
          const inside = Math.min(peak, Math.max(0, v));
          return levels === undefined ? inside : (Math.round((inside / peak) * levels) / levels) * peak;
        });
        const difference = clamped.map((v, i) => v - Number(real.data[i]));
        const planes = channel === 'y' ? lumaOf(difference, found, h * w) : difference;
        const error = meanSquare(planes, { h, w, border });
        return 10 * Math.log10((peak * peak) / error);
      }),
  }),
});

/** @throws {LowpError} `ERR_DATA_LABELS` */
function imageShape(found: Tensor, real: Tensor, border: number): [number, number, number, number] {
  const shape = [1, 1, 1, 1, ...found.shape].slice(-4) as [number, number, number, number];
  const isImage = found.shape.length >= 2 && shape[2] > 2 * border && shape[3] > 2 * border;
  if (isImage && sameShape(shape, [1, 1, 1, 1, ...real.shape].slice(-4))) return shape;
  throw new LowpError(
    'ERR_DATA_LABELS',
    `psnr: the prediction has the shape ${formatShape(found.shape)}, the label ${formatShape(real.shape)}, border ${border}`,
  );
}

/** The luma of a difference of RGB planes; linear, so that the offset of both cancels. */
function lumaOf(difference: Float64Array, { shape }: Tensor, area: number): Float64Array {
  if (shape.at(-3) !== 3)
    throw new LowpError('ERR_DATA_LABELS', `psnr: luma is of RGB images, the output is ${formatShape(shape)}`);
  const images = difference.length / (3 * area);
  const out = new Float64Array(images * area);
  for (let n = 0; n < images; n++)
    for (const [c, weight] of luma.entries())
      for (let i = 0; i < area; i++) out[n * area + i]! += weight * difference[(n * 3 + c) * area + i]!;
  return out;
}

function meanSquare(
  planes: Float64Array,
  { h, w, border }: { readonly h: number; readonly w: number; readonly border: number },
): number {
  let sum = 0;
  for (let from = 0; from < planes.length; from += h * w)
    for (let y = border; y < h - border; y++)
      for (let x = border; x < w - border; x++) sum += planes[from + y * w + x]! ** 2;
  return sum / ((planes.length / (h * w)) * (h - 2 * border) * (w - 2 * border));
}
