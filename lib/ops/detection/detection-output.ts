// DetectionOutput, both revisions: decoding, ranking and suppression of the boxes of an SSD.
import { z } from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { fromFloat64, toFloat32 } from '../../tensor/convert.ts';
import { formatShape, isStatic } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, enumeration, float, int, intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, mergeSizes, requireRank } from '../fact.ts';
import { rank, suppress } from './boxes.ts';
import { BoxDecoder, type CodedBoxes, defaultsAt } from './decode-boxes.ts';

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

/** Kept boxes, as pairs of label and prior. */
interface Kept {
  readonly labels: number[];
  readonly priors: number[];
}

/** One image: its scores, its boxes, and memory that all classes use in turn. */
class Image {
  readonly decoder: BoxDecoder;
  private readonly a: Attributes;
  private readonly sizes: Sizes;
  private readonly confidence: Float32Array;
  private readonly confidenceAt: number;
  /** Confidences that say whether there is anything, two for each prior. */
  private readonly objects: Float32Array | undefined;
  private readonly objectsAt: number;
  private readonly ranking: Float64Array;
  private readonly indices: Int32Array;

  constructor(a: Attributes, sizes: Sizes, inputs: readonly Float32Array[], n: number, coded: CodedBoxes) {
    this.a = a;
    this.sizes = sizes;
    this.confidence = inputs[1]!;
    this.confidenceAt = n * sizes.priors * sizes.classes;
    this.objects = inputs[3];
    this.objectsAt = n * sizes.priors * 2;
    this.ranking = new Float64Array(sizes.priors);
    this.indices = new Int32Array(sizes.priors);
    this.decoder = new BoxDecoder(
      {
        normalized: a.normalized,
        width: a.input_width,
        height: a.input_height,
        centerSize: a.code_type.endsWith('CENTER_SIZE'),
        varianceEncoded: a.variance_encoded_in_target,
        clip: a.clip_before_nms,
      },
      coded,
    );
  }

  score(prior: number, label: number): number {
    const { objects } = this;
    if (objects && objects[this.objectsAt + 2 * prior + 1]! < Math.fround(this.a.objectness_score)) {
      return label === this.a.background_label_id ? 1 : 0;
    }
    return this.confidence[this.confidenceAt + prior * this.sizes.classes + label]!;
  }

  /** The kept boxes of every class, each class by itself. */
  keepByClass(): Kept {
    const kept: Kept = { labels: [], priors: [] };
    const least = Math.fround(this.a.confidence_threshold);
    for (let label = 0; label < this.sizes.classes; label++) {
      if (label === this.a.background_label_id) continue;
      let count = 0;
      for (let p = 0; p < this.sizes.priors; p++) {
        const score = this.score(p, label);
        if (!(score > least)) continue;
        this.ranking[p] = score;
        this.indices[count++] = p;
      }
      for (const p of this.suppressed(this.top(count), label)) {
        kept.labels.push(label);
        kept.priors.push(p);
      }
    }
    return kept;
  }

  /** The kept boxes when every box has only its best class. */
  keepByBox(): Kept {
    const least = Math.fround(this.a.confidence_threshold);
    const labelOf = new Int32Array(this.sizes.priors);
    let count = 0;
    for (let p = 0; p < this.sizes.priors; p++) {
      let best = -1;
      for (let label = 1; label < this.sizes.classes; label++) {
        if (label === this.a.background_label_id || !(this.score(p, label) > best)) continue;
        best = this.score(p, label);
        labelOf[p] = label;
      }
      if (labelOf[p] === 0 || best < least) continue;
      this.ranking[p] = best;
      this.indices[count++] = p;
    }
    const ranked = this.top(count);
    const kept: Kept = { labels: [], priors: [] };
    for (let label = 1; label < this.sizes.classes; label++) {
      for (const p of this.suppressed(
        ranked.filter((i) => labelOf[i] === label),
        label,
      )) {
        kept.labels.push(label);
        kept.priors.push(p);
      }
    }
    return kept;
  }

  private top(count: number): Int32Array {
    const ranked = rank(this.indices.subarray(0, count), this.ranking);
    return this.a.top_k >= 0 ? ranked.subarray(0, this.a.top_k) : ranked;
  }

  private suppressed(ranked: Int32Array, label: number): Int32Array {
    const location = this.a.share_location ? 0 : label;
    this.decoder.decode(ranked, location);
    const suppression = { threshold: Math.fround(this.a.nms_threshold), most: Number.POSITIVE_INFINITY };
    return suppress(ranked, this.decoder.boxes, suppression, location * this.sizes.priors);
  }
}

/** The `most` best of all classes, grouped by label, the best first. */
function strongest(kept: Kept, image: Image, most: number): Kept {
  if (most < 0 || kept.labels.length <= most) return kept;
  const scores = Float64Array.from(kept.labels, (label, i) => image.score(kept.priors[i]!, label));
  const order = Array.from(kept.labels, (_, i) => i)
    .sort((x, y) => scores[y]! - scores[x]! || kept.priors[x]! - kept.priors[y]! || x - y)
    .slice(0, most)
    .sort((x, y) => kept.labels[x]! - kept.labels[y]! || scores[y]! - scores[x]! || kept.priors[x]! - kept.priors[y]!);
  return { labels: order.map((i) => kept.labels[i]!), priors: order.map((i) => kept.priors[i]!) };
}

function evaluate(a: Attributes, inputs: readonly Tensor[]): Tensor[] {
  const facts = factsOf(inputs);
  const sizes = sizesOf(a, facts);
  const { type, shape } = infer(a, facts)[0]!;
  if (inputs.length === 4) throw new LowpError('ERR_OP_INPUTS', 'input 3 is there without input 4');
  if (!isStatic(shape)) throw new LowpError('ERR_SHAPE_DYNAMIC', `the output has shape ${formatShape(shape)}`);
  const values = inputs.map(toFloat32);
  const out = new Float64Array(sizes.rows * 7);
  let row = 0;
  for (let n = 0; n < sizes.images; n++) {
    const image = new Image(a, sizes, values, n, {
      priors: sizes.priors,
      locations: sizes.locations,
      defaults: values[2]!,
      defaultsAt: defaultsAt(inputs[2]!, n),
      predicted: values[0]!,
      predictedAt: n * sizes.priors * sizes.locations * 4,
      ...(values[4] ? { moved: values[4] } : {}),
    });
    const found = a.decrease_label_id ? image.keepByBox() : image.keepByClass();
    const kept = strongest(found, image, a.keep_top_k[0]!);
    for (const [i, label] of kept.labels.entries()) {
      const prior = kept.priors[i]!;
      const at = 4 * ((a.share_location ? 0 : label) * sizes.priors + prior);
      out.set([n, a.decrease_label_id ? label - 1 : label, image.score(prior, label)], row * 7);
      for (let k = 0; k < 4; k++) {
        const corner = image.decoder.boxes[at + k]!;
        out[row * 7 + 3 + k] = a.clip_after_nms ? Math.max(0, Math.min(1, corner)) : corner;
      }
      row++;
    }
  }
  if (row < sizes.rows) out[row * 7] = -1;
  return [fromFloat64(out, shape, type)];
}

const common = { type: 'DetectionOutput', inputs: [3, 5] as [number, number], infer, evaluate };

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
