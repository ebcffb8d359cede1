// GenerateProposals, and the form of one image: regions from anchors that are given.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat32, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, formatShape, isStatic } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, elementType, float, int } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, inputFact, mergeSizes, requireRank } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { indexTypes } from '../movement/emit-picks.ts';
import { ownSet } from '../registry.ts';
import { rank, suppress, takeBoxes } from './boxes.ts';
import { lowerProposals } from './lower-proposals.ts';
import { clipBox, refine, usualGrowth } from './refine-boxes.ts';

const attributes = z.object({
  min_size: float,
  nms_threshold: float,
  /** Candidates before and regions after suppression. */
  pre_nms_count: int,
  post_nms_count: int,
});

const batchAttributes = attributes.extend({
  /** Corners are not pixels that belong to the box. */
  normalized: bool.default(true),
  nms_eta: float.default(1),
  roi_num_type: elementType.default('i64'),
});

type Attributes = z.infer<typeof attributes>;

/** One image: `anchors` boxes for each of `area` cells. */
interface Cells {
  readonly anchors: Float64Array;
  /** [A · 4, H, W] and [A, H, W]. */
  readonly deltas: Float32Array;
  readonly scores: Float32Array;
  readonly count: number;
  readonly area: number;
  readonly height: number;
  readonly width: number;
  readonly leastHeight: number;
  readonly leastWidth: number;
  readonly extent: number;
}

interface Candidates {
  readonly boxes: Float64Array;
  readonly scores: Float32Array;
  /** 1 when a box is as large as required. */
  readonly fits: Uint8Array;
}

/** Boxes of all anchors of all cells: cells row by row, anchors fastest. */
function candidates(c: Cells): Candidates {
  const total = c.count * c.area;
  const boxes = new Float64Array(4 * total);
  const scores = new Float32Array(total);
  const fits = new Uint8Array(total);
  const refinement = { extent: c.extent, back: c.extent, maxDeltaLogWh: usualGrowth };
  for (let i = 0; i < total; i++) {
    const [cell, k] = [Math.floor(i / c.count), i % c.count];
    const delta = (d: number): number => c.deltas[(4 * k + d) * c.area + cell]!;
    refine(c.anchors, 4 * i, [delta(0), delta(1), delta(2), delta(3)], refinement, boxes, 4 * i);
    clipBox(boxes, 4 * i, c.width - c.extent, c.height - c.extent);
    scores[i] = c.scores[k * c.area + cell]!;
    const isWide = boxes[4 * i + 2]! - boxes[4 * i]! + c.extent >= c.leastWidth;
    fits[i] = isWide && boxes[4 * i + 3]! - boxes[4 * i + 1]! + c.extent >= c.leastHeight ? 1 : 0;
  }
  return { boxes, scores, fits };
}

/** Regions of one image, and their scores. */
interface Regions {
  readonly boxes: Float64Array;
  readonly scores: Float64Array;
}

function regionsOf(a: Attributes, ranked: Int32Array, found: Candidates, extent: number): Regions {
  const boxes = takeBoxes(found.boxes, ranked);
  const kept = suppress(boxes, { threshold: Math.fround(a.nms_threshold), most: a.post_nms_count, extent });
  return { boxes: takeBoxes(boxes, kept), scores: Float64Array.from(kept, (i) => found.scores[ranked[i]!]!) };
}

function requireCells(scores: Fact, deltas: Fact): void {
  const at = scores.shape.length - 3;
  const [anchors, numbers] = [scores.shape[at]!, deltas.shape[at]!];
  if (anchors >= 0 && numbers >= 0 && numbers !== 4 * anchors) {
    const text = `scores of shape ${formatShape(scores.shape)} need four deltas for each`;
    throw new LowpError('ERR_SHAPE_MISMATCH', `${text}, they have shape ${formatShape(deltas.shape)}`);
  }
  for (const axis of [at + 1, at + 2])
    mergeSizes(scores.shape[axis]!, deltas.shape[axis]!, 'cells of scores and deltas');
}

function requireAnchors(anchors: Tensor, expected: number): Float64Array {
  const values = toFloat64(anchors);
  if (values.length === 4 * expected) return values;
  const text = `anchors have shape ${formatShape(anchors.shape)}, ${expected} boxes are expected`;
  throw new LowpError('ERR_SHAPE_MISMATCH', text);
}

function inferSingle(a: Attributes, inputs: Facts): Fact[] {
  const [deltas, scores] = [inputFact(inputs, 2), inputFact(inputs, 3)];
  requireRank(deltas.shape, 3, 3, 'the deltas');
  requireRank(scores.shape, 3, 3, 'the scores');
  requireCells(scores, deltas);
  return [
    { type: scores.type, shape: [a.post_nms_count, 4] },
    { type: scores.type, shape: [a.post_nms_count] },
  ];
}

function evaluateSingle(a: Attributes, inputs: readonly Tensor[]): Tensor[] {
  const [rois, probabilities] = inferSingle(a, factsOf(inputs));
  const [count, rows, columns] = inputs[3]!.shape as [number, number, number];
  const [height, width] = toFloat64(inputs[0]!) as unknown as [number, number];
  const leastSize = Math.fround(a.min_size);
  const found = candidates({
    anchors: requireAnchors(inputs[1]!, count * rows * columns),
    deltas: toFloat32(inputs[2]!),
    scores: toFloat32(inputs[3]!),
    ...{ count, area: rows * columns, height, width, leastHeight: leastSize, leastWidth: leastSize, extent: 1 },
  });
  const scores = found.scores.map((score, i) => (found.fits[i] ? score : 0));
  const regions = regionsOf(a, rank(scores, a.pre_nms_count), { ...found, scores }, 0);
  const boxes = new Float64Array(4 * a.post_nms_count);
  boxes.set(regions.boxes);
  const padded = new Float64Array(a.post_nms_count);
  padded.set(regions.scores);
  return [fromFloat64(boxes, rois!.shape, rois!.type), fromFloat64(padded, probabilities!.shape, probabilities!.type)];
}

/** What both operations tell the kernel. */
function paramsOf(a: Attributes, scores: readonly number[]) {
  const [anchors, rows, columns] = scores.slice(-3) as [number, number, number];
  return {
    ...{ anchors, rows, columns, scorePlanes: anchors, maxDeltaLogWh: usualGrowth, clipBefore: 1 },
    ...{
      leastSize: a.min_size,
      preNmsTopK: a.pre_nms_count,
      postNmsTopK: a.post_nms_count,
      nmsThreshold: a.nms_threshold,
    },
  };
}

/** All sizes are known, there is a box for every anchor, and something is looked for. */
function canLower(a: Attributes, node: Node): boolean {
  if (!canLowerInputs(a, node)) return false;
  return node.outputs.every((port) => isStatic(port.fact.shape) && elementCount(port.fact.shape) > 0);
}

function canLowerInputs(a: Attributes, node: Node): boolean {
  const shapes = [0, 1, 2, 3].map((i) => node.source(i)!.fact.shape);
  if (!shapes.every((shape) => isStatic(shape) && elementCount(shape) > 0)) return false;
  const [sizes, anchors, , scores] = shapes;
  const numbers = sizes!.at(-1)!;
  const fits = elementCount(anchors!) === 4 * elementCount(scores!.slice(-3)) && numbers >= 3 && numbers <= 4;
  return fits && a.pre_nms_count > 0 && a.post_nms_count > 0;
}

const inKernel = {
  lower: (a: Attributes, node: Node, context: LowerContext) => {
    const params = { ...paramsOf(a, node.source(3)!.fact.shape), images: 1, sizeCount: 3, extent: 1, back: 1 };
    lowerProposals(node, context, { ports: { scores: 3, deltas: 2, sizes: 0 }, anchors: 1, params });
  },
  canLower,
  runtime: { bytes: 'never', epilogue: 'none' } as const,
};

/**
 * Inputs: height, width and scale of the image, anchors [H · W · A, 4], deltas [A · 4, H, W], scores [A, H, W]. Outputs:
 * `post_nms_count` regions and their scores, filled up with 0; a region smaller than `min_size` has the score 0.
 */
export const generateProposalsSingleImage = defineOp({
  type: 'ExperimentalDetectronGenerateProposalsSingleImage',
  opset: 'opset6',
  attributes,
  inputs: [4, 4],
  infer: inferSingle,
  evaluate: evaluateSingle,
  ...inKernel,
});

function infer(a: z.infer<typeof batchAttributes>, inputs: Facts): Fact[] {
  const [info, anchors, deltas, scores] = [0, 1, 2, 3].map((i) => inputFact(inputs, i));
  requireRank(info!.shape, 2, 2, 'the image information');
  requireRank(anchors!.shape, 4, 4, 'the anchors');
  requireRank(deltas!.shape, 4, 4, 'the deltas');
  requireRank(scores!.shape, 4, 4, 'the scores');
  requireCells(scores!, deltas!);
  const images = mergeSizes(deltas!.shape[0]!, scores!.shape[0]!, 'images of deltas and scores');
  return [
    { type: scores!.type, shape: [-1, 4] },
    { type: scores!.type, shape: [-1] },
    { type: a.roi_num_type, shape: [mergeSizes(images, info!.shape[0]!, 'images and their sizes')] },
  ];
}

function evaluate(a: z.infer<typeof batchAttributes>, inputs: readonly Tensor[]): Tensor[] {
  const [rois, , numbers] = infer(a, factsOf(inputs));
  const [images, count, rows, columns] = inputs[3]!.shape as [number, number, number, number];
  const area = rows * columns;
  const each = inputs[0]!.shape[1]!;
  if (each < 3 || each > 4) {
    throw new LowpError('ERR_OP_INPUTS', `the image information has ${each} numbers for an image, expected 3 or 4`);
  }
  const extent = a.normalized ? 0 : 1;
  const info = toFloat64(inputs[0]!);
  const [deltas, scores] = [toFloat32(inputs[2]!), toFloat32(inputs[3]!)];
  const anchors = requireAnchors(inputs[1]!, count * area);
  const regions = Array.from({ length: images }, (_, n) => {
    const found = candidates({
      anchors,
      deltas: deltas.subarray(n * 4 * count * area, (n + 1) * 4 * count * area),
      scores: scores.subarray(n * count * area, (n + 1) * count * area),
      ...{ count, area, height: info[n * each]!, width: info[n * each + 1]!, extent },
      leastHeight: Math.fround(a.min_size) * info[n * each + 2]!,
      leastWidth: Math.fround(a.min_size) * info[n * each + each - 1]!,
    });
    const ranked = rank(found.scores, a.pre_nms_count).filter((i) => found.fits[i] === 1);
    return regionsOf(a, ranked, found, extent);
  });
  const total = regions.reduce((sum, r) => sum + r.scores.length, 0);
  const boxes = Float64Array.from(regions.flatMap((r) => [...r.boxes]));
  const found = Float64Array.from(regions.flatMap((r) => [...r.scores]));
  return [
    fromFloat64(boxes, [total, 4], rois!.type),
    fromFloat64(found, [total], rois!.type),
    fromFloat64(
      Float64Array.from(regions, (r) => r.scores.length),
      numbers!.shape,
      a.roi_num_type,
    ),
  ];
}

type BatchAttributes = z.infer<typeof batchAttributes>;

function inferRows(a: BatchAttributes, inputs: Facts): Fact[] {
  const [rois, scores, numbers] = infer(a, inputs) as [Fact, Fact, Fact];
  const images = numbers.shape[0]!;
  const rows = images < 0 ? -1 : images * Math.max(0, a.post_nms_count);
  return [{ ...rois, shape: [rows, 4] }, { ...scores, shape: [rows] }, numbers, { type: a.roi_num_type, shape: [1] }];
}

function evaluateRows(a: BatchAttributes, inputs: readonly Tensor[]): Tensor[] {
  const [rois, scores, , total] = inferRows(a, factsOf(inputs)) as [Fact, Fact, Fact, Fact];
  const found = evaluate(a, inputs);
  const filled = [rois, scores].map((fact, i) => {
    const values = new Float64Array(elementCount(fact.shape));
    values.set(toFloat64(found[i]!));
    return fromFloat64(values, fact.shape, fact.type);
  });
  return [...filled, found[2]!, fromFloat64(Float64Array.of(found[1]!.shape[0]!), [1], total.type)];
}

/** GenerateProposals in as many rows as there may be: left over are rows of 0. The last output counts the others. */
export const generateProposalsRows = defineOp({
  type: 'GenerateProposalsRows',
  opset: ownSet,
  attributes: batchAttributes,
  inputs: [4, 4],
  infer: inferRows,
  evaluate: evaluateRows,
  lower: (a, node, context) => {
    const [images, numbers] = node.source(0)!.fact.shape as [number, number];
    const extent = a.normalized ? 0 : 1;
    lowerProposals(node, context, {
      ports: { scores: 3, deltas: 2, sizes: 0 },
      anchors: 1,
      params: {
        ...{ ...paramsOf(a, node.source(3)!.fact.shape), images, extent, back: extent, nmsExtent: extent },
        ...{ sizeCount: numbers, sizeStride: numbers, scaled: 1, packed: 1, dropsSmall: 1 },
      },
    });
  },
  canLower,
  runtime: {
    ...{ bytes: 'never', epilogue: 'none' },
    types: { inputs: [['f32']], outputs: [['f32'], ['f32'], indexTypes] },
  },
});

/** All rows from the kernel, and those that it found from the host: their number is known only when it has run. */
function expand(a: BatchAttributes, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const inputs = [0, 1, 2, 3].map((i) => node.source(i)!);
  if (inputs.some((port) => port.fact.type !== 'f32') || !canLowerInputs(a, node)) return undefined;
  if (!indexTypes.includes(a.roi_num_type)) return undefined;
  const [rois, scores, numbers, total] = e.all('GenerateProposalsRows', inputs, a, 'rows');
  const first = (port: OutputPort, name: string) => e.add('FirstRows', [port, total], {}, name);
  return [first(rois!, 'rois'), first(scores!, 'scores'), numbers!];
}

/**
 * Inputs: [N, 3 or 4] height, width and scales of the images, anchors [H, W, A, 4], deltas [N, A · 4, H, W], scores
 * [N, A, H, W]. Outputs: regions of all images, their scores, and how many each image has. The best `pre_nms_count` of
 * an image count, without those smaller than `min_size`.
 */
export const generateProposals = defineOp({
  type: 'GenerateProposals',
  opset: 'opset9',
  attributes: batchAttributes,
  inputs: [4, 4],
  infer,
  evaluate,
  expand,
});
