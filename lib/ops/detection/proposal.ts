// Proposal, both revisions: regions that a region proposal network finds.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node } from '../../graph/node.ts';
import { fromFloat64, toFloat32, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, formatShape, isStatic } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, float, floatList, int } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, mergeSizes, requireRank } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { roundHalfAwayFromZero } from '../rounding.ts';
import { rank, suppress, takeBoxes } from './boxes.ts';
import { lowerProposals } from './lower-proposals.ts';
import { canLowerRegions } from './lower-roi-align.ts';
import { clipBox, refine } from './refine-boxes.ts';

const attributes = z.object({
  base_size: int,
  /** Candidates before and regions after suppression. */
  pre_nms_topn: int,
  post_nms_topn: int,
  nms_thresh: float,
  /** Pixels of the image for one cell. */
  feat_stride: int,
  min_size: int,
  /** Height : width of anchors. */
  ratio: floatList,
  scale: floatList,
  clip_before_nms: bool.default(true),
  clip_after_nms: bool.default(false),
  /** Corners as shares of the image. */
  normalize: bool.default(false),
  box_size_scale: float.default(1),
  box_coordinate_scale: float.default(1),
  /** `tensorflow`: anchors around the corner of a cell, clipped, without the pixel that Caffe adds to sides. */
  framework: z.string().default(''),
});

type Attributes = z.infer<typeof attributes>;

/** Corners of all anchors of one cell; ratios are the slower index. */
function anchorsOf(a: Attributes, isTensorflow: boolean): Float32Array {
  const extent = isTensorflow ? 0 : 1;
  const center = (a.base_size - extent) / 2 - (isTensorflow ? a.base_size / 2 : 0);
  const corners = a.ratio.flatMap((ratio) => {
    const exact = Math.sqrt((a.base_size * a.base_size) / ratio);
    const width = isTensorflow ? exact : roundHalfAwayFromZero(exact);
    const height = isTensorflow ? exact * ratio : roundHalfAwayFromZero(width * ratio);
    return a.scale.flatMap((scale) => {
      const [w, h] = [(width * scale - extent) / 2, (height * scale - extent) / 2];
      return [center - w, center - h, center + w, center + h];
    });
  });
  return Float32Array.from(corners);
}

function infer(a: Attributes, inputs: Facts): Fact[] {
  const [scores, deltas, image] = [0, 1, 2].map((i) => inputFact(inputs, i));
  requireRank(scores!.shape, 4, 4, 'the scores');
  requireRank(deltas!.shape, 4, 4, 'the deltas');
  requireRank(image!.shape, 1, 2, 'the image information');
  const anchors = a.ratio.length * a.scale.length;
  const fits = (got: number, expected: number): boolean => got < 0 || got === expected;
  if (!fits(scores!.shape[1]!, 2 * anchors) || !fits(deltas!.shape[1]!, 4 * anchors)) {
    const text = `scores of shape ${formatShape(scores!.shape)} and deltas of shape ${formatShape(deltas!.shape)}`;
    throw new LowpError(
      'ERR_SHAPE_MISMATCH',
      `${text}: ${anchors} anchors need ${2 * anchors} and ${4 * anchors} channels`,
    );
  }
  for (const axis of [2, 3]) mergeSizes(scores!.shape[axis]!, deltas!.shape[axis]!, 'cells of scores and deltas');
  const batch = mergeSizes(scores!.shape[0]!, deltas!.shape[0]!, 'images of scores and deltas');
  const rows = batch < 0 ? -1 : batch * a.post_nms_topn;
  return [
    { type: scores!.type, shape: [rows, 5] },
    { type: scores!.type, shape: [rows] },
  ];
}

/** Size of the image, and of the smallest region. */
interface Image {
  readonly height: number;
  readonly width: number;
  readonly leastHeight: number;
  readonly leastWidth: number;
}

function imageOf(a: Attributes, info: Tensor): Image {
  const values = toFloat64(info);
  if (values.length < 3 || values.length > 4) {
    throw new LowpError('ERR_OP_INPUTS', `the image information has ${values.length} numbers, expected 3 or 4`);
  }
  const [height, width, scaleHeight, scaleWidth = scaleHeight!] = values as unknown as number[];
  return {
    height: height!,
    width: width!,
    leastHeight: a.min_size * scaleHeight!,
    leastWidth: a.min_size * scaleWidth,
  };
}

/** Boxes and scores of all anchors of all cells: cells row by row, anchors fastest. */
function candidates(a: Attributes, inputs: readonly Tensor[], n: number, image: Image) {
  const isTensorflow = a.framework === 'tensorflow';
  const extent = isTensorflow ? 0 : 1;
  const [, channels, height, width] = inputs[0]!.shape as [number, number, number, number];
  const [count, area] = [channels / 2, height * width];
  const scores = toFloat32(inputs[0]!);
  const deltas = toFloat32(inputs[1]!);
  const anchors = anchorsOf(a, isTensorflow);
  const [scale, sizeScale] = [Math.fround(a.box_coordinate_scale), Math.fround(a.box_size_scale)];
  const boxes = new Float64Array(4 * count * area);
  const found = new Float32Array(count * area);
  for (let cell = 0; cell < area; cell++) {
    const [h, w] = [Math.floor(cell / width), cell % width];
    const [x, y] = [(isTensorflow ? h : w) * a.feat_stride, (isTensorflow ? w : h) * a.feat_stride];
    for (let k = 0; k < count; k++) {
      const i = cell * count + k;
      const delta = (d: number): number => deltas[((n * count + k) * 4 + d) * area + cell]!;
      for (let d = 0; d < 4; d++) boxes[4 * i + d] = anchors[4 * k + d]! + (d % 2 === 0 ? x : y);
      if (isTensorflow) clipBox(boxes, 4 * i, image.width, image.height);
      const moved = [delta(0) / scale, delta(1) / scale, delta(2) / sizeScale, delta(3) / sizeScale] as const;
      refine(boxes, 4 * i, moved, { extent, back: 0, maxDeltaLogWh: Number.POSITIVE_INFINITY }, boxes, 4 * i);
      if (a.clip_before_nms) clipBox(boxes, 4 * i, image.width - extent, image.height - extent);
      const fits =
        boxes[4 * i + 2]! - boxes[4 * i]! + extent >= image.leastWidth &&
        boxes[4 * i + 3]! - boxes[4 * i + 1]! + extent >= image.leastHeight;
      found[i] = fits ? scores[((n * 2 + 1) * count + k) * area + cell]! : 0;
    }
  }
  return { boxes, scores: found, extent };
}

function evaluate(a: Attributes, inputs: readonly Tensor[]): Tensor[] {
  const [rois, probabilities] = infer(a, factsOf(inputs));
  const batch = inputs[0]!.shape[0]!;
  const image = imageOf(a, inputs[2]!);
  const out = new Float64Array(batch * a.post_nms_topn * 5);
  const scores = new Float64Array(batch * a.post_nms_topn);
  for (let n = 0; n < batch; n++) {
    const found = candidates(a, inputs, n, image);
    const ranked = rank(found.scores, a.pre_nms_topn);
    const boxes = takeBoxes(found.boxes, ranked);
    const kept = suppress(boxes, {
      threshold: Math.fround(a.nms_thresh),
      most: a.post_nms_topn,
      extent: found.extent,
    });
    for (const [i, at] of kept.entries()) {
      if (a.clip_after_nms) clipBox(boxes, 4 * at, image.width, image.height);
      const row = n * a.post_nms_topn + i;
      out[row * 5] = n;
      for (let k = 0; k < 4; k++) {
        const unit = a.normalize ? (k % 2 === 0 ? image.width : image.height) : 1;
        out[row * 5 + 1 + k] = boxes[4 * at + k]! / unit;
      }
      scores[row] = found.scores[ranked[at]!]!;
    }
    if (kept.length < a.post_nms_topn) out[(n * a.post_nms_topn + kept.length) * 5] = -1;
  }
  return [fromFloat64(out, rois!.shape, rois!.type), fromFloat64(scores, probabilities!.shape, probabilities!.type)];
}

/** All sizes are known, and something is looked for. */
function canLower(a: Attributes, node: Node): boolean {
  const info = node.source(2)!.fact.shape;
  const numbers = isStatic(info) ? elementCount(info) : 0;
  return a.pre_nms_topn > 0 && a.post_nms_topn > 0 && (numbers === 3 || numbers === 4) && canLowerRegions(node);
}

function lower(a: Attributes, node: Node, context: LowerContext): void {
  const [images, planes, rows, columns] = node.source(0)!.fact.shape as [number, number, number, number];
  const isTensorflow = a.framework === 'tensorflow';
  const extent = isTensorflow ? 0 : 1;
  const flag = (value: boolean): number => (value ? 1 : 0);
  lowerProposals(node, context, {
    ports: { scores: 0, deltas: 1, sizes: 2 },
    anchors: anchorsOf(a, isTensorflow),
    params: {
      ...{ images, anchors: planes / 2, rows, columns, scorePlanes: planes, firstScore: planes / 2 },
      ...{ sizeCount: elementCount(node.source(2)!.fact.shape), scaled: 1 },
      ...{ step: a.feat_stride, turned: flag(isTensorflow), clipAnchors: flag(isTensorflow) },
      ...{ coordinateScale: a.box_coordinate_scale, sizeScale: a.box_size_scale, extent, nmsExtent: extent },
      clipBefore: flag(a.clip_before_nms),
      clipAfter: flag(a.clip_after_nms),
      normalized: flag(a.normalize),
      ...{ withImage: 1, leastSize: a.min_size, preNmsTopK: a.pre_nms_topn, postNmsTopK: a.post_nms_topn },
      nmsThreshold: a.nms_thresh,
    },
  });
}

const common = {
  ...{ type: 'Proposal', attributes, inputs: [3, 3] as [number, number], lower, canLower },
  runtime: { bytes: 'never', epilogue: 'none' } as const,
};

/**
 * Inputs: scores [N, 2 · A, H, W] (background first), deltas [N, 4 · A, H, W], and height, width and scale of the image.
 * Every anchor of every cell is moved by its deltas; the best `pre_nms_topn` (equal scores: the earlier) are suppressed
 * above `nms_thresh`. Output [N · post_nms_topn, 5]: image and corners; image −1 ends the list of an image.
 */
export const proposal1 = defineOp({
  ...common,
  opset: 'opset1',
  infer: (a, inputs) => infer(a, inputs).slice(0, 1),
  evaluate: (a, inputs) => evaluate(a, inputs).slice(0, 1),
});

/** Proposal with the scores of the regions. */
export const proposal4 = defineOp({ ...common, opset: 'opset4', infer, evaluate });
