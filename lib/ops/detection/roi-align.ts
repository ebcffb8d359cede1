// ROIAlign, both revisions, and ROIAlignRotated: bilinear samples of regions, without rounding their corners.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node } from '../../graph/node.ts';
import { fromFloat64, toFloat32, toFloat64, toIntegers } from '../../tensor/convert.ts';
import { elementCount, formatShape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, enumeration, float, int } from '../attribute.ts';
import { defineOp, type RuntimeTraits } from '../define-op.ts';
import { type Facts, factsOf, inputFact, mergeSizes, requireRank } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { indexTypes } from '../movement/emit-picks.ts';
import { canLowerRegions, lowerRoiAlign, mostSamples } from './lower-roi-align.ts';
import { averageBins, largestOfBins, type SampledRegion, sampleRegion } from './sample-region.ts';

const attributes = z.object({
  pooled_h: int,
  pooled_w: int,
  /** Samples of a bin along each axis; 0: as many as the bin has pixels, rounded up. */
  sampling_ratio: int,
  /** Pixels of the feature map for one unit of the regions. */
  spatial_scale: float,
  mode: enumeration(['avg', 'max']),
});

const alignedAttributes = attributes.extend({
  aligned_mode: enumeration(['asymmetric', 'half_pixel_for_nn', 'half_pixel']).default('asymmetric'),
});

type Attributes = z.infer<typeof attributes> & {
  aligned_mode?: z.infer<typeof alignedAttributes>['aligned_mode'];
};

function infer(a: Pick<Attributes, 'pooled_h' | 'pooled_w' | 'sampling_ratio'>, inputs: Facts, perRegion = 4) {
  const [x, rois, images] = [0, 1, 2].map((i) => inputFact(inputs, i));
  requireRank(x!.shape, 4);
  requireRank(rois!.shape, 2, 2, 'the regions');
  requireRank(images!.shape, 1, 1, 'the images of the regions');
  if (rois!.shape[1]! >= 0 && rois!.shape[1] !== perRegion) {
    throw new LowpError(
      'ERR_SHAPE_MISMATCH',
      `regions have shape ${formatShape(rois!.shape)}, expected [R,${perRegion}]`,
    );
  }
  if (a.pooled_h < 1 || a.pooled_w < 1 || a.sampling_ratio < 0) {
    throw new LowpError('ERR_OP_ATTRIBUTE', 'pooled sizes must be positive, and sampling_ratio not negative');
  }
  const count = mergeSizes(rois!.shape[0]!, images!.shape[0]!, 'number of regions and of their images');
  return [{ type: x!.type, shape: [count, x!.shape[1]!, a.pooled_h, a.pooled_w] }];
}

/** Samples of a bin along an axis. */
export function samplesOf(ratio: number, bin: number): number {
  return ratio > 0 ? ratio : Math.max(0, Math.ceil(bin));
}

/** What is added to corners before and taken off behind the scale, and the least sides. */
function alignmentOf(a: Attributes) {
  const mode = a.aligned_mode ?? 'asymmetric';
  return {
    before: mode === 'half_pixel' ? 0.5 : 0,
    behind: mode === 'asymmetric' ? 0 : 0.5,
    least: mode === 'asymmetric' ? 1 : Number.NEGATIVE_INFINITY,
  };
}

function regionOf(a: Attributes, rois: Float64Array, at: number): SampledRegion {
  const { before, behind, least } = alignmentOf(a);
  const scale = Math.fround(a.spatial_scale);
  const [x0, y0, x1, y1] = [0, 1, 2, 3].map((i) => (rois[at + i]! + before) * scale - behind);
  const [width, height] = [Math.max(x1! - x0!, least), Math.max(y1! - y0!, least)];
  const samples = [samplesOf(a.sampling_ratio, height / a.pooled_h), samplesOf(a.sampling_ratio, width / a.pooled_w)];
  return { x: x0!, y: y0!, width, height, bins: [a.pooled_h, a.pooled_w], samples: [samples[0]!, samples[1]!] };
}

/** How regions are read and pooled. */
interface Pooling {
  readonly perRegion: number;
  readonly pool: typeof averageBins;
  /** The region whose numbers start at `at`. */
  region(rois: Float64Array, at: number): SampledRegion;
}

function poolRegions(inputs: readonly Tensor[], { type, shape }: Fact, p: Pooling): Tensor[] {
  const [batch, channels, height, width] = inputs[0]!.shape as [number, number, number, number];
  const data = toFloat32(inputs[0]!);
  const rois = toFloat64(inputs[1]!);
  const bins = shape[2]! * shape[3]!;
  const out = new Float64Array(elementCount(shape));
  for (const [r, image] of toIntegers(inputs[2]!).entries()) {
    if (image < 0 || image >= batch) {
      throw new LowpError('ERR_SHAPE_MISMATCH', `region ${r} is in image ${image}, there are ${batch}`);
    }
    const samples = sampleRegion(p.region(rois, p.perRegion * r), [height, width]);
    for (let c = 0; c < channels; c++) {
      const to = (r * channels + c) * bins;
      p.pool(data, (image * channels + c) * height * width, samples, out.subarray(to, to + bins));
    }
  }
  return [fromFloat64(out, shape, type)];
}

function evaluate(a: Attributes, inputs: readonly Tensor[]): Tensor[] {
  return poolRegions(inputs, infer(a, factsOf(inputs))[0]!, {
    perRegion: 4,
    pool: a.mode === 'avg' ? averageBins : largestOfBins,
    region: (rois, at) => regionOf(a, rois, at),
  });
}

function lower(a: Attributes, node: Node, context: LowerContext): void {
  lowerRoiAlign(node, context, {
    ...alignmentOf(a),
    bins: [a.pooled_h, a.pooled_w],
    ratio: a.sampling_ratio,
    takesLargest: a.mode === 'max',
    divides: false,
    maps: [0],
    scales: [a.spatial_scale],
    byArea: false,
    regions: 1,
    images: 2,
  });
}

const runtime: RuntimeTraits = {
  bytes: 'never',
  epilogue: 'none',
  types: { inputs: [['f32'], ['f32'], indexTypes], outputs: [['f32']] },
};

const common = {
  ...{ type: 'ROIAlign', inputs: [3, 3] as [number, number], infer, evaluate, lower, runtime },
  canLower: (a: Attributes, node: Node) => a.sampling_ratio <= mostSamples && canLowerRegions(node),
};

/**
 * Inputs: features [N, C, H, W], regions [R, 4] as x0, y0, x1, y1, and the image of each. Every region is cut into bins
 * whose bilinear samples are averaged, or the largest of them (and 0) is taken: [R, C, pooled_h, pooled_w].
 */
export const roiAlign3 = defineOp({ ...common, opset: 'opset3', attributes });

/** ROIAlign with pixels whose centers are at halves, before or behind the scale. */
export const roiAlign9 = defineOp({ ...common, opset: 'opset9', attributes: alignedAttributes });

const rotatedAttributes = attributes.omit({ mode: true }).extend({
  /** The sense of positive angles in an image, whose y points down. */
  clockwise_mode: bool.default(false),
});

type RotatedAttributes = z.infer<typeof rotatedAttributes>;

/** Pixels have their centers at halves. */
function turnedRegion(a: RotatedAttributes, rois: Float64Array, at: number): SampledRegion {
  const [x, y, width, height] = [0, 1, 2, 3].map((i) => rois[at + i]! * a.spatial_scale);
  const angle = a.clockwise_mode ? rois[at + 4]! : -rois[at + 4]!;
  return {
    ...{ x: -width! / 2, y: -height! / 2, width: width!, height: height! },
    bins: [a.pooled_h, a.pooled_w],
    samples: [samplesOf(a.sampling_ratio, height! / a.pooled_h), samplesOf(a.sampling_ratio, width! / a.pooled_w)],
    turned: { x: x! - 0.5, y: y! - 0.5, angle },
  };
}

/**
 * Inputs: features [N, C, H, W], regions [R, 5] as x and y of the center, width, height and angle in radians, and the image
 * of each. Every turned region is cut into bins whose bilinear samples are averaged: [R, C, pooled_h, pooled_w].
 */
export const roiAlignRotated = defineOp({
  type: 'ROIAlignRotated',
  opset: 'opset15',
  attributes: rotatedAttributes,
  inputs: [3, 3],
  infer: (a, inputs) => infer(a, inputs, 5),
  evaluate: (a, inputs) =>
    poolRegions(inputs, infer(a, factsOf(inputs), 5)[0]!, {
      perRegion: 5,
      pool: averageBins,
      region: (rois, at) => turnedRegion(a, rois, at),
    }),
});
