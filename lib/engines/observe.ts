// Reduces a value to what calibration needs of it.
import { toFloat32 } from '../tensor/convert.ts';
import { elementCount, normalizeAxis } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Observation, ObservePoint } from './engine.ts';

/**
 * Minimum, maximum, largest magnitude and mean of the finite elements, of the whole value or for each index of the
 * channel axis. Sums are taken in doubles, position by position and channel innermost, as a channels-last tensor lies in
 * memory. Without any finite element: 0 everywhere.
 *
 * @throws {LowpError} `ERR_SHAPE_RANK` when the channel axis does not exist
 */
export function observe(value: Tensor, point: ObservePoint): Observation {
  const data = toFloat32(value);
  const { shape } = value;
  const perChannel = point.granularity === 'perChannel';
  const axis = perChannel ? normalizeAxis(point.channelAxis ?? 1, shape.length) : shape.length > 2 ? 1 : 0;
  const channels = shape[axis] ?? 1;
  const outer = elementCount(shape.slice(0, axis));
  const inner = elementCount(shape.slice(axis + 1));
  const totals = new Totals(perChannel ? channels : 1);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let c = 0; c < channels; c++) totals.add(perChannel ? c : 0, data[(o * channels + c) * inner + i]!);
    }
  }
  return totals.observation();
}

class Totals {
  private readonly low: Float32Array;
  private readonly high: Float32Array;
  private readonly sum: Float64Array;
  private readonly count: Float64Array;
  private nonFinite = 0;

  constructor(groups: number) {
    this.low = new Float32Array(groups).fill(Number.POSITIVE_INFINITY);
    this.high = new Float32Array(groups).fill(Number.NEGATIVE_INFINITY);
    this.sum = new Float64Array(groups);
    this.count = new Float64Array(groups);
  }

  add(group: number, x: number): void {
    if (!Number.isFinite(x)) {
      this.nonFinite++;
      return;
    }
    if (x < this.low[group]!) this.low[group] = x;
    if (x > this.high[group]!) this.high[group] = x;
    this.sum[group]! += x;
    this.count[group]! += 1;
  }

  observation(): Observation {
    const seen = (values: Float32Array): Float32Array => values.map((v, g) => (this.count[g] === 0 ? 0 : v));
    const [min, max] = [seen(this.low), seen(this.high)];
    return {
      min,
      max,
      absMax: min.map((low, g) => Math.max(-low, max[g]!)),
      mean: Float32Array.from(this.sum, (sum, g) => (this.count[g] === 0 ? 0 : sum / this.count[g]!)),
      nonFinite: this.nonFinite,
    };
  }
}
