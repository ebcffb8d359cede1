// DetectionOutput, both revisions: decoding, ranking and suppression of the boxes of an SSD.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node } from '../../graph/node.ts';
import { fromFloat64, toFloat32 } from '../../tensor/convert.ts';
import { elementCount, formatShape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, enumeration, float, int, intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, factsOfNode, inputFact, mergeSizes, requireRank } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { rank, suppress } from './boxes.ts';
import { BoxDecoder, defaultsAt } from './decode-boxes.ts';

const attributes = z.object({
  background_label_id: int.default(0),
  /** Candidates of one class at most; −1: all. */
  top_k: int.default(-1),
  variance_encoded_in_target: bool.default(false),
  /** Results of one image at most; −1: all. */
  keep_top_k: intList.refine((v) => v.length > 0, 'a number is expected'),
  code_type: z
    .preprocess(
      (v) => (typeof v === 'string' ? v.replace(/^.*\./, '') : v),
      enumeration(['corner', 'center_size'] as const),
    )
    .default('corner')
    .transform((v) => `caffe.PriorBoxParameter.${v.toUpperCase()}`),
  share_location: bool.default(true),
  nms_threshold: float,
  confidence_threshold: float.default(0),
  clip_after_nms: bool.default(false),
  clip_before_nms: bool.default(false),
  /** The best class of every box competes with all others, and labels count from 0. */
  decrease_label_id: bool.default(false),
  normalized: bool.default(false),
  input_height: int.default(1),
  input_width: int.default(1),
  objectness_score: float.default(0),
});

const countedAttributes = attributes.extend({ num_classes: int });

type Attributes = z.infer<typeof attributes> & { num_classes?: number };

interface Sizes {
  readonly images: number;
  readonly priors: number;
  readonly classes: number;
  /** Predicted boxes of one prior. */
  readonly locations: number;
  /** Rows of the output. */
  readonly rows: number;
}

function isCenterSize(a: Attributes): boolean {
  return a.code_type.endsWith('CENTER_SIZE');
}

/** Sizes that are not known yet are −1. */
function sizesOf(a: Attributes, inputs: Facts): Sizes {
  const [location, confidence, priors] = [0, 1, 2].map((i) => inputFact(inputs, i));
  requireRank(location!.shape, 2, 2, 'the locations');
  requireRank(confidence!.shape, 2, 2, 'the confidences');
  requireRank(priors!.shape, 3, 3, 'the default boxes');
  const images = mergeSizes(location!.shape[0]!, confidence!.shape[0]!, 'images of locations and confidences');
  const [batch, rowsOfPriors, length] = priors!.shape as [number, number, number];
  const each = a.normalized ? 4 : 5;
  const fits =
    (batch < 0 || images < 0 || batch === 1 || batch === images) &&
    (rowsOfPriors < 0 || rowsOfPriors === 2 || (rowsOfPriors === 1 && a.variance_encoded_in_target)) &&
    (length < 0 || length % each === 0);
  if (!fits) {
    const text = `default boxes of shape ${formatShape(priors!.shape)}: [1 or N, 2 (1 without variances), ${each} · P]`;
    throw new LowpError('ERR_SHAPE_MISMATCH', `${text} is expected`);
  }
  const count = length < 0 ? -1 : length / each;
  const scores = confidence!.shape[1]!;
  const classes = a.num_classes ?? (count > 0 && scores >= 0 ? scores / count : -1);
  const locations = a.share_location ? 1 : classes;
  if (count > 0 && scores >= 0) requireSize('confidences', scores, count * classes);
  const predicted = location!.shape[1]!;
  if (count >= 0 && predicted >= 0 && locations >= 0) requireSize('locations', predicted, 4 * count * locations);
  return { images, priors: count, classes, locations, rows: rowsOf(a, images, count, classes) };
}

function requireSize(what: string, got: number, expected: number): void {
  if (got === expected && Number.isInteger(expected)) return;
  throw new LowpError('ERR_SHAPE_MISMATCH', `an image has ${got} numbers as ${what}, expected ${expected}`);
}

function rowsOf(a: Attributes, images: number, priors: number, classes: number): number {
  if (images < 0) return -1;
  if (a.keep_top_k[0]! > 0) return images * a.keep_top_k[0]!;
  if (classes < 0 || (a.top_k <= 0 && priors < 0)) return -1;
  return images * classes * (a.top_k > 0 ? a.top_k : priors);
}

function infer(a: Attributes, inputs: Facts): Fact[] {
  return [{ type: inputFact(inputs, 0).type, shape: [1, 1, sizesOf(a, inputs).rows, 7] }];
}

/** A detection: the prior that it comes from, and its corners. */
interface Detection {
  readonly label: number;
  readonly prior: number;
  readonly score: number;
  readonly box: Float64Array;
}

/** One image: its scores and its boxes. */
class Image {
  private readonly a: Attributes;
  private readonly sizes: Sizes;
  private readonly decoder: BoxDecoder;
  private readonly confidence: Float32Array;
  private readonly confidenceAt: number;
  /** Confidences that say whether there is anything, two for each prior. */
  private readonly objects: Float32Array | undefined;
  private readonly objectsAt: number;

  constructor(a: Attributes, sizes: Sizes, inputs: readonly Float32Array[], n: number, decoder: BoxDecoder) {
    this.a = a;
    this.sizes = sizes;
    this.decoder = decoder;
    this.confidence = inputs[1]!;
    this.confidenceAt = n * sizes.priors * sizes.classes;
    this.objects = inputs[3];
    this.objectsAt = n * sizes.priors * 2;
  }

  private score(prior: number, label: number): number {
    const { objects } = this;
    if (objects && objects[this.objectsAt + 2 * prior + 1]! < Math.fround(this.a.objectness_score)) {
      return label === this.a.background_label_id ? 1 : 0;
    }
    return this.confidence[this.confidenceAt + prior * this.sizes.classes + label]!;
  }

  /** Detections of every class, each class by itself. */
  detectByClass(): Detection[] {
    const least = Math.fround(this.a.confidence_threshold);
    const found: Detection[] = [];
    for (let label = 0; label < this.sizes.classes; label++) {
      if (label === this.a.background_label_id) continue;
      const priors: number[] = [];
      const scores: number[] = [];
      for (let p = 0; p < this.sizes.priors; p++) {
        const score = this.score(p, label);
        if (!(score > least)) continue;
        priors.push(p);
        scores.push(score);
      }
      const ranked = this.rank(scores).map((i) => priors[i]!);
      found.push(...this.detect(ranked, label));
    }
    return found;
  }

  /** Detections when every box has only its best class. */
  detectByBox(): Detection[] {
    const least = Math.fround(this.a.confidence_threshold);
    const [priors, labels, scores]: [number[], number[], number[]] = [[], [], []];
    for (let p = 0; p < this.sizes.priors; p++) {
      let best = -1;
      let bestLabel = 0;
      for (let label = 1; label < this.sizes.classes; label++) {
        const score = label === this.a.background_label_id ? -1 : this.score(p, label);
        if (!(score > best)) continue;
        best = score;
        bestLabel = label;
      }
      if (bestLabel === 0 || best < least) continue;
      priors.push(p);
      labels.push(bestLabel);
      scores.push(best);
    }
    const ranked = this.rank(scores);
    const found: Detection[] = [];
    for (let label = 1; label < this.sizes.classes; label++) {
      const own = ranked.filter((i) => labels[i] === label).map((i) => priors[i]!);
      found.push(...this.detect(own, label));
    }
    return found;
  }

  private rank(scores: readonly number[]): Int32Array {
    return rank(scores, this.a.top_k >= 0 ? this.a.top_k : undefined);
  }

  /** What suppression leaves of ranked priors. */
  private detect(ranked: Int32Array, label: number): Detection[] {
    const boxes = this.decoder.decode(ranked, this.a.share_location ? 0 : label);
    const kept = suppress(boxes, { threshold: Math.fround(this.a.nms_threshold) });
    return Array.from(kept, (i) => {
      const prior = ranked[i]!;
      return { label, prior, score: this.score(prior, label), box: boxes.subarray(4 * i, 4 * i + 4) };
    });
  }
}

/** The `most` best of all classes, grouped by label, the best first. */
function strongest(found: readonly Detection[], most: number): readonly Detection[] {
  if (most < 0 || found.length <= most) return found;
  const byScore = (x: Detection, y: Detection): number => y.score - x.score || x.prior - y.prior || x.label - y.label;
  return found
    .toSorted(byScore)
    .slice(0, most)
    .sort((x, y) => x.label - y.label || byScore(x, y));
}

function evaluate(a: Attributes, inputs: readonly Tensor[]): Tensor[] {
  if (inputs.length === 4) throw new LowpError('ERR_OP_INPUTS', 'input 3 is there without input 4');
  const facts = factsOf(inputs);
  const sizes = sizesOf(a, facts);
  const { type, shape } = infer(a, facts)[0]!;
  const coding = {
    normalized: a.normalized,
    width: a.input_width,
    height: a.input_height,
    centerSize: isCenterSize(a),
    varianceEncoded: a.variance_encoded_in_target,
    clip: a.clip_before_nms,
  };
  const values = inputs.map(toFloat32);
  const out = new Float64Array(sizes.rows * 7);
  let row = 0;
  for (let n = 0; n < sizes.images; n++) {
    const decoder = new BoxDecoder(coding, {
      priors: sizes.priors,
      locations: sizes.locations,
      defaults: values[2]!,
      defaultsAt: defaultsAt(inputs[2]!, n),
      predicted: values[0]!,
      predictedAt: n * sizes.priors * sizes.locations * 4,
      ...(values[4] ? { moved: values[4] } : {}),
    });
    const image = new Image(a, sizes, values, n, decoder);
    const found = a.decrease_label_id ? image.detectByBox() : image.detectByClass();
    for (const { label, score, box } of strongest(found, a.keep_top_k[0]!)) {
      const corners = a.clip_after_nms ? box.map((v) => Math.max(0, Math.min(1, v))) : box;
      out.set([n, a.decrease_label_id ? label - 1 : label, score, ...corners], 7 * row++);
    }
  }
  if (row < sizes.rows) out[row * 7] = -1;
  return [fromFloat64(out, shape, type)];
}

/** Bytes that the kernel may take for what suppression leaves; it needs 12 for each box. */
const mostFoundBytes = 2 ** 26;

/** Inputs of a first stage fit, and the kernel's lists are not too long. */
function canLower(a: Attributes, node: Node): boolean {
  const { images, priors, classes, locations } = sizesOf(a, factsOfNode(node));
  const count = (input: number): number => elementCount(node.source(input)!.fact.shape);
  const hasStages = node.source(3) !== undefined || node.source(4) !== undefined;
  if (hasStages && (!node.source(3) || !node.source(4))) return false;
  if (hasStages && (count(3) !== images * priors * 2 || count(4) !== images * priors * locations * 4)) return false;
  const lists = a.decrease_label_id ? 1 : classes;
  return images * lists * (a.top_k < 0 ? priors : Math.min(priors, a.top_k)) * 12 <= mostFoundBytes;
}

function lower(a: Attributes, node: Node, context: LowerContext): void {
  const { images, priors, classes, locations } = sizesOf(a, factsOfNode(node));
  const defaults = node.source(2)!.fact.shape;
  const flag = (value: boolean): number => (value ? 1 : 0);
  context.builder.call(
    'detection_output',
    {
      ...{ images, priors, classes, locations },
      defaultStride: defaults[0] === 1 ? 0 : defaults[1]! * defaults[2]!,
      normalized: flag(a.normalized),
      width: a.input_width,
      height: a.input_height,
      centerSize: flag(isCenterSize(a)),
      varianceEncoded: flag(a.variance_encoded_in_target),
      clipBefore: flag(a.clip_before_nms),
      clipAfter: flag(a.clip_after_nms),
      byBox: flag(a.decrease_label_id),
      background: a.background_label_id,
      topK: a.top_k,
      keepTopK: a.keep_top_k[0]!,
      nmsThreshold: a.nms_threshold,
      confidenceThreshold: a.confidence_threshold,
      objectnessScore: a.objectness_score,
    },
    {
      name: node.name,
      in: [0, 1, 2, 3, 4].map((i) => (node.source(i) ? context.float(node, i, 'plain') : undefined)),
      out: [context.place(node.output, 'plain')],
    },
  );
}

const common = {
  type: 'DetectionOutput',
  inputs: [3, 5] as [number, number],
  infer,
  evaluate,
  lower,
  canLower,
  runtime: { bytes: 'never', epilogue: 'none' } as const,
};

/**
 * Detections of an SSD. Inputs: locations [N, P · L · 4], confidences [N, P · C], default boxes with variances
 * [1 or N, 2, P · 4], and perhaps confidences [N, P · 2] and locations of a first stage.
 *
 * Of every class but the background the boxes above `confidence_threshold` are ranked (equal scores by index), cut to
 * `top_k`, and dropped when they overlap a better one by more than `nms_threshold`; of all classes `keep_top_k` remain.
 * Output [1, 1, rows, 7]: image, label, score, corners, by image, label and score; the row behind the last one starts
 * with −1, the others are 0.
 */
export const detectionOutput1 = defineOp({ ...common, opset: 'opset1', attributes: countedAttributes });

/** DetectionOutput that takes the number of classes from the shapes. */
export const detectionOutput8 = defineOp({ ...common, opset: 'opset8', attributes });
