// PSROIPooling and DeformablePSROIPooling: every bin of a region reads channels of its own.
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
import { canLowerRegions, mostSamples } from './lower-roi-align.ts';
import { bilinearAt, imageOf, requireRegions } from './roi-pooling.ts';

const shared = z.object({
  output_dim: int,
  /** Bins along each axis. */
  group_size: int.default(1),
  spatial_scale: float,
  spatial_bins_x: int.default(1),
  spatial_bins_y: int.default(1),
});

const attributes = shared.extend({ mode: enumeration(['average', 'bilinear']).default('average') });

const deformableAttributes = shared.extend({
  mode: enumeration(['bilinear_deformable']).default('bilinear_deformable'),
  /** Scales the offsets. */
  trans_std: float.default(1),
  /** Offsets along each axis. */
  part_size: int.default(1),
});

type Attributes = z.infer<typeof attributes>;
type DeformableAttributes = z.infer<typeof deformableAttributes>;

function infer(a: z.infer<typeof shared>, inputs: Facts, perOutput: number): Fact[] {
  const [x, rois] = requireRegions(inputs);
  if (a.output_dim < 1 || a.group_size < 1 || a.spatial_bins_x < 1 || a.spatial_bins_y < 1) {
    throw new LowpError('ERR_OP_ATTRIBUTE', 'output_dim, group_size and the spatial bins must be positive');
  }
  if (x.shape[1]! >= 0 && x.shape[1] !== a.output_dim * perOutput) {
    const text = `${a.output_dim} outputs of ${perOutput} channels need ${a.output_dim * perOutput}`;
    throw new LowpError('ERR_SHAPE_MISMATCH', `${text}, the input has shape ${formatShape(x.shape)}`);
  }
  return [{ type: x.type, shape: [rois.shape[0]!, a.output_dim, a.group_size, a.group_size] }];
}

function inferPooling(a: Attributes, inputs: Facts): Fact[] {
  return infer(a, inputs, a.mode === 'average' ? a.group_size ** 2 : a.spatial_bins_x * a.spatial_bins_y);
}

/** Calls `value` for every output of every region; outputs behind the end of the list stay 0. */
function eachBin(
  inputs: readonly Tensor[],
  fact: Fact,
  value: (bin: { r: number; image: number; c: number; h: number; w: number; roi: Float64Array }) => number,
): Tensor {
  const [regions, channels, rows, columns] = fact.shape as [number, number, number, number];
  const rois = toFloat64(inputs[1]!);
  const out = new Float64Array(elementCount(fact.shape));
  for (let r = 0; r < regions; r++) {
    const image = imageOf(rois, r, inputs[0]!.shape[0]!);
    if (image === undefined) break;
    const roi = rois.subarray(5 * r + 1, 5 * r + 5);
    for (let i = 0; i < channels * rows * columns; i++) {
      const [c, h, w] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
      out[r * channels * rows * columns + i] = value({ r, image, c, h, w, roi });
    }
  }
  return fromFloat64(out, fact.shape, fact.type);
}

/** First and last + 1 element of bin `i` of an axis: corners are rounded to pixels before they are scaled. */
function averagedRange(from: number, to: number, scale: number, i: number, bins: number, size: number) {
  const start = roundHalfAwayFromZero(from) * scale;
  const bin = ((roundHalfAwayFromZero(to) + 1) * scale - start) / bins;
  const first = Math.min(Math.max(Math.floor(start + i * bin), 0), size - 1);
  const end = Math.min(Math.max(Math.ceil(start + (i + 1) * bin), 0), size);
  return [first, end] as const;
}

/** Sample `i` of `group` in spatial bin `bin` of an axis. */
function sampled(from: number, to: number, bin: number, bins: number, i: number, group: number, size: number): number {
  const width = (to - from) / bins;
  const start = from + bin * width;
  const share = group > 1 ? start + (width * i) / (group - 1) : start + width / 2;
  return share * (size - 1);
}

function evaluatePooling(a: Attributes, inputs: readonly Tensor[]): Tensor[] {
  const fact = inferPooling(a, factsOf(inputs))[0]!;
  const [, channels, height, width] = inputs[0]!.shape as [number, number, number, number];
  const data = toFloat32(inputs[0]!);
  const [group, s] = [a.group_size, Math.fround(a.spatial_scale)];
  const planeOf = (image: number, c: number) => (image * channels + c) * height * width;
  const average = eachBin(inputs, fact, ({ image, c, h, w, roi }) => {
    if (a.mode === 'bilinear') {
      let sum = 0;
      for (let bin = 0; bin < a.spatial_bins_x * a.spatial_bins_y; bin++) {
        const [by, bx] = [Math.floor(bin / a.spatial_bins_x), bin % a.spatial_bins_x];
        const x = sampled(roi[0]! * s, roi[2]! * s, bx, a.spatial_bins_x, w, group, width);
        const y = sampled(roi[1]! * s, roi[3]! * s, by, a.spatial_bins_y, h, group, height);
        sum += bilinearAt(data, planeOf(image, bin * a.output_dim + c), [height, width], y, x);
      }
      return sum / (a.spatial_bins_x * a.spatial_bins_y);
    }
    const [x0, x1] = averagedRange(roi[0]!, roi[2]!, s, w, group, width);
    const [y0, y1] = averagedRange(roi[1]!, roi[3]!, s, h, group, height);
    const plane = planeOf(image, (c * group + h) * group + w);
    let sum = 0;
    for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) sum += data[plane + y * width + x]!;
    return y1 > y0 && x1 > x0 ? sum / ((y1 - y0) * (x1 - x0)) : 0;
  });
  return [average];
}

const modes = { average: 0, bilinear: 1, bilinear_deformable: 2 } as const;

/** One kernel for all modes; `deformable` has what only moved bins need. */
function lower(
  a: z.infer<typeof shared> & { readonly mode: keyof typeof modes },
  node: Node,
  context: LowerContext,
  deformable: { readonly classes: number; readonly part: number; readonly transScale: number },
): void {
  const [images, channels, height, width] = node.source(0)!.fact.shape as [number, number, number, number];
  context.builder.call(
    'psroi_pool',
    {
      ...{ images, channels, height, width, regions: node.output.fact.shape[0]!, outputs: a.output_dim },
      ...{ group: a.group_size, mode: modes[a.mode], binsX: a.spatial_bins_x, binsY: a.spatial_bins_y },
      ...{ scale: a.spatial_scale, ...deformable },
    },
    {
      name: node.name,
      in: [0, 1, 2].map((i) => (node.source(i) ? context.float(node, i, 'plain') : undefined)),
      out: [context.place(node.output, 'plain')],
    },
  );
}

/**
 * Inputs: features [N, C, H, W] and regions [R, 5] as image, x0, y0, x1, y1. Output [R, output_dim, group_size,
 * group_size]. `average`: bin (h, w) of output c is the mean over its elements of channel (c · group + h) · group + w.
 * `bilinear`: corners are shares of the map, and spatial bin b is sampled from channel b · output_dim + c; the mean of all.
 */
export const psroiPooling = defineOp({
  type: 'PSROIPooling',
  opset: 'opset1',
  attributes,
  inputs: [2, 2],
  infer: inferPooling,
  evaluate: evaluatePooling,
  lower: (a, node, context) => lower(a, node, context, { classes: 1, part: 1, transScale: 1 }),
  canLower: (_, node) => canLowerRegions(node),
  runtime: { bytes: 'never', epilogue: 'none' },
});

function inferDeformable(a: DeformableAttributes, inputs: Facts): Fact[] {
  if (inputs[2]) {
    requireRank(inputs[2].shape, 4, 4, 'the offsets');
    const [, coordinates, rows, columns] = inputs[2].shape as [number, number, number, number];
    const fits = [rows, columns].every((d) => d < 0 || d === a.part_size) && (coordinates < 0 || coordinates % 2 === 0);
    if (!fits || (coordinates > 0 && a.output_dim % (coordinates / 2) !== 0)) {
      const text = `offsets of shape ${formatShape(inputs[2].shape)}: [R, 2 · classes, part_size, part_size]`;
      throw new LowpError('ERR_SHAPE_MISMATCH', `${text} is expected`);
    }
  }
  inputFact(inputs, 1);
  return infer(a, inputs, a.group_size ** 2);
}

/** A region shifted by half a pixel, at least a tenth of a pixel wide. */
function deformedAxis(from: number, to: number, scale: number) {
  const start = roundHalfAwayFromZero(from) * scale - 0.5;
  return { start, size: Math.max((roundHalfAwayFromZero(to) + 1) * scale - 0.5 - start, 0.1) };
}

/** Samples of one bin that lie on the map, along an axis. */
function subBins(start: number, bin: number, bins: number, size: number): number[] {
  return Array.from({ length: bins }, (_, i) => start + (i * bin) / bins)
    .filter((v) => v >= -0.5 && v <= size - 0.5)
    .map((v) => Math.min(Math.max(v, 0), size - 1));
}

function evaluateDeformable(a: DeformableAttributes, inputs: readonly Tensor[]): Tensor[] {
  const fact = inferDeformable(a, factsOf(inputs))[0]!;
  const [, channels, height, width] = inputs[0]!.shape as [number, number, number, number];
  const data = toFloat32(inputs[0]!);
  const offsets = inputs[2] && toFloat64(inputs[2]);
  const { group_size: group, part_size: part } = a;
  const classes = inputs[2] ? inputs[2].shape[1]! / 2 : 1;
  const offsetOf = (r: number, c: number, axis: number, h: number, w: number): number => {
    if (!offsets) return 0;
    const label = Math.floor(c / (a.output_dim / classes));
    const [row, column] = [Math.floor((h * part) / group), Math.floor((w * part) / group)];
    return offsets[(((r * classes + label) * 2 + axis) * part + row) * part + column]! * Math.fround(a.trans_std);
  };
  const pooled = eachBin(inputs, fact, ({ r, image, c, h, w, roi }) => {
    const x = deformedAxis(roi[0]!, roi[2]!, Math.fround(a.spatial_scale));
    const y = deformedAxis(roi[1]!, roi[3]!, Math.fround(a.spatial_scale));
    const left = x.start + (w * x.size) / group + offsetOf(r, c, 0, h, w) * x.size;
    const top = y.start + (h * y.size) / group + offsetOf(r, c, 1, h, w) * y.size;
    const xs = subBins(left, x.size / group, a.spatial_bins_x, width);
    const ys = subBins(top, y.size / group, a.spatial_bins_y, height);
    const plane = (image * channels + (c * group + h) * group + w) * height * width;
    let sum = 0;
    for (const sy of ys) for (const sx of xs) sum += bilinearAt(data, plane, [height, width], sy, sx);
    return xs.length * ys.length > 0 ? sum / (xs.length * ys.length) : 0;
  });
  return [pooled];
}

/**
 * PSROIPooling whose bins are moved by offsets [R, 2 · classes, part_size, part_size] (x, then y; shares of the region):
 * the mean of bilinear samples at spatial_bins_y by spatial_bins_x points of each bin.
 */
export const deformablePsroiPooling = defineOp({
  type: 'DeformablePSROIPooling',
  opset: 'opset1',
  attributes: deformableAttributes,
  inputs: [2, 3],
  infer: inferDeformable,
  evaluate: evaluateDeformable,
  lower: (a, node, context) => {
    const offsets = node.source(2)?.fact.shape;
    const classes = offsets ? offsets[1]! / 2 : 1;
    lower(a, node, context, { classes, part: a.part_size, transScale: a.trans_std });
  },
  canLower: (a, node) => {
    const offsets = node.source(2)?.fact.shape;
    const fits = !offsets || offsets[0] === node.output.fact.shape[0];
    return fits && a.part_size > 0 && a.spatial_bins_x * a.spatial_bins_y <= mostSamples ** 2 && canLowerRegions(node);
  },
  runtime: { bytes: 'never', epilogue: 'none' },
});
