// How the extremes of activations are estimated from samples.
import type { QuantilePoint } from '../../engines/engine.ts';
import type { OutputPort } from '../../graph/node.ts';
import type { QuantizerConfiguration } from '../../quantization/configuration.ts';
import type { Aggregator, SampleStatistic, StatisticRequest } from '../../statistics/request.ts';
import type { Granularity } from '../../targets/target.ts';

/** How one border of a range is estimated. */
export interface BorderEstimator {
  /** What is taken from each sample. */
  readonly type: 'min' | 'max' | 'absMax' | 'quantile' | 'absQuantile';
  /** What the samples' numbers become. */
  readonly aggregator: Aggregator;
  /** Share of elements beyond the border, for quantiles. Default 1e-4. */
  readonly outlierProbability?: number;
  /** Default: that of the quantizer. */
  readonly granularity?: Granularity;
  /** The border never lies farther from zero. */
  readonly clippingValue?: number;
}

/** Both borders. */
export interface RangeEstimator {
  readonly min: BorderEstimator;
  readonly max: BorderEstimator;
  /** The borders hold every sample; the range lies within them where it has the least error. */
  readonly seeksLeastError?: boolean;
}

export const rangeEstimatorPresets = ['least_error', 'default', 'quantile'] as const;

export type RangeEstimatorPreset = (typeof rangeEstimatorPresets)[number];

/** A named estimator with parts replaced. */
export interface RangeEstimatorOptions {
  /**
   * `least_error`: the range that changes the elements of all samples least. `default`: extremes of each sample, as OpenVINO
   * POT's default has it. `quantile`: without the outermost elements. Default: `least_error`, or `default` when a part of
   * it is replaced.
   */
  readonly preset?: RangeEstimatorPreset;
  readonly min?: Partial<BorderEstimator>;
  readonly max?: Partial<BorderEstimator>;
}

const defaultOutlierProbability = 1e-4;

type Table = Readonly<Record<Granularity, Readonly<Record<'symmetric' | 'asymmetric', RangeEstimator>>>>;

/** One range for the tensor averages over samples; one for each channel takes the widest, as a channel has fewer elements. */
const byExtremes: Table = {
  perTensor: {
    symmetric: { min: { type: 'min', aggregator: 'min' }, max: { type: 'absMax', aggregator: 'mean' } },
    asymmetric: { min: { type: 'min', aggregator: 'mean' }, max: { type: 'max', aggregator: 'mean' } },
  },
  perChannel: {
    symmetric: {
      min: { type: 'min', aggregator: 'min', granularity: 'perTensor' },
      max: { type: 'absMax', aggregator: 'max' },
    },
    asymmetric: { min: { type: 'min', aggregator: 'min' }, max: { type: 'max', aggregator: 'max' } },
  },
};

/** The sign of a symmetric range still depends on the true minimum. */
function byQuantiles(base: RangeEstimator, mode: 'symmetric' | 'asymmetric'): RangeEstimator {
  if (mode === 'symmetric') return { min: base.min, max: { ...base.max, type: 'absQuantile' } };
  return { min: { ...base.min, type: 'quantile' }, max: { ...base.max, type: 'quantile' } };
}

/** A range for the whole value is sought between its outermost elements; those of channels stay as wide as they were seen. */
const withinExtremes: RangeEstimator = {
  min: { type: 'min', aggregator: 'min' },
  max: { type: 'max', aggregator: 'max' },
  seeksLeastError: true,
};

/** Inputs of the model have no outliers that a later layer could do without: their range holds every sample. */
function overAllSamples({ min, max }: RangeEstimator): RangeEstimator {
  return { min: { ...min, aggregator: 'min' }, max: { ...max, aggregator: 'max' } };
}

/**
 * The estimator of a quantizer.
 *
 * @param ofInput  it rounds an input of the model
 */
export function estimatorFor(
  configuration: QuantizerConfiguration,
  options: RangeEstimatorOptions = {},
  ofInput = false,
): RangeEstimator {
  const { preset = options.min || options.max ? 'default' : 'least_error' } = options;
  if (preset === 'least_error' && configuration.granularity === 'perTensor' && !ofInput) {
    const { min, max } = withinExtremes;
    return { ...withinExtremes, min: { ...min, ...options.min }, max: { ...max, ...options.max } };
  }
  const common = byExtremes[configuration.granularity][configuration.mode];
  const base = ofInput ? overAllSamples(common) : common;
  const named = preset === 'quantile' ? byQuantiles(base, configuration.mode) : base;
  return { min: { ...named.min, ...options.min }, max: { ...named.max, ...options.max } };
}

/** The request for one border of the value at a port. */
export function requestFor(
  port: OutputPort,
  border: 'min' | 'max',
  estimator: BorderEstimator,
  granularity: Granularity,
): StatisticRequest {
  return {
    port,
    granularity: estimator.granularity ?? granularity,
    statistic: statisticOf(border, estimator),
    aggregator: estimator.aggregator,
  };
}

function statisticOf(border: 'min' | 'max', estimator: BorderEstimator): SampleStatistic {
  const { type } = estimator;
  if (type !== 'quantile' && type !== 'absQuantile') return { kind: type };
  return { kind: type, share: quantilePointOf(border, estimator).share };
}

/** Which element a border is when it leaves out the outermost ones. */
export function quantilePointOf(border: 'min' | 'max', estimator: Omit<BorderEstimator, 'aggregator'>): QuantilePoint {
  const { type, outlierProbability = defaultOutlierProbability } = estimator;
  const share = border === 'max' ? 1 - outlierProbability : outlierProbability;
  return { share, isAbsolute: type === 'absQuantile' };
}
