// Boxes that are turned: five numbers each, x and y of the center, width, height, and the angle in radians.

/** Corners one after the other along the outline: x0, y0, … x3, y3; seen in an image, whose y points down, clockwise. */
export function cornersOf(box: ArrayLike<number>, at: number): Float64Array {
  const [x, y, width, height, angle] = [0, 1, 2, 3, 4].map((i) => box[at + i]!) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const out = new Float64Array(8);
  for (const [i, [u, v]] of unitCorners.entries()) {
    out[2 * i] = x + u * width * cos - v * height * sin;
    out[2 * i + 1] = y + u * width * sin + v * height * cos;
  }
  return out;
}

const unitCorners = [
  [-0.5, -0.5],
  [0.5, -0.5],
  [0.5, 0.5],
  [-0.5, 0.5],
] as const;

/**
 * Intersection over union of two turned boxes; 0 when one of them has no area.
 *
 * In the frame of b the outline of a is cut at the four sides of b; what is left is a convex polygon.
 */
export function rotatedOverlap(boxes: Float64Array, a: number, b: number): number {
  const [i, j] = [5 * a, 5 * b];
  const [areaA, areaB] = [boxes[i + 2]! * boxes[i + 3]!, boxes[j + 2]! * boxes[j + 3]!];
  if (!(areaA > 0 && areaB > 0)) return 0;
  const [cos, sin] = [Math.cos(boxes[j + 4]!), Math.sin(boxes[j + 4]!)];
  const corners = cornersOf(boxes, i);
  let outline: number[] = [];
  for (let k = 0; k < 8; k += 2) {
    const [x, y] = [corners[k]! - boxes[j]!, corners[k + 1]! - boxes[j + 1]!];
    outline.push(x * cos + y * sin, y * cos - x * sin);
  }
  for (let axis = 0; axis < 2; axis++) {
    for (const sign of [1, -1]) outline = cut(outline, axis, sign, boxes[j + 2 + axis]! / 2);
  }
  const common = areaOf(outline);
  return common / (areaA + areaB - common);
}

/** The part of a convex polygon with `sign · coordinate ≤ limit`. */
function cut(outline: readonly number[], axis: number, sign: number, limit: number): number[] {
  const out: number[] = [];
  for (let k = 0; k < outline.length; k += 2) {
    const next = (k + 2) % outline.length;
    const [from, to] = [limit - sign * outline[k + axis]!, limit - sign * outline[next + axis]!];
    if (from >= 0) out.push(outline[k]!, outline[k + 1]!);
    if (from >= 0 === to >= 0) continue;
    const share = from / (from - to);
    for (let d = 0; d < 2; d++) out.push(outline[k + d]! + share * (outline[next + d]! - outline[k + d]!));
  }
  return out;
}

/** Half of the sum of the cross products along the outline. */
function areaOf(outline: readonly number[]): number {
  let sum = 0;
  for (let k = 0; k < outline.length; k += 2) {
    const next = (k + 2) % outline.length;
    sum += outline[k]! * outline[next + 1]! - outline[next]! * outline[k + 1]!;
  }
  return Math.abs(sum) / 2;
}
