// NonMaxSuppression, all revisions: of boxes that overlap the best ones, class by class.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { constantOf, type Fact, type Node, type OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat32, toFloat64 } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { elementCount, formatShape, isStatic } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, elementType, enumeration } from '../attribute.ts';
import { defineOp, type RuntimeTraits } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, factsOfNode, inputFact, knownIntegers, mergeSizes, requireRank } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { indexTypes } from '../movement/emit-picks.ts';
import { ownSet } from '../registry.ts';
import { rank, suppress, takeBoxes } from './boxes.ts';
import { suppressSoftly } from './soft-suppression.ts';

const attributes = z.object({
  /** Corners y0, x0, y1, x1 of either diagonal, or center and sizes x, y, w, h. */
  box_encoding: enumeration(['corner', 'center']).default('corner'),
  /** By score over all classes and images; else by image and class. */
  sort_result_descending: bool.default(true),
});

export const typedAttributes = attributes.extend({
  output_type: elementType.refine((t) => t === 'i32' || t === 'i64', 'i32 or i64 is expected').default('i64'),
});

type Attributes = z.infer<typeof attributes> & { output_type?: z.infer<typeof typedAttributes>['output_type'] };

/** What differs between revisions. */
interface Revision {
  /** An overlap equal to the threshold is enough to be dropped. */
  readonly dropsAtThreshold: boolean;
  /** Soft suppression also drops by the threshold. */
  readonly softDrops: boolean;
}

const older: Revision = { dropsAtThreshold: true, softDrops: true };
const newer: Revision = { dropsAtThreshold: false, softDrops: false };

/** Sizes of boxes [N, B, 4], or as many numbers as a box has, and scores [N, C, B]. */
export interface BoxSizes {
  readonly images: number;
  readonly classes: number;
  readonly boxes: number;
}

/** @throws {LowpError} `ERR_SHAPE_*` when boxes and scores do not fit */
export function boxSizes(inputs: Facts, perBox = 4): BoxSizes {
  const [boxes, scores] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  requireRank(boxes.shape, 3, 3, 'the boxes');
  requireRank(scores.shape, 3, 3, 'the scores');
  if (boxes.shape[2]! >= 0 && boxes.shape[2] !== perBox) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `boxes have shape ${formatShape(boxes.shape)}, expected [N,B,${perBox}]`);
  }
  return {
    images: mergeSizes(boxes.shape[0]!, scores.shape[0]!, 'images of boxes and scores'),
    classes: scores.shape[1]!,
    boxes: mergeSizes(boxes.shape[1]!, scores.shape[2]!, 'number of boxes and of scores'),
  };
}

/** Rows when every class of every image is full; −1 when not known. */
function mostRows(inputs: Facts): number {
  const { images, classes, boxes } = boxSizes(inputs);
  const most = inputs[2] ? knownIntegers(inputs[2])?.[0] : 0;
  if (most === undefined || images < 0 || classes < 0 || boxes < 0) return -1;
  return images * classes * Math.min(boxes, Math.max(0, most));
}

/** Corner boxes, near corner first, axis by axis. */
function cornersOf(boxes: Tensor, encoding: 'corner' | 'center'): Float64Array {
  const out = toFloat64(boxes);
  for (let i = 0; i < out.length; i += 4) {
    for (let axis = 0; axis < 2; axis++) {
      const [a, b] = [out[i + axis]!, out[i + axis + 2]!];
      out[i + axis] = encoding === 'center' ? a - b / 2 : Math.min(a, b);
      out[i + axis + 2] = encoding === 'center' ? a + b / 2 : Math.max(a, b);
    }
  }
  return out;
}

/** Numbers of the optional inputs, in single precision. */
export interface Limits {
  readonly most: number;
  readonly overlap: number;
  readonly score: number;
  readonly sigma: number;
}

export function limitsOf(inputs: readonly (Tensor | undefined)[]): Limits {
  const [most, share, score, sigma] = [2, 3, 4, 5].map((i) => (inputs[i] ? toFloat64(inputs[i])[0]! : 0));
  return {
    most: Math.max(0, most!),
    overlap: Math.fround(share!),
    score: Math.fround(score!),
    sigma: Math.fround(sigma!),
  };
}

/** A box that stays. */
export interface Selected {
  readonly image: number;
  readonly label: number;
  readonly box: number;
  readonly score: number;
}

function select(a: Attributes, revision: Revision, inputs: readonly (Tensor | undefined)[]): Selected[] {
  const sizes = boxSizes(factsOf(inputs));
  const limits = limitsOf(inputs);
  const corners = cornersOf(inputs[0]!, a.box_encoding);
  const scores = toFloat32(inputs[1]!);
  const selected: Selected[] = [];
  for (let image = 0; image < sizes.images; image++) {
    const boxes = corners.subarray(image * sizes.boxes * 4, (image + 1) * sizes.boxes * 4);
    for (let label = 0; label < sizes.classes; label++) {
      const at = (image * sizes.classes + label) * sizes.boxes;
      const own = scores.subarray(at, at + sizes.boxes);
      for (const { box, score } of selectClass(boxes, own, limits, revision)) {
        selected.push({ image, label, box, score });
      }
    }
  }
  return a.sort_result_descending ? sortByScore(selected) : selected;
}

/** In place: the best first, equal ones by image, class and box. */
export function sortByScore(selected: Selected[]): Selected[] {
  return selected.sort((x, y) => y.score - x.score || x.image - y.image || x.label - y.label || x.box - y.box);
}

function selectClass(
  boxes: Float64Array,
  scores: Float32Array,
  limits: Limits,
  revision: Revision,
): { box: number; score: number }[] {
  const found: number[] = [];
  for (let b = 0; b < scores.length; b++) if (scores[b]! > limits.score) found.push(b);
  const candidates = Int32Array.from(found);
  const own = Float32Array.from(candidates, (b) => scores[b]!);
  const result = (c: number) => ({ box: candidates[c]!, score: own[c]! });
  if (limits.sigma > 0) {
    const kept = suppressSoftly(takeBoxes(boxes, candidates), own, {
      sigma: limits.sigma,
      dropFrom: revision.softDrops ? limits.overlap : Number.POSITIVE_INFINITY,
      least: limits.score,
      most: limits.most,
    });
    return Array.from(kept, result);
  }
  const ranked = rank(own);
  const kept = suppress(
    takeBoxes(
      boxes,
      ranked.map((c) => candidates[c]!),
    ),
    { threshold: limits.overlap, most: limits.most, atThreshold: revision.dropsAtThreshold },
  );
  return Array.from(kept, (i) => result(ranked[i]!));
}

function indicesOf(selected: readonly Selected[], rows: number): Float64Array {
  const out = new Float64Array(rows * 3).fill(-1);
  for (const [i, s] of selected.entries()) out.set([s.image, s.label, s.box], i * 3);
  return out;
}

function scoresOf(selected: readonly Selected[], rows: number): Float64Array {
  const out = new Float64Array(rows * 3);
  for (const [i, s] of selected.entries()) out.set([s.image, s.label, s.score], i * 3);
  return out;
}

/** The limits when no input can change them. */
function knownLimits(node: Node): Limits | undefined {
  const given = [0, 1, 2, 3, 4, 5].map((i) => (i < 2 ? undefined : node.source(i)));
  if (given.some((port) => port && !constantOf(port))) return undefined;
  return limitsOf(given.map((port) => constantOf(port)));
}

/** Bytes that the kernel may take for boxes that stay; it needs 12 for each. */
const mostSelectedBytes = 2 ** 26;

/** Known limits, of which boxes can stay, not too many of them. */
function canLower(node: Node): boolean {
  if (!knownLimits(node)) return false;
  const rows = mostRows(factsOfNode(node));
  return rows > 0 && rows * 12 <= mostSelectedBytes;
}

function lower(a: Attributes, revision: Revision, node: Node, context: LowerContext): void {
  const { images, classes, boxes } = boxSizes(factsOfNode(node));
  const limits = knownLimits(node)!;
  const flag = (value: boolean): number => (value ? 1 : 0);
  context.builder.call(
    'non_max_suppression',
    {
      ...{ images, classes, boxes, most: Math.min(boxes, limits.most) },
      center: flag(a.box_encoding === 'center'),
      sorted: flag(a.sort_result_descending),
      atThreshold: flag(revision.dropsAtThreshold),
      softDrops: flag(revision.softDrops),
      overlapThreshold: limits.overlap,
      scoreThreshold: limits.score,
      sigma: limits.sigma,
    },
    {
      name: node.name,
      in: [context.float(node, 0, 'plain'), context.float(node, 1, 'plain')],
      out: node.outputs.map((port) => context.place(port, 'plain')),
    },
  );
}

const runtime: RuntimeTraits = {
  bytes: 'never',
  epilogue: 'none',
  types: { inputs: [['f32']], outputs: [indexTypes, ['f32'], indexTypes] },
};

/** Indices alone, in as many rows as there may be. */
function fixedRows(opset: string, schema: z.ZodType<Attributes>) {
  return defineOp<Attributes>({
    type: 'NonMaxSuppression',
    opset,
    attributes: schema,
    inputs: [2, 5],
    infer: (a, inputs) => [{ type: a.output_type ?? 'i64', shape: [mostRows(inputs), 3] }],
    evaluate: (a, present, inputs = present) => {
      const rows = mostRows(factsOf(inputs));
      return [fromFloat64(indicesOf(select(a, older, inputs), rows), [rows, 3], a.output_type ?? 'i64')];
    },
    lower: (a, node, context) => lower(a, older, node, context),
    canLower: (_, node) => canLower(node),
    runtime,
  });
}

const rowsAttributes = typedAttributes.extend({ drops_at_threshold: bool, soft_drops: bool });

type RowsAttributes = z.infer<typeof rowsAttributes>;

function revisionOf(a: RowsAttributes): Revision {
  return { dropsAtThreshold: a.drops_at_threshold, softDrops: a.soft_drops };
}

function evaluateRows(a: RowsAttributes, inputs: readonly (Tensor | undefined)[]): Tensor[] {
  const selected = select(a, revisionOf(a), inputs);
  const rows = mostRows(factsOf(inputs));
  const scores = scoresOf(selected, rows);
  return [
    fromFloat64(indicesOf(selected, rows), [rows, 3], a.output_type),
    fromFloat64(scores, [rows, 3], inputs[1]!.type),
    fromFloat64(Float64Array.of(selected.length), [1], a.output_type),
  ];
}

/**
 * NonMaxSuppression-5 and -9 in as many rows as there may be: left over are indices of −1 and scores of 0. The last output
 * counts the others.
 */
export const nonMaxSuppressionRows = defineOp({
  type: 'NonMaxSuppressionRows',
  opset: ownSet,
  attributes: rowsAttributes,
  inputs: [2, 6],
  infer: (a, inputs) => {
    const [indices, scores, count] = inferFoundRows(a.output_type, inputs);
    const shape = [mostRows(inputs), 3];
    return [{ ...indices!, shape }, { ...scores!, shape }, count!];
  },
  evaluate: (a, present, inputs = present) => evaluateRows(a, inputs),
  lower: (a, node, context) => lower(a, revisionOf(a), node, context),
  canLower: (_, node) => canLower(node),
  runtime,
});

/** All rows from the kernel, and those that it found from the host: their number is known only when it has run. */
function expandFound(
  a: z.infer<typeof typedAttributes>,
  revision: Revision,
  node: Node,
  expansion: Expansion,
): readonly OutputPort[] | undefined {
  const [boxes, scores] = [node.source(0)!.fact, node.source(1)!.fact];
  const fits = [boxes, scores].every((f) => f.type === 'f32' && isStatic(f.shape) && elementCount(f.shape) > 0);
  if (!fits || !canLower(node)) return undefined;
  const attributes = { ...a, drops_at_threshold: revision.dropsAtThreshold, soft_drops: revision.softDrops };
  const inputs = node.inputs.map((i) => i.source);
  const [indices, found, count] = expansion.all('NonMaxSuppressionRows', inputs, attributes, 'rows');
  const first = (port: OutputPort, name: string) => expansion.add('FirstRows', [port, count], {}, name);
  return [first(indices!, 'indices'), first(found!, 'scores'), count!];
}

/** Types of indices, scores and their number. */
export function inferFoundRows(type: ElementType, inputs: Facts, perBox = 4): Fact[] {
  boxSizes(inputs, perBox);
  return [
    { type, shape: [-1, 3] },
    { type: inputFact(inputs, 1).type, shape: [-1, 3] },
    { type, shape: [1] },
  ];
}

/** Indices, scores and their number. */
export function outputsOf(selected: readonly Selected[], type: ElementType, scoreType: ElementType): Tensor[] {
  const rows = selected.length;
  return [
    fromFloat64(indicesOf(selected, rows), [rows, 3], type),
    fromFloat64(scoresOf(selected, rows), [rows, 3], scoreType),
    fromFloat64(Float64Array.of(rows), [1], type),
  ];
}

/** Indices, scores and their number, in as many rows as there are. */
function foundRows(opset: string, revision: Revision) {
  return defineOp({
    type: 'NonMaxSuppression',
    opset,
    attributes: typedAttributes,
    inputs: [2, 6],
    infer: (a, inputs): Fact[] => inferFoundRows(a.output_type, inputs),
    evaluate: (a, present, inputs = present) => outputsOf(select(a, revision, inputs), a.output_type, inputs[1]!.type),
    expand: (a, node, expansion) => expandFound(a, revision, node, expansion),
  });
}

/**
 * Inputs: boxes [N, B, 4], scores [N, C, B], and, each 0 when absent, most boxes of a class, overlap and score thresholds.
 * A box is a candidate when its score is above the threshold; candidates are taken by score, equal ones by index, unless
 * they overlap one that was taken by the threshold or more. Output: rows of image, class and box; rows that are left over
 * are −1.
 */
export const nonMaxSuppression1 = fixedRows('opset1', attributes);

/** NonMaxSuppression-1 with a choice of the type. */
export const nonMaxSuppression3 = fixedRows('opset3', typedAttributes);
export const nonMaxSuppression4 = fixedRows('opset4', typedAttributes);

/**
 * NonMaxSuppression with soft suppression (sigma, input 5), scores [rows, 3] (image, class, score) and the number of rows;
 * there are as many rows as boxes were found.
 */
export const nonMaxSuppression5 = foundRows('opset5', older);

/** NonMaxSuppression-5 that drops a box only above the threshold, and by score alone when suppression is soft. */
export const nonMaxSuppression9 = foundRows('opset9', newer);
