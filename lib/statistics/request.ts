// What has to be known about the values of a model before it can be quantized.
import type { OutputPort } from '../graph/node.ts';
import type { Granularity } from '../targets/target.ts';
import type { Shape } from '../tensor/shape.ts';

/** How one value of one sample becomes a number, or one for each channel. */
export type SampleStatistic =
  | { readonly kind: 'min' | 'max' | 'absMax' | 'mean' }
  /** How many elements lie in each of the `floatBins`; of the whole value, aggregated by `sum`. */
  | { readonly kind: 'histogram' }
  /** The element below which a share of all elements lies, interpolated linearly as numpy does; of magnitudes for `absQuantile`. */
  | { readonly kind: 'quantile' | 'absQuantile'; readonly share: number };

/** How the numbers of all samples become one. */
export const aggregators = [
  'mean',
  'max',
  'min',
  'median',
  'mean_no_outliers',
  'median_no_outliers',
  'hl_estimator',
] as const;

export type Aggregator = (typeof aggregators)[number];

/** One statistic of one value. */
export interface StatisticRequest {
  /** A port of the model that is run, which has no quantizers yet. */
  readonly port: OutputPort;
  readonly granularity: Granularity;
  /** Default 1; negative counts from the end. */
  readonly channelAxis?: number;
  readonly statistic: SampleStatistic;
  readonly aggregator: Aggregator | 'sum';
}

/** The answers, by request. */
export interface Statistics {
  /** Number of samples behind the answers. */
  readonly samples: number;
  /** Shapes of the inputs of the largest sample, by input name. */
  readonly inputShapes: Readonly<Record<string, Shape>>;
  /** One number, one for each channel, or one for each bin. */
  get(request: StatisticRequest): Float32Array;
}
