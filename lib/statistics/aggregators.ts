// From one number per sample (and channel) to one number: mean, extremes, medians, robust means.
import { LowpError } from '../errors/lowp-error.ts';
import type { Aggregator } from './request.ts';

/** Takes the numbers of one sample after another. */
export interface Accumulator {
  /** One entry for each channel; the same number of entries every time. */
  add(values: Float32Array): void;
  /** The aggregate of each channel. At least one sample was added. */
  result(): Float32Array;
}

/** Share of the samples at each end that the robust aggregators leave out. */
const outlierShare = 0.01;
/** Pairs that the Hodges-Lehmann estimator may hold for one channel: 128 MiB. */
const mostPairs = 2 ** 24;

/** An accumulator. Mean, max and min keep one number per channel; the others keep every sample's. */
export function accumulatorFor(aggregator: Aggregator): Accumulator {
  if (aggregator === 'mean') return new Mean();
  if (aggregator === 'max') return new Extreme(Math.max);
  if (aggregator === 'min') return new Extreme(Math.min);
  return new Sorted(orderStatistics[aggregator]);
}

class Mean implements Accumulator {
  private sums: Float64Array | undefined;
  private count = 0;

  add(values: Float32Array): void {
    this.sums ??= new Float64Array(values.length);
    for (let c = 0; c < values.length; c++) this.sums[c]! += values[c]!;
    this.count++;
  }

  result(): Float32Array {
    return Float32Array.from(this.sums ?? [], (sum) => sum / this.count);
  }
}

class Extreme implements Accumulator {
  private readonly better: (a: number, b: number) => number;
  private values: Float32Array | undefined;

  constructor(better: (a: number, b: number) => number) {
    this.better = better;
  }

  add(values: Float32Array): void {
    if (!this.values) this.values = values.slice();
    else for (let c = 0; c < values.length; c++) this.values[c] = this.better(this.values[c]!, values[c]!);
  }

  result(): Float32Array {
    return this.values ?? new Float32Array();
  }
}

class Sorted implements Accumulator {
  private readonly reduce: (sorted: Float64Array) => number;
  private readonly samples: Float32Array[] = [];

  constructor(reduce: (sorted: Float64Array) => number) {
    this.reduce = reduce;
  }

  add(values: Float32Array): void {
    this.samples.push(values.slice());
  }

  result(): Float32Array {
    const channels = this.samples[0]?.length ?? 0;
    const out = new Float32Array(channels);
    for (let c = 0; c < channels; c++) {
      out[c] = this.reduce(Float64Array.from(this.samples, (s) => s[c]!).sort());
    }
    return out;
  }
}

const orderStatistics: Readonly<Record<Exclude<Aggregator, 'mean' | 'max' | 'min'>, (sorted: Float64Array) => number>> =
  {
    median,
    mean_no_outliers: (sorted) => mean(withoutOutliers(sorted)),
    median_no_outliers: (sorted) => median(withoutOutliers(sorted)),
    hl_estimator: hodgesLehmann,
  };

function mean(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** The middle of sorted numbers, or the mean of the two middle ones. */
export function median(sorted: Float64Array): number {
  return quantile(sorted, 0.5);
}

/** Linear interpolation between the neighbours of `share · (n − 1)` in sorted numbers. */
export function quantile(sorted: Float64Array | Float32Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(sorted.length - 1, below + 1)]!;
  return low + (high - low) * (position - below);
}

/** The numbers between the 1 % and the 99 % quantile, those included. */
function withoutOutliers(sorted: Float64Array): Float64Array {
  const low = quantile(sorted, outlierShare);
  const high = quantile(sorted, 1 - outlierShare);
  return sorted.filter((v) => v >= low && v <= high);
}

/**
 * Half the median of the sums of all pairs of different samples; the sample itself when there is one.
 *
 * @throws {LowpError} `ERR_LIMIT_MEMORY` beyond about 5800 samples
 */
function hodgesLehmann(sorted: Float64Array): number {
  const n = sorted.length;
  if (n === 1) return sorted[0]!;
  const pairs = (n * (n - 1)) / 2;
  if (pairs > mostPairs) {
    throw new LowpError('ERR_LIMIT_MEMORY', `the Hodges-Lehmann estimator cannot hold the pairs of ${n} samples`, {
      help: 'Use a smaller subset or the aggregator median.',
    });
  }
  const sums = new Float64Array(pairs);
  let at = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) sums[at++] = sorted[i]! + sorted[j]!;
  return median(sums.sort()) / 2;
}
