// ROIPooling: the largest element, or one bilinear sample, of each bin of a region.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node } from '../../graph/node.ts';
import { fromFloat64, toFloat32, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, formatShape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { enumeration, float, int } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, requireRank } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { roundHalfAwayFromZero } from '../rounding.ts';
import { canLowerRegions } from './lower-roi-align.ts';

const attributes = z.object({
  pooled_h: int,
  pooled_w: int,
  spatial_scale: float,
  method: enumeration(['max', 'bilinear']).default('max'),
});

type Attributes = z.infer<typeof attributes>;

/** Features [N, C, H, W] and regions [R, 5]. */
export function requireRegions(inputs: Facts): readonly [features: Fact, regions: Fact] {
  const [x, rois] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  requireRank(x.shape, 4);
  requireRank(rois.shape, 2, 2, 'the regions');
  if (rois.shape[1]! >= 0 && rois.shape[1] !== 5) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `regions have shape ${formatShape(rois.shape)}, expected [R,5]`);
  }
  return [x, rois];
}

/**
 * The image of a region; undefined from the row on that ends the list with −1.
 *
 * @throws {LowpError} `ERR_SHAPE_MISMATCH` when there is no such image
 */
export function imageOf(rois: Float64Array, r: number, images: number): number | undefined {
  const image = Math.trunc(rois[5 * r]!);
  if (image === -1) return undefined;
  if (image >= 0 && image < images) return image;
  throw new LowpError('ERR_SHAPE_MISMATCH', `region ${r} is in image ${image}, there are ${images}`);
}

function infer(a: Attributes, inputs: Facts) {
  const [x, rois] = requireRegions(inputs);
  if (a.pooled_h < 1 || a.pooled_w < 1) throw new LowpError('ERR_OP_ATTRIBUTE', 'pooled sizes must be positive');
  return [{ type: x.type, shape: [rois.shape[0]!, x.shape[1]!, a.pooled_h, a.pooled_w] }];
}

/** First and last + 1 element of each bin of an axis. */
function binsOf(from: number, to: number, bins: number, size: number): (readonly [number, number])[] {
  const start = roundHalfAwayFromZero(from);
  const bin = Math.max(roundHalfAwayFromZero(to) - start + 1, 1) / bins;
  const inside = (v: number): number => Math.min(Math.max(v + start, 0), size);
  return Array.from({ length: bins }, (_, i) => [inside(Math.floor(i * bin)), inside(Math.ceil((i + 1) * bin))]);
}

function largest(data: Float32Array, plane: number, width: number, y: readonly number[], x: readonly number[]): number {
  if (!(y[1]! > y[0]! && x[1]! > x[0]!)) return 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = y[0]!; i < y[1]!; i++) {
    for (let j = x[0]!; j < x[1]!; j++) most = Math.max(most, data[plane + i * width + j]!);
  }
  return most;
}

/** Positions of samples along an axis whose region is given as shares of the image; the last one is the end itself. */
function positionsOf(from: number, to: number, samples: number, size: number): number[] {
  const last = size - 1;
  if (samples === 1) return [((from + to) / 2) * last];
  const step = ((to - from) * last) / (samples - 1);
  return Array.from({ length: samples }, (_, i) => (i === samples - 1 ? to * last : from * last + i * step));
}

/** Bilinear value of a plane; 0 outside of it. */
export function bilinearAt(
  data: Float32Array,
  plane: number,
  [height, width]: readonly [number, number],
  y: number,
  x: number,
): number {
  if (!(y >= 0 && y <= height - 1 && x >= 0 && x <= width - 1)) return 0;
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [bottom, right] = [Math.ceil(y), Math.ceil(x)];
  const at = (i: number, j: number): number => data[plane + i * width + j]!;
  const above = at(top, left) + (at(top, right) - at(top, left)) * (x - left);
  const below = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * (x - left);
  return above + (below - above) * (y - top);
}

function evaluate(a: Attributes, inputs: readonly Tensor[]): Tensor[] {
  const { type, shape } = infer(a, factsOf(inputs))[0]!;
  const [batch, channels, height, width] = inputs[0]!.shape as [number, number, number, number];
  const data = toFloat32(inputs[0]!);
  const rois = toFloat64(inputs[1]!);
  const out = new Float64Array(elementCount(shape));
  for (let r = 0; r < shape[0]!; r++) {
    const image = imageOf(rois, r, batch);
    if (image === undefined) break;
    const [x0, y0, x1, y1] = [1, 2, 3, 4].map((i) => rois[5 * r + i]!);
    const s = Math.fround(a.spatial_scale);
    const binsY = a.method === 'max' ? binsOf(y0! * s, y1! * s, a.pooled_h, height) : [];
    const binsX = a.method === 'max' ? binsOf(x0! * s, x1! * s, a.pooled_w, width) : [];
    const ys = positionsOf(y0!, y1!, a.pooled_h, height);
    const xs = positionsOf(x0!, x1!, a.pooled_w, width);
    for (let c = 0; c < channels; c++) {
      const plane = (image * channels + c) * height * width;
      const to = (r * channels + c) * a.pooled_h * a.pooled_w;
      for (let i = 0; i < a.pooled_h * a.pooled_w; i++) {
        const [h, w] = [Math.floor(i / a.pooled_w), i % a.pooled_w];
        out[to + i] =
          a.method === 'max'
            ? largest(data, plane, width, binsY[h]!, binsX[w]!)
            : bilinearAt(data, plane, [height, width], ys[h]!, xs[w]!);
      }
    }
  }
  return [fromFloat64(out, shape, type)];
}

function lower(a: Attributes, node: Node, context: LowerContext): void {
  const [images, channels, height, width] = node.source(0)!.fact.shape as [number, number, number, number];
  context.builder.call(
    'roi_pool',
    {
      ...{ images, height, width, channels, regions: node.output.fact.shape[0]! },
      pooledH: a.pooled_h,
      pooledW: a.pooled_w,
      bilinear: a.method === 'bilinear' ? 1 : 0,
      scale: a.spatial_scale,
    },
    {
      name: node.name,
      in: [context.float(node, 0, 'channelsLast'), context.float(node, 1, 'plain')],
      out: [context.place(node.output, 'channelsLast')],
    },
  );
}

/**
 * Inputs: features [N, C, H, W] and regions [R, 5] as image, x0, y0, x1, y1; image −1 ends the list. `max`: corners times
 * `spatial_scale` are rounded, and the largest element of each bin is taken (0 of an empty one). `bilinear`: corners are
 * shares of the map, which is sampled at pooled_h by pooled_w points of a grid over the region.
 */
export const roiPooling = defineOp({
  type: 'ROIPooling',
  opset: 'opset2',
  attributes,
  inputs: [2, 2],
  infer,
  evaluate,
  lower,
  canLower: (_, node) => canLowerRegions(node),
  runtime: { bytes: 'never', epilogue: 'none' },
});
