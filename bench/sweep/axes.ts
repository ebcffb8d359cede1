// What is swept: one size of a layer around the widths of tiles and vectors, the others fixed.
import { convolution, type Layer, matrixProduct } from '../layers/lists.ts';

export interface Axis {
  readonly name: string;
  readonly title: string;
  readonly values: readonly number[];
  layer(value: number): Layer;
}

/** Every value up to `dense`, then powers of two and three halves of them with their neighbours up to `last`. */
function around(dense: number, last: number): number[] {
  const values = Array.from({ length: dense }, (_, i) => i + 1);
  for (let power = 16; power <= last; power *= 2)
    for (const middle of [power, (power * 3) / 2])
      for (const value of [middle - 1, middle, middle + 1]) if (value > dense && value <= last + 1) values.push(value);
  return values;
}

export const axes: readonly Axis[] = [
  { name: 'k', title: 'm96 n96, k', values: around(40, 1024), layer: (k) => matrixProduct(96, 96, k) },
  { name: 'n', title: 'm96 k256, n', values: around(72, 512), layer: (n) => matrixProduct(96, n, 256) },
  { name: 'm', title: 'n256 k256, m', values: around(32, 512), layer: (m) => matrixProduct(m, 256, 256) },
  {
    name: 'c',
    title: '3×3 on 28×28, channels in and out',
    values: around(40, 256),
    layer: (c) => convolution({ batch: 1, ic: c, oc: c, size: 28, kernel: 3 }),
  },
  {
    name: 'ic',
    title: '3×3 on 28×28 to 64 channels, channels in',
    values: around(40, 256),
    layer: (ic) => convolution({ batch: 1, ic, oc: 64, size: 28, kernel: 3 }),
  },
  {
    name: 'w',
    title: '3×3, 64 channels, width and height',
    values: around(32, 96),
    layer: (size) => convolution({ batch: 1, ic: 64, oc: 64, size, kernel: 3 }),
  },
  {
    name: 'w1',
    title: '1×1, 64 to 64 channels, width and height',
    values: around(32, 96),
    layer: (size) => convolution({ batch: 1, ic: 64, oc: 64, size, kernel: 1 }),
  },
  {
    name: 'dw',
    title: 'depthwise 3×3 on 28×28, channels',
    values: around(72, 512).filter((c) => c > 1),
    layer: (c) => convolution({ batch: 1, ic: c, oc: c, size: 28, kernel: 3, groups: c }),
  },
  {
    name: 'dww',
    title: 'depthwise 3×3, 64 channels, width and height',
    values: around(40, 96),
    layer: (size) => convolution({ batch: 1, ic: 64, oc: 64, size, kernel: 3, groups: 64 }),
  },
];

export interface Point {
  readonly value: number;
  readonly gops: number;
}

export interface Cliff extends Point {
  /** GOPS over the mean of the two neighbours. */
  readonly share: number;
}

/** A point counts as a cliff below this share of the mean of its neighbours. */
export const cliffShare = 0.7;

/** Points, in the order of their values, that are far below both neighbours' mean. */
export function cliffs(points: readonly Point[]): Cliff[] {
  return points.flatMap((point, i) => {
    const [before, after] = [points[i - 1], points[i + 1]];
    if (!before || !after) return [];
    const share = point.gops / ((before.gops + after.gops) / 2);
    return share < cliffShare ? [{ ...point, share }] : [];
  });
}

/** Values whose points are below 0.8 of the mean of their neighbours or of the best point with a smaller value. */
export function suspects(points: readonly Point[]): number[] {
  const low = 0.8;
  let best = 0;
  return points.flatMap((point, i) => {
    const [before, after] = [points[i - 1], points[i + 1]];
    const besideNeighbours = before && after ? point.gops < (low * (before.gops + after.gops)) / 2 : false;
    const suspect = besideNeighbours || point.gops < low * best;
    best = Math.max(best, point.gops);
    return suspect ? [point.value] : [];
  });
}

/** The lowest ratio of a point to the best point with a smaller value, where a larger layer is slower per operation. */
export function deepestFall(points: readonly Point[]): Cliff | undefined {
  let best = 0;
  let deepest: Cliff | undefined;
  for (const point of points) {
    const share = best === 0 ? 1 : point.gops / best;
    if (deepest === undefined || share < deepest.share) deepest = { ...point, share };
    best = Math.max(best, point.gops);
  }
  return deepest;
}
