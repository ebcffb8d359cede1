/** Seeded images of distorted glyphs: the labelled data of the demo, made on the spot and the same on every machine. */
import { LowpError } from '../errors/lowp-error.ts';
import { type Random, random } from '../util/random.ts';
import { glyphStrokes, type Stroke } from './glyph-strokes.ts';

/** Side of an image in pixels. */
export const glyphSize = 32;

/** Names of the classes; a label is an index into this list. */
export const glyphClasses: readonly string[] = glyphStrokes.map(([name]) => name);

/** One labelled image. */
export interface GlyphSample {
  /** Shape `[1, 1, 32, 32]`, values `k / 255` in [0, 1]. */
  readonly image: Float32Array;
  readonly label: number;
}

/** A segment from (x0, y0) to (x1, y1) in pixels, drawn with `ink` in [-1, 1]. */
interface Segment {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly halfWidth: number;
  readonly ink: number;
}

/**
 * Sample `index` of the endless dataset of `seed`.
 *
 * The glyph's corners are jittered, then rotated, sheared, scaled and shifted; it is drawn with a random width, softness
 * and contrast over a gradient, together with faint stray strokes and noise, dark on light or light on dark. Any 20
 * samples that start at a multiple of 20 hold every class once.
 *
 * @param seed   any 32-bit integer
 * @param index  0 or more
 * @throws {LowpError} `ERR_CONFIG_INVALID` for a negative or fractional index
 */
export function glyphSample(seed: number, index: number): GlyphSample {
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new LowpError('ERR_CONFIG_INVALID', `glyph sample ${index} does not exist; samples are numbered from 0`);
  }
  const label = labelOf(seed, index);
  const r = random(mix(seed, index));
  const strokes = glyphStrokes[label]![1];
  const softness = uniform(r, 0.5, 1.3);
  const segments = [...clutter(r), ...glyph(r, strokes)];
  return { image: draw(r, segments, softness), label };
}

/** Labels come in shuffled blocks that hold every class once. */
function labelOf(seed: number, index: number): number {
  const count = glyphClasses.length;
  const order = Array.from({ length: count }, (_, i) => i);
  const r = random(mix(seed ^ 0x51ab, Math.floor(index / count)));
  for (let i = count - 1; i > 0; i--) {
    const j = r.int(0, i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order[index % count]!;
}

/** One 32-bit number out of two (finalizer of MurmurHash3). */
function mix(a: number, b: number): number {
  let h = (Math.imul(a | 0, 0x9e3779b1) + Math.imul(b | 0, 0x85ebca77) + Math.floor(b / 2 ** 32)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function uniform(r: Random, low: number, high: number): number {
  return low + (high - low) * r.next();
}

function glyph(r: Random, strokes: readonly Stroke[]): Segment[] {
  const angle = uniform(r, -0.5, 0.5);
  const width = uniform(r, 10, 20);
  const height = uniform(r, 13, 24);
  const shear = uniform(r, -0.35, 0.35);
  const center = glyphSize / 2;
  const dx = center + uniform(r, -4, 4);
  const dy = center + uniform(r, -3.5, 3.5);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const halfWidth = uniform(r, 0.55, 1.7);
  const ink = uniform(r, 0.2, 0.95);
  const segments: Segment[] = [];
  for (const stroke of strokes) {
    const points: number[] = [];
    for (let i = 0; i < stroke.length; i += 2) {
      const v = (stroke[i + 1]! - 0.5 + uniform(r, -0.065, 0.065)) * height;
      const u = (stroke[i]! - 0.5 + uniform(r, -0.065, 0.065)) * width + shear * v;
      points.push(dx + cos * u - sin * v, dy + sin * u + cos * v);
    }
    for (let i = 0; i + 3 < points.length; i += 2) {
      segments.push({ x0: points[i]!, y0: points[i + 1]!, x1: points[i + 2]!, y1: points[i + 3]!, halfWidth, ink });
    }
  }
  return segments;
}

/** Up to six short strokes anywhere, mostly fainter than the glyph. */
function clutter(r: Random): Segment[] {
  return Array.from({ length: r.int(0, 7) }, () => {
    const x0 = uniform(r, -2, glyphSize + 2);
    const y0 = uniform(r, -2, glyphSize + 2);
    const x1 = x0 + uniform(r, -9, 9);
    const y1 = y0 + uniform(r, -9, 9);
    return { x0, y0, x1, y1, halfWidth: uniform(r, 0.4, 1.2), ink: uniform(r, -0.4, 0.5) };
  });
}

/** Paper with a gradient, ink by the nearest stroke, noise; 8 bits deep. */
function draw(r: Random, segments: readonly Segment[], softness: number): Float32Array {
  const paper = uniform(r, 0.02, 0.3);
  const slopeX = uniform(r, -0.25, 0.25) / glyphSize;
  const slopeY = uniform(r, -0.25, 0.25) / glyphSize;
  const noise = uniform(r, 0.04, 0.26);
  const inverted = r.next() < 0.5;
  const image = new Float32Array(glyphSize * glyphSize);
  for (let y = 0; y < glyphSize; y++) {
    for (let x = 0; x < glyphSize; x++) {
      let ink = 0;
      for (const s of segments) {
        const covered = coverage(s, x + 0.5, y + 0.5, softness) * s.ink;
        if (Math.abs(covered) > Math.abs(ink)) ink = covered;
      }
      const ground = paper + slopeX * (x - glyphSize / 2) + slopeY * (y - glyphSize / 2);
      const value = ground + ink * (1 - paper) * 0.85 + noise * (r.next() + r.next() + r.next() - 1.5);
      const byte = Math.round(Math.min(1, Math.max(0, value)) * 255);
      image[y * glyphSize + x] = (inverted ? 255 - byte : byte) / 255;
    }
  }
  return image;
}

/** 1 inside a stroke, 0 outside, falling over `softness` pixels around its edge. */
function coverage(s: Segment, x: number, y: number, softness: number): number {
  const [ux, uy] = [s.x1 - s.x0, s.y1 - s.y0];
  const length = ux * ux + uy * uy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - s.x0) * ux + (y - s.y0) * uy) / length));
  const [px, py] = [x - s.x0 - along * ux, y - s.y0 - along * uy];
  const distance = Math.sqrt(px * px + py * py);
  return Math.min(1, Math.max(0, (s.halfWidth - distance) / softness + 0.5));
}
