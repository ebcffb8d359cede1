// Operations of Detectron's two-stage networks: anchors on a grid, the best regions, detections, features of regions.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat32, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, formatShape, isStatic, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, float, floatList, int, intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, inputFact, mergeSizes, requireRank } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { rank, suppress, takeBoxes } from './boxes.ts';
import { canLowerRegions, lowerRoiAlign, mostSamples } from './lower-roi-align.ts';
import { refine } from './refine-boxes.ts';
import { samplesOf } from './roi-align.ts';
import { averageBins, sampleRegion } from './sample-region.ts';

const gridAttributes = z.object({
  flatten: bool.default(true),
  /** Sizes of the grid, and pixels from one cell to the next; 0: from the shapes of the inputs. */
  h: int.default(0),
  w: int.default(0),
  stride_x: float.default(0),
  stride_y: float.default(0),
});

type GridAttributes = z.infer<typeof gridAttributes>;

function requireBoxes(fact: Fact, what: string): number {
  requireRank(fact.shape, 2, 2, what);
  if (fact.shape[1]! < 0 || fact.shape[1] === 4) return fact.shape[0]!;
  throw new LowpError('ERR_SHAPE_MISMATCH', `${what} have shape ${formatShape(fact.shape)}, expected [R,4]`);
}

function inferGrid(a: GridAttributes, inputs: Facts): Fact[] {
  const [priors, map, image] = [0, 1, 2].map((i) => inputFact(inputs, i));
  const count = requireBoxes(priors!, 'the anchors');
  requireRank(map!.shape, 4, 4, 'the feature map');
  requireRank(image!.shape, 4, 4, 'the image');
  const [h, w] = [a.h || map!.shape[2]!, a.w || map!.shape[3]!];
  if (!a.flatten) return [{ type: priors!.type, shape: [h, w, count, 4] }];
  return [{ type: priors!.type, shape: [[h, w, count].some((d) => d < 0) ? -1 : h * w * count, 4] }];
}

/** Centers of all cells, x and y, row by row. */
function centersOf(a: GridAttributes, map: Shape, image: Shape): Float64Array {
  const [h, w] = [a.h || map[2]!, a.w || map[3]!];
  const [stepY, stepX] = [a.stride_y || image[2]! / h, a.stride_x || image[3]! / w];
  return Float64Array.from({ length: 2 * h * w }, (_, i) => {
    const cell = Math.floor(i / 2);
    return i % 2 === 0 ? stepX * ((cell % w) + 0.5) : stepY * (Math.floor(cell / w) + 0.5);
  });
}

function evaluateGrid(a: GridAttributes, inputs: readonly Tensor[]): Tensor[] {
  const { type, shape } = inferGrid(a, factsOf(inputs))[0]!;
  const centers = centersOf(a, inputs[1]!.shape, inputs[2]!.shape);
  const priors = toFloat64(inputs[0]!);
  const out = new Float64Array(elementCount(shape));
  for (let i = 0; i < out.length; i++) {
    out[i] = priors[i % priors.length]! + centers[2 * Math.floor(i / priors.length) + (i % 2)]!;
  }
  return [fromFloat64(out, shape, type)];
}

/** The sum of the anchors and of the center of every cell. */
function expandGrid(a: GridAttributes, node: Node, e: Expansion): OutputPort[] | undefined {
  const priors = node.source(0)!;
  const [anchors, map, image] = [0, 1, 2].map((i) => node.source(i)!.fact.shape) as [Shape, Shape, Shape];
  if (priors.fact.type !== 'f32' || ![anchors, map, image].every((s) => isStatic(s) && elementCount(s) > 0))
    return undefined;
  const centers = centersOf(a, map, image);
  const shifts = Float32Array.from({ length: 2 * centers.length }, (_, i) => centers[2 * (i >> 2) + (i % 2)]!);
  const cells = centers.length / 2;
  const each = e.reshape(priors, [1, anchors[0]!, 4], 'anchors');
  const shift = e.tensor({ type: 'f32', shape: [cells, 1, 4], data: shifts }, 'centers');
  return [e.reshape(e.add('Add', [each, shift], {}, 'boxes'), node.output.fact.shape, 'grid')];
}

/** Anchors [A, 4] around the center of every cell of a feature map: [H · W · A, 4], or [H, W, A, 4]. */
export const priorGridGenerator = defineOp({
  type: 'ExperimentalDetectronPriorGridGenerator',
  opset: 'opset6',
  attributes: gridAttributes,
  inputs: [3, 3],
  infer: inferGrid,
  evaluate: evaluateGrid,
  expand: expandGrid,
});

/** TopK of the scores, a Gather of their regions, and zeros behind them where there are too few. */
function expandTopK(most: number, node: Node, e: Expansion): OutputPort[] | undefined {
  const [rois, scores] = [node.source(0)!, node.source(1)!];
  const fits = [rois, scores].every((p) => p.fact.type === 'f32' && isStatic(p.fact.shape));
  const count = Math.min(most, rois.fact.shape[0]!);
  if (!fits || count < 1) return undefined;
  const best = { axis: 0, mode: 'max', sort: 'value', index_element_type: 'i32' };
  const [, at] = e.all('TopK', [scores, e.constant('i64', [], [count], 'count')], best, 'best');
  const taken = e.add('Gather', [rois, at, e.constant('i64', [], [0], 'axis')], {}, 'regions');
  if (count === most) return [taken];
  const zeros = { type: 'f32', shape: [most - count, 4], data: new Float32Array(4 * (most - count)) } as const;
  return [e.concat([taken, e.tensor(zeros, 'zeros')], 0, 'filled')];
}

/** The `max_rois` regions [R, 4] with the highest of the scores [R], equal ones by index; filled up with 0. */
export const topKRois = defineOp({
  type: 'ExperimentalDetectronTopKROIs',
  opset: 'opset6',
  attributes: z.object({ max_rois: int.default(0) }),
  inputs: [2, 2],
  infer: (a, inputs) => {
    const count = requireBoxes(inputFact(inputs, 0), 'the regions');
    requireRank(inputFact(inputs, 1).shape, 1, 1, 'the scores');
    mergeSizes(count, inputFact(inputs, 1).shape[0]!, 'number of regions and of scores');
    return [{ type: inputFact(inputs, 0).type, shape: [a.max_rois, 4] }];
  },
  evaluate: (a, [rois, scores]) => {
    const best = takeBoxes(toFloat64(rois!), rank(toFloat32(scores!), a.max_rois));
    const out = new Float64Array(4 * a.max_rois);
    out.set(best);
    return [fromFloat64(out, [a.max_rois, 4], rois!.type)];
  },
  expand: (a, node, e) => expandTopK(a.max_rois, node, e),
});

const detectionAttributes = z.object({
  score_threshold: float,
  nms_threshold: float,
  num_classes: int,
  /** Detections of a class and of the image at most. */
  post_nms_count: int,
  max_detections_per_image: int,
  class_agnostic_box_regression: bool.default(false),
  max_delta_log_wh: float,
  deltas_weights: floatList.refine((v) => v.length === 4, 'four numbers are expected'),
});

type DetectionAttributes = z.infer<typeof detectionAttributes>;

function inferDetections(a: DetectionAttributes, inputs: Facts): Fact[] {
  if (a.class_agnostic_box_regression) {
    throw new LowpError('ERR_OP_UNSUPPORTED', 'boxes that all classes share (class_agnostic_box_regression)');
  }
  const [rois, deltas, scores] = [0, 1, 2].map((i) => inputFact(inputs, i));
  const count = requireBoxes(rois!, 'the regions');
  for (const [fact, each, what] of [
    [deltas!, 4 * a.num_classes, 'deltas'],
    [scores!, a.num_classes, 'scores'],
  ] as const) {
    requireRank(fact.shape, 2, 2, `the ${what}`);
    mergeSizes(count, fact.shape[0]!, `number of regions and of ${what}`);
    mergeSizes(each, fact.shape[1]!, `${what} of a region`);
  }
  const most = a.max_detections_per_image;
  return [
    { type: rois!.type, shape: [most, 4] },
    { type: 'i32', shape: [most] },
    { type: rois!.type, shape: [most] },
  ];
}

/** A detection; `region` decides between equal scores. */
interface Detection {
  readonly label: number;
  readonly region: number;
  readonly score: number;
  readonly box: Float64Array;
}

function detectClass(a: DetectionAttributes, inputs: readonly Tensor[], label: number): Detection[] {
  const rois = toFloat64(inputs[0]!);
  const deltas = toFloat32(inputs[1]!);
  const scores = toFloat32(inputs[2]!);
  const regions: number[] = [];
  for (let r = 0; r < rois.length / 4; r++) {
    const isBox = rois[4 * r + 2]! > rois[4 * r]! && rois[4 * r + 3]! > rois[4 * r + 1]!;
    if (isBox && scores[r * a.num_classes + label]! > Math.fround(a.score_threshold)) regions.push(r);
  }
  const scoreOf = (r: number): number => scores[r * a.num_classes + label]!;
  const ranked = rank(regions.map(scoreOf)).map((i) => regions[i]!);
  const boxes = new Float64Array(4 * ranked.length);
  const refinement = { extent: 1, back: 1, maxDeltaLogWh: Math.fround(a.max_delta_log_wh) };
  const weights = Float32Array.from(a.deltas_weights);
  for (const [i, r] of ranked.entries()) {
    const delta = (d: number): number => deltas[(r * a.num_classes + label) * 4 + d]! / weights[d]!;
    refine(rois, 4 * r, [delta(0), delta(1), delta(2), delta(3)], refinement, boxes, 4 * i);
    for (let k = 0; k < 4; k++) boxes[4 * i + k] = Math.max(0, boxes[4 * i + k]!);
  }
  const kept = suppress(boxes, { threshold: Math.fround(a.nms_threshold), extent: 1 });
  const most = a.post_nms_count < 0 ? kept.length : a.post_nms_count;
  return Array.from(kept.subarray(0, most), (i) => {
    const region = ranked[i]!;
    return { label, region, score: scoreOf(region), box: boxes.subarray(4 * i, 4 * i + 4) };
  });
}

function evaluateDetections(a: DetectionAttributes, inputs: readonly Tensor[]): Tensor[] {
  const facts = inferDetections(a, factsOf(inputs));
  const most = a.max_detections_per_image;
  let found: Detection[] = [];
  for (let label = 1; label < a.num_classes; label++) found.push(...detectClass(a, inputs, label));
  if (found.length > most) {
    found = found.sort((x, y) => y.score - x.score || x.region - y.region || x.label - y.label).slice(0, most);
  }
  const [boxes, labels, scores] = [new Float64Array(4 * most), new Float64Array(most), new Float64Array(most)];
  for (const [i, d] of found.entries()) {
    boxes.set(d.box, 4 * i);
    labels[i] = d.label;
    scores[i] = d.score;
  }
  return [boxes, labels, scores].map((values, i) => fromFloat64(values, facts[i]!.shape, facts[i]!.type));
}

function lowerDetections(a: DetectionAttributes, node: Node, context: LowerContext): void {
  const [weightX, weightY, weightW, weightH] = a.deltas_weights as [number, number, number, number];
  context.builder.call(
    'detectron_output',
    {
      regions: node.source(0)!.fact.shape[0]!,
      classes: a.num_classes,
      maxDetections: a.max_detections_per_image,
      postNmsCount: a.post_nms_count,
      scoreThreshold: a.score_threshold,
      nmsThreshold: a.nms_threshold,
      maxDeltaLogWh: a.max_delta_log_wh,
      ...{ weightX, weightY, weightW, weightH },
    },
    {
      name: node.name,
      in: [0, 1, 2].map((i) => context.float(node, i, 'plain')),
      out: node.outputs.map((port) => context.place(port, 'plain')),
    },
  );
}

/**
 * Inputs: regions [R, 4], deltas [R, C · 4], scores [R, C], and sizes of the image. Every class but 0 moves the regions
 * and suppresses its own; the best of all remain, by class and score, or by score when there are too many. Outputs:
 * boxes [most, 4], classes, scores, filled up with 0.
 */
export const detectronDetectionOutput = defineOp({
  type: 'ExperimentalDetectronDetectionOutput',
  opset: 'opset6',
  attributes: detectionAttributes,
  inputs: [4, 4],
  infer: inferDetections,
  evaluate: evaluateDetections,
  lower: lowerDetections,
  canLower: (a, node) => {
    const shapes = [0, 1, 2].map((i) => node.source(i)!.fact.shape);
    const isKnown = shapes.every((shape) => isStatic(shape) && elementCount(shape) > 0);
    return isKnown && a.num_classes > 1 && a.max_detections_per_image > 0;
  },
  runtime: { bytes: 'never', epilogue: 'none', types: { inputs: [['f32']], outputs: [['f32'], ['i32'], ['f32']] } },
});

const featureAttributes = z.object({
  output_size: int,
  sampling_ratio: int,
  /** Pixels of the image for one of each feature map. */
  pyramid_scales: intList,
  /** Centers of pixels are at halves. */
  aligned: bool.default(false),
});

type FeatureAttributes = z.infer<typeof featureAttributes>;

function inferFeatures(a: FeatureAttributes, inputs: Facts): Fact[] {
  const rois = inputFact(inputs, 0);
  const count = requireBoxes(rois, 'the regions');
  const maps = inputs.slice(1).map((_, i) => inputFact(inputs, i + 1));
  if (maps.length === 0 || maps.length > a.pyramid_scales.length) {
    const text = `there are ${maps.length} feature maps and ${a.pyramid_scales.length} pyramid_scales`;
    throw new LowpError('ERR_OP_INPUTS', text);
  }
  for (const map of maps) requireRank(map.shape, 4, 4, 'a feature map');
  const channels = maps.reduce((c, map) => mergeSizes(c, map.shape[1]!, 'channels of the feature maps'), -1);
  return [
    { type: rois.type, shape: [count, channels, a.output_size, a.output_size] },
    { type: rois.type, shape: [count, 4] },
  ];
}

/** The map for a region of an area: 2 for 224 · 224 pixels, one more for each doubling of the side. */
function levelOf(rois: Float64Array, at: number, levels: number): number | undefined {
  const area = (rois[at + 2]! - rois[at]!) * (rois[at + 3]! - rois[at + 1]!);
  if (!(area > 0)) return undefined;
  const share = Math.sqrt(area) / 224 + 1e-6;
  let level = levels - 1;
  while (level > 0 && share < 2 ** (level - 2)) level--;
  return level;
}

function evaluateFeatures(a: FeatureAttributes, inputs: readonly Tensor[]): Tensor[] {
  const { type, shape } = inferFeatures(a, factsOf(inputs))[0]!;
  const size = a.output_size;
  const rois = toFloat64(inputs[0]!);
  const maps = inputs.slice(1).map((t) => ({ data: toFloat32(t), shape: t.shape }));
  const out = new Float64Array(elementCount(shape));
  const before = a.aligned ? 0.5 : 0;
  for (let r = 0; r < shape[0]!; r++) {
    const level = levelOf(rois, 4 * r, maps.length);
    if (level === undefined) continue;
    const { data, shape: map } = maps[level]!;
    const [x0, y0, x1, y1] = [0, 1, 2, 3].map((i) => rois[4 * r + i]! / a.pyramid_scales[level]! - before);
    const [width, height] = [Math.max(x1! - x0!, 1), Math.max(y1! - y0!, 1)];
    const samples = sampleRegion(
      {
        ...{ x: x0!, y: y0!, width, height, bins: [size, size] },
        samples: [samplesOf(a.sampling_ratio, height / size), samplesOf(a.sampling_ratio, width / size)],
      },
      [map[2]!, map[3]!],
    );
    for (let c = 0; c < shape[1]!; c++) {
      const to = (r * shape[1]! + c) * size * size;
      averageBins(data, c * map[2]! * map[3]!, samples, out.subarray(to, to + size * size));
    }
  }
  return [fromFloat64(out, shape, type), inputs[0]!];
}

function lowerFeatures(a: FeatureAttributes, node: Node, context: LowerContext): void {
  const maps = node.inputs.slice(1).map((_, i) => i + 1);
  lowerRoiAlign(node, context, {
    bins: [a.output_size, a.output_size],
    ratio: a.sampling_ratio,
    takesLargest: false,
    divides: true,
    ...{ before: 0, behind: a.aligned ? 0.5 : 0, least: 1 },
    ...{ maps, scales: a.pyramid_scales.slice(0, maps.length), byArea: true, regions: 0 },
  });
  if (context.isRead(node.outputs[1]!)) context.alias(node.outputs[1]!, node, 0, { from: 'plain', to: 'plain' });
}

/**
 * Inputs: regions [R, 4] in pixels of the image, and the feature maps of a pyramid [1, C, H, W], finest first. Every
 * region is sampled from the map that suits its area, as ROIAlign does: [R, C, size, size]; without an area it is 0.
 */
export const roiFeatureExtractor = defineOp({
  type: 'ExperimentalDetectronROIFeatureExtractor',
  opset: 'opset6',
  attributes: featureAttributes,
  inputs: [2, 64],
  infer: inferFeatures,
  evaluate: evaluateFeatures,
  lower: lowerFeatures,
  canLower: (a, node) => {
    const batches = new Set(node.inputs.slice(1).map((i) => i.source?.fact.shape[0]));
    return (
      a.sampling_ratio >= 0 &&
      a.sampling_ratio <= mostSamples &&
      a.output_size > 0 &&
      batches.size === 1 &&
      canLowerRegions(node)
    );
  },
  runtime: { bytes: 'never', epilogue: 'none' },
});
