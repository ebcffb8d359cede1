/** The 8-bit grids of a model's activations. */
import type { Model } from '../../graph/model.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { toFloat64 } from '../../tensor/convert.ts';
import { elementCount, type Shape, sameShape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Grid, movedGrid } from './moved-grid.ts';

/** Zero points this close to an integer are that integer; limits in f32 leave about 1e-5 of noise. */
const zeroPointNoise = 1e-3;

/** An exact pair: `real = scale · (q - zeroPoint)` with `0 <= q <= 255`; one number each, or one for each index of `axis`. */
export interface Pair {
  readonly scale: Float32Array;
  readonly zeroPoint: Float64Array;
  readonly axis: number | undefined;
}

/** The grids of activations in one model. */
export interface ActivationGrids {
  /** The pairs that say the same as a FakeQuantize. */
  readonly pairs: ReadonlyMap<Node, Pair>;
  /** Values in f32 that lie on a grid of the whole tensor. */
  readonly grids: ReadonlyMap<OutputPort, Grid>;
}

export function activationGrids(model: Model): ActivationGrids {
  const pairs = new Map<Node, Pair>();
  const grids = new Map<OutputPort, Grid>();
  for (const node of model.nodes()) {
    const pair = node.type === 'FakeQuantize' ? exactPair(node) : undefined;
    if (pair) pairs.set(node, pair);
    const grid =
      pair?.scale.length === 1
        ? { scale: pair.scale[0]!, zeroPoint: pair.zeroPoint[0]! }
        : movedGrid(node, (port) => grids.get(port));
    if (grid) for (const port of node.outputs) if (port.fact.type === 'f32') grids.set(port, grid);
  }
  return { pairs, grids };
}

/** Full 8-bit grids with equal limits on both sides that contain zero. */
function exactPair(node: Node): Pair | undefined {
  if (node.attributes.levels !== 256) return undefined;
  const [inputLow, inputHigh, outputLow, outputHigh] = [1, 2, 3, 4].map((i) => node.source(i)?.fact.value);
  if (!inputLow || !inputHigh || !outputLow || !outputHigh) return undefined;
  if (!sameValues(inputLow, outputLow) || !sameValues(inputHigh, outputHigh)) return undefined;
  const axis = varyingAxis(inputLow.shape, inputHigh.shape, node.output.fact.shape.length);
  if (axis === 'several') return undefined;
  const count = Math.max(elementCount(inputLow.shape), elementCount(inputHigh.shape));
  const low = repeated(toFloat64(inputLow), count);
  const high = repeated(toFloat64(inputHigh), count);
  const scale = low.map((l, i) => (high[i]! - l) / 255);
  if (!scale.every((s) => s > 0 && Number.isFinite(s))) return undefined;
  const zero = low.map((l, i) => -l / scale[i]!);
  const exact = zero.every((z) => Math.abs(z - Math.round(z)) < zeroPointNoise && Math.round(z) >= 0 && z < 255.5);
  return exact ? { scale: Float32Array.from(scale), zeroPoint: zero.map((z) => Math.round(z) + 0), axis } : undefined;
}

function sameValues(a: Tensor, b: Tensor): boolean {
  if (!sameShape(a.shape, b.shape)) return false;
  const [x, y] = [toFloat64(a), toFloat64(b)];
  return x.every((v, i) => v === y[i]);
}

/** `count` numbers out of `count` numbers or one. */
export function repeated(values: Float64Array, count: number): Float64Array {
  return values.length === count ? values : new Float64Array(count).fill(values[0]!);
}

/** The only axis of the data along which limits vary; undefined when they are single numbers. */
function varyingAxis(low: Shape, high: Shape, rank: number): number | undefined | 'several' {
  const axes = new Set<number>();
  for (const shape of [low, high]) for (const [i, d] of shape.entries()) if (d !== 1) axes.add(rank - shape.length + i);
  if (axes.size > 1) return 'several';
  const [axis] = axes;
  return axis;
}
