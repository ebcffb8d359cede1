// Decoding of SSD boxes: what the network says about a box, relative to its default box.
import type { Tensor } from '../../tensor/tensor.ts';

/** Numbers that decoding reads. */
export interface BoxCoding {
  /** Default boxes have four numbers, shares of the image; else five, of which the first is skipped, in pixels. */
  readonly normalized: boolean;
  readonly width: number;
  readonly height: number;
  /** The four numbers are a shift of the center and logarithms of sizes; else shifts of the corners. */
  readonly centerSize: boolean;
  /** The network's numbers are not scaled by variances. */
  readonly varianceEncoded: boolean;
  /** Decoded corners are clipped into [0, 1]. */
  readonly clip: boolean;
}

/** Values of one image: `priors` default boxes, each with `locations` predicted ones (1, or one for each class). */
export interface CodedBoxes {
  readonly priors: number;
  readonly locations: number;
  /** Default boxes, and where this image's start; variances follow those of the image. */
  readonly defaults: Float32Array;
  readonly defaultsAt: number;
  readonly predicted: Float32Array;
  readonly predictedAt: number;
  /** Predictions that move the default boxes first. */
  readonly moved?: Float32Array;
}

/**
 * Boxes of one image, decoded when they are asked for: most of them never matter. Box `location · priors + prior` is
 * x0, y0, x1, y1 at four times its number in `boxes`.
 */
export class BoxDecoder {
  readonly boxes: Float64Array;
  private readonly done: Uint8Array;
  private readonly coding: BoxCoding;
  private readonly coded: CodedBoxes;
  private readonly prior = new Float64Array(4);

  constructor(coding: BoxCoding, coded: CodedBoxes) {
    this.coding = coding;
    this.coded = coded;
    this.done = new Uint8Array(coded.priors * coded.locations);
    this.boxes = new Float64Array(4 * this.done.length);
  }

  /** Decodes the boxes of some priors at one location. */
  decode(priors: Int32Array, location: number): void {
    for (const p of priors) {
      const at = location * this.coded.priors + p;
      if (this.done[at]) continue;
      this.done[at] = 1;
      this.decodeOne(p, location, this.boxes.subarray(4 * at, 4 * at + 4));
    }
  }

  private decodeOne(p: number, location: number, box: Float64Array): void {
    const { coded, coding, prior } = this;
    const size = coding.normalized ? 4 : 5;
    const from = coded.defaultsAt + p * size + size - 4;
    for (let i = 0; i < 4; i++) prior[i] = coded.defaults[from + i]! / this.unit(i);
    const at = coded.predictedAt + 4 * (p * coded.locations + location);
    const varianceAt = coded.defaultsAt + coded.priors * size + 4 * p;
    if (coded.moved) {
      this.apply(coded.moved, at, varianceAt, box);
      for (let i = 0; i < 4; i++) prior[i] = box[i]! / this.unit(i);
    }
    this.apply(coded.predicted, at, varianceAt, box);
  }

  /** What a coordinate of a default box is divided by. */
  private unit(i: number): number {
    if (this.coding.normalized) return 1;
    return i % 2 === 0 ? this.coding.width : this.coding.height;
  }

  private apply(predicted: Float32Array, at: number, varianceAt: number, box: Float64Array): void {
    const { centerSize, varianceEncoded, clip } = this.coding;
    const { prior } = this;
    for (let i = 0; i < 4; i++) {
      box[i] = predicted[at + i]! * (varianceEncoded ? 1 : this.coded.defaults[varianceAt + i]!);
    }
    if (centerSize) {
      for (let axis = 0; axis < 2; axis++) {
        const size = prior[axis + 2]! - prior[axis]!;
        const center = box[axis]! * size + (prior[axis]! + prior[axis + 2]!) / 2;
        const half = (Math.exp(box[axis + 2]!) * size) / 2;
        box[axis] = center - half;
        box[axis + 2] = center + half;
      }
    } else {
      for (let i = 0; i < 4; i++) box[i]! += prior[i]!;
    }
    if (clip) for (let i = 0; i < 4; i++) box[i] = Math.max(0, Math.min(1, box[i]!));
  }
}

/** Where the default boxes of image `n` start. */
export function defaultsAt(priors: Tensor, n: number): number {
  return priors.shape[0] === 1 ? 0 : n * priors.shape[1]! * priors.shape[2]!;
}
