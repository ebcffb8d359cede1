// Weighted sums along one axis: how linear and cubic resizing form each output from its neighbours.
import { elementCount, type Shape } from '../../tensor/shape.ts';
import { roundHalfAwayFromZero } from '../rounding.ts';
import type { ResizedAxis } from './coordinates.ts';

/** Input positions and their weights for one output position. */
export interface Neighbours {
  readonly positions: readonly number[];
  readonly weights: readonly number[];
}

/** The two positions around a coordinate, which is first moved into the input. */
export function linearNeighbours(coordinate: number, axis: ResizedAxis): Neighbours {
  const x = Math.min(axis.from - 1, Math.max(0, coordinate));
  const first = Math.trunc(x);
  const second = Math.min(first + 1, axis.from - 1);
  return { positions: [first, second], weights: first === second ? [0.5, 0.5] : [second - x, x - first] };
}

/**
 * All positions under a triangle of half width `1 / a` around a coordinate, weights scaled to sum to one; `a` is the scale
 * with antialiasing of a shrunken axis, else 1.
 */
export function triangleNeighbours(coordinate: number, axis: ResizedAxis, antialias: boolean): Neighbours {
  const a = antialias ? axis.scale : 1;
  const reach = axis.scale > 1 ? 2 : Math.ceil(2 / a);
  const centre = roundHalfAwayFromZero(coordinate);
  const positions: number[] = [];
  const weights: number[] = [];
  for (let at = Math.max(0, centre - reach); at <= Math.min(axis.from - 1, centre + reach); at++) {
    const weight = a * Math.max(0, 1 - Math.abs(a * (coordinate - at)));
    if (weight === 0) continue;
    positions.push(at);
    weights.push(weight);
  }
  const sum = weights.reduce((s, w) => s + w, 0);
  return { positions, weights: weights.map((w) => w / sum) };
}

/** Four positions around a coordinate with the weights of Keys' cubic for the coefficient `a`; edges are repeated. */
export function cubicNeighbours(coordinate: number, axis: ResizedAxis, a: number): Neighbours {
  const first = Math.floor(coordinate);
  const f = coordinate - first;
  const g = 1 - f;
  const weights = [
    a * f * g * g,
    ((a + 2) * f - (a + 3)) * f * f + 1,
    ((a + 2) * g - (a + 3)) * g * g + 1,
    a * f * f * g,
  ];
  const clamp = (p: number): number => Math.min(axis.from - 1, Math.max(0, p));
  return { positions: [clamp(first - 1), clamp(first), clamp(first + 1), clamp(first + 2)], weights };
}

/** `y[…, o, …] = Σ weights[o] · x[…, positions[o], …]` along one axis of a row-major array of `shape`. */
export function resampleAxis(
  data: Float64Array,
  shape: Shape,
  axis: number,
  neighbours: readonly Neighbours[],
): Float64Array {
  const outer = elementCount(shape.slice(0, axis));
  const inner = elementCount(shape.slice(axis + 1));
  const size = shape[axis]!;
  const out = new Float64Array(outer * neighbours.length * inner);
  for (let o = 0; o < outer; o++) {
    for (const [i, { positions, weights }] of neighbours.entries()) {
      const to = (o * neighbours.length + i) * inner;
      for (const [k, position] of positions.entries()) {
        const from = (o * size + position) * inner;
        const weight = weights[k]!;
        for (let n = 0; n < inner; n++) out[to + n]! += weight * data[from + n]!;
      }
    }
  }
  return out;
}
