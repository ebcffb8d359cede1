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

/** Boxes of one image, decoded when they are asked for: most of them never matter. */
export class BoxDecoder {
  private readonly coding: BoxCoding;
  private readonly coded: CodedBoxes;
  private readonly prior = new Float64Array(4);

  constructor(coding: BoxCoding, coded: CodedBoxes) {
    this.coding = coding;
    this.coded = coded;
  }

  /** The boxes of some priors at one location, one behind the other: x0, y0, x1, y1. */
  decode(priors: Int32Array, location: number): Float64Array {
    const boxes = new Float64Array(4 * priors.length);
    for (let i = 0; i < priors.length; i++) this.decodeOne(priors[i]!, location, boxes, 4 * i);
    return boxes;
  }

  private decodeOne(p: number, location: number, boxes: Float64Array, to: number): void {
    const { coded, coding, prior } = this;
    const size = coding.normalized ? 4 : 5;
    const from = coded.defaultsAt + p * size + size - 4;
    for (let i = 0; i < 4; i++) prior[i] = coded.defaults[from + i]! / this.unit(i);
    const at = coded.predictedAt + 4 * (p * coded.locations + location);
    const varianceAt = coded.defaultsAt + coded.priors * size + 4 * p;
    if (coded.moved) {
      this.apply(coded.moved, at, varianceAt, boxes, to);
      for (let i = 0; i < 4; i++) prior[i] = boxes[to + i]! / this.unit(i);
    }
    this.apply(coded.predicted, at, varianceAt, boxes, to);
  }

  /** What a coordinate of a default box is divided by. */
  private unit(i: number): number {
    if (this.coding.normalized) return 1;
    return i % 2 === 0 ? this.coding.width : this.coding.height;
  }

  private apply(predicted: Float32Array, at: number, varianceAt: number, boxes: Float64Array, to: number): void {
    const { centerSize, varianceEncoded, clip } = this.coding;
    const { prior } = this;
    for (let i = 0; i < 4; i++) {
      boxes[to + i] = predicted[at + i]! * (varianceEncoded ? 1 : this.coded.defaults[varianceAt + i]!);
    }
    if (centerSize) {
      for (let axis = 0; axis < 2; axis++) {
        const size = prior[axis + 2]! - prior[axis]!;
        const center = boxes[to + axis]! * size + (prior[axis]! + prior[axis + 2]!) / 2;
        const half = (Math.exp(boxes[to + axis + 2]!) * size) / 2;
        boxes[to + axis] = center - half;
        boxes[to + axis + 2] = center + half;
      }
    } else {
      for (let i = 0; i < 4; i++) boxes[to + i]! += prior[i]!;
    }
    if (clip) for (let i = to; i < to + 4; i++) boxes[i] = Math.max(0, Math.min(1, boxes[i]!));
  }
}

/** Where the default boxes of image `n` start. */
export function defaultsAt(priors: Tensor, n: number): number {
  return priors.shape[0] === 1 ? 0 : n * priors.shape[1]! * priors.shape[2]!;
}
