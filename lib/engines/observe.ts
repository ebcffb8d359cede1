// Reduces a value to what calibration needs of it: the definition of what observers compute.
import { toFloat32 } from '../tensor/convert.ts';
import { elementCount, normalizeAxis } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { floatBin, floatBins } from '../util/float-bins.ts';
import type { Observation, ObservePoint, QuantilePoint } from './engine.ts';
import { interpolate, quantilePosition } from './quantile-ranks.ts';

/**
 * Minimum, maximum, largest magnitude, mean and quantiles of the finite elements, of the whole value or for each index of
 * the channel axis, for each item. Sums are taken in doubles, position by position and channel innermost, as a channels-last
 * tensor lies in memory. Without any finite element: 0 everywhere.
 *
 * @throws {LowpError} `ERR_SHAPE_RANK` when the channel axis does not exist
 */
export function observe(value: Tensor, point: ObservePoint): Observation {
  const { granularity, channelAxis = 1, items = 1, quantiles = [] } = point;
  const { shape } = value;
  const isPerChannel = granularity === 'perChannel';
  const axis = isPerChannel ? normalizeAxis(channelAxis, shape.length) : shape.length > 2 ? 1 : 0;
  const channels = shape[axis] ?? 1;
  const data = toFloat32(value);
  const groups = Array.from({ length: items * (isPerChannel ? channels : 1) }, () => new Group(quantiles.length > 0));
  const item = data.length / items;
  const inner = elementCount(shape.slice(axis + 1));
  const outer = axis === 0 ? 1 : elementCount(shape.slice(0, axis)) / items;
  const each = isPerChannel || axis > 0 ? channels : channels / items;
  for (let n = 0; n < items; n++) {
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++)
        for (let c = 0; c < each; c++)
          groups[isPerChannel ? n * channels + c : n]!.add(data[n * item + (o * each + c) * inner + i]!);
  }
  return observationOf(groups, quantiles);
}

/** Counts the elements of values, run by run, for the points that ask for it. */
export class HistogramCounter {
  private readonly byPoint = new Map<ObservePoint, Float64Array>();

  /** Adds the elements of one value of a point. */
  count(value: Tensor, point: ObservePoint): void {
    if (!point.histogram) return;
    const { items = 1 } = point;
    const counts = this.of(point)!;
    const data = toFloat32(value);
    const item = data.length / items;
    for (let i = 0; i < data.length; i++) counts[Math.floor(i / item) * floatBins + floatBin(data[i]!)]!++;
  }

  /** The `floatBins` counts of each item; undefined when the point does not ask for them. */
  of(point: ObservePoint): Float64Array | undefined {
    if (!point.histogram) return undefined;
    let counts = this.byPoint.get(point);
    if (!counts) {
      counts = new Float64Array((point.items ?? 1) * floatBins);
      this.byPoint.set(point, counts);
    }
    return counts;
  }
}

/** The elements that give one number of each kind. */
class Group {
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  nonFinite = 0;
  private sum = 0;
  private count = 0;
  /** All of them, for quantiles only. */
  private readonly finite: number[] | undefined;

  constructor(keeps: boolean) {
    this.finite = keeps ? [] : undefined;
  }

  add(x: number): void {
    if (!Number.isFinite(x)) {
      this.nonFinite++;
      return;
    }
    // Adding 0 gives zero one sign.
    if (x < this.min) this.min = x + 0;
    if (x > this.max) this.max = x + 0;
    this.sum += x;
    this.count++;
    this.finite?.push(x);
  }

  /** `value`, or 0 when there was no finite element. */
  seen(value: number): number {
    return this.count === 0 ? 0 : value;
  }

  mean(): number {
    return this.sum / this.count;
  }

  quantile({ share, isAbsolute }: QuantilePoint): number {
    const ordered = Float64Array.from(this.finite ?? [], (x) => (isAbsolute ? Math.abs(x) : x)).sort();
    const { below, share: between } = quantilePosition(ordered.length, share);
    return interpolate(ordered[below]!, ordered[Math.min(below + 1, ordered.length - 1)]!, between) + 0;
  }
}

function observationOf(groups: readonly Group[], quantiles: readonly QuantilePoint[]): Observation {
  const each = (number: (group: Group) => number): Float32Array => Float32Array.from(groups, (g) => g.seen(number(g)));
  const min = each((g) => g.min);
  const max = each((g) => g.max);
  return {
    min,
    max,
    absMax: min.map((low, g) => Math.max(-low, max[g]!)),
    mean: each((g) => g.mean()),
    quantiles: quantiles.map((q) => each((g) => g.quantile(q))),
    nonFinite: groups.reduce((sum, g) => sum + g.nonFinite, 0),
  };
}
