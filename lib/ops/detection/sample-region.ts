// Bilinear samples of a region of a feature map: positions and weights, which all channels share.
import { LowpError } from '../../errors/lowp-error.ts';

/** Where samples are taken: four elements of a plane and their weights for each one. */
export interface Samples {
  readonly offsets: Int32Array;
  readonly weights: Float64Array;
}

/** A region in units of the feature map, and how it is sampled. */
export interface SampledRegion {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Bins along y and x. */
  readonly bins: readonly [number, number];
  /** Samples of a bin along y and x. */
  readonly samples: readonly [number, number];
  /** The region lies around the origin, is turned by an angle (clockwise where y points down), and moved to a center. */
  readonly turned?: { readonly x: number; readonly y: number; readonly angle: number };
}

/** Samples of one region: corners are computed, and may lie anywhere. */
const mostSamples = 2 ** 24;

/**
 * Samples bin by bin. A sample up to one pixel outside of the map counts as on its edge, one beyond that as 0.
 *
 * @param map  height and width of the feature map
 * @throws {LowpError} `ERR_LIMIT_SIZE` for a region that needs too many samples
 */
export function sampleRegion(r: SampledRegion, map: readonly [number, number]): Samples {
  const [binsY, binsX] = r.bins;
  const [samplesY, samplesX] = r.samples;
  const count = binsY * binsX * samplesY * samplesX;
  if (count > mostSamples) {
    throw new LowpError(
      'ERR_LIMIT_SIZE',
      `a region needs ${count} samples; the reference takes ${mostSamples} at most`,
    );
  }
  const offsets = new Int32Array(4 * count);
  const weights = new Float64Array(4 * count);
  const [binHeight, binWidth] = [r.height / binsY, r.width / binsX];
  const { x: centerX, y: centerY, angle } = r.turned ?? { x: 0, y: 0, angle: 0 };
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  let at = 0;
  for (let bin = 0; bin < binsY * binsX; bin++) {
    const top = r.y + Math.floor(bin / binsX) * binHeight;
    const left = r.x + (bin % binsX) * binWidth;
    for (let i = 0; i < samplesY; i++) {
      for (let j = 0; j < samplesX; j++, at += 4) {
        const y = top + (binHeight / samplesY) * (i + 0.5);
        const x = left + (binWidth / samplesX) * (j + 0.5);
        bilinear(centerY + y * cos + x * sin, centerX + x * cos - y * sin, map, { offsets, weights }, at);
      }
    }
  }
  return { offsets, weights };
}

function bilinear(y: number, x: number, [height, width]: readonly [number, number], into: Samples, at: number): void {
  if (!(y >= -1 && y <= height && x >= -1 && x <= width)) return;
  const [cy, cx] = [Math.min(Math.max(y, 0), height - 1), Math.min(Math.max(x, 0), width - 1)];
  const [top, left] = [Math.floor(cy), Math.floor(cx)];
  const [down, right] = [cy - top, cx - left];
  const [bottom, end] = [Math.min(top + 1, height - 1), Math.min(left + 1, width - 1)];
  into.offsets.set([top * width + left, top * width + end, bottom * width + left, bottom * width + end], at);
  into.weights.set([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right], at);
}

/** Value of one sample in the plane that starts at `plane`. */
export function sampleAt(data: Float32Array, plane: number, s: Samples, at: number): number {
  let sum = 0;
  for (let i = at; i < at + 4; i++) sum += s.weights[i]! * data[plane + s.offsets[i]!]!;
  return sum;
}

/** Mean over the samples of each bin, 0 without samples. */
export function averageBins(data: Float32Array, plane: number, s: Samples, out: Float64Array): void {
  const perBin = s.weights.length / 4 / out.length;
  for (let bin = 0; bin < out.length; bin++) {
    let sum = 0;
    for (let i = 0; i < perBin; i++) sum += sampleAt(data, plane, s, 4 * (bin * perBin + i));
    out[bin] = perBin === 0 ? 0 : sum / perBin;
  }
}

/** Largest sample of each bin, at least 0. */
export function largestOfBins(data: Float32Array, plane: number, s: Samples, out: Float64Array): void {
  const perBin = s.weights.length / 4 / out.length;
  for (let bin = 0; bin < out.length; bin++) {
    let most = 0;
    for (let i = 0; i < perBin; i++) most = Math.max(most, sampleAt(data, plane, s, 4 * (bin * perBin + i)));
    out[bin] = most;
  }
}
