// How the extremes of weights are estimated: of a constant all elements are known, so nothing is aggregated.
import type { QuantilePoint } from '../../engines/engine.ts';
import { interpolate, quantilePosition } from '../../engines/quantile-ranks.ts';
import { type ChannelLayout, channelExtremes, oneChannel } from '../../quantization/channels.ts';
import type { QuantizerConfiguration } from '../../quantization/configuration.ts';
import type { Extremes } from '../../quantization/ranges.ts';
import { toFloat32 } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type BorderEstimator, quantilePointOf } from './estimators.ts';

/** How one border of the range of weights is estimated. */
export type WeightBorderEstimator = Omit<BorderEstimator, 'aggregator'>;

/** Both borders. */
export interface WeightRangeEstimator {
  readonly min: WeightBorderEstimator;
  readonly max: WeightBorderEstimator;
}

export const weightEstimatorPresets = ['default', 'quantile'] as const;

/** A named estimator with parts replaced. */
export interface WeightRangeEstimatorOptions {
  /** `default`: the extremes. `quantile`: without the outermost elements of each channel. Default: `default`. */
  readonly preset?: (typeof weightEstimatorPresets)[number];
  readonly min?: Partial<WeightBorderEstimator>;
  readonly max?: Partial<WeightBorderEstimator>;
}

/** By preset and mode; a symmetric range is decided by the magnitudes alone. */
const table: Readonly<
  Record<(typeof weightEstimatorPresets)[number], Readonly<Record<'symmetric' | 'asymmetric', WeightRangeEstimator>>>
> = {
  default: {
    symmetric: { min: { type: 'min' }, max: { type: 'absMax' } },
    asymmetric: { min: { type: 'min' }, max: { type: 'max' } },
  },
  quantile: {
    symmetric: { min: { type: 'min' }, max: { type: 'absQuantile' } },
    asymmetric: { min: { type: 'quantile' }, max: { type: 'quantile' } },
  },
};

/** The estimator of a quantizer of weights. */
export function weightEstimatorFor(
  { mode }: QuantizerConfiguration,
  { preset = 'default', min, max }: WeightRangeEstimatorOptions = {},
): WeightRangeEstimator {
  const base = table[preset][mode];
  return { min: { ...base.min, ...min }, max: { ...base.max, ...max } };
}

/** Extremes of each channel of constant weights; a border that is estimated for the whole tensor repeats. */
export function weightExtremes(value: Tensor, layout: ChannelLayout, { min, max }: WeightRangeEstimator): Extremes {
  return { min: borderOf(value, layout, 'min', min), max: borderOf(value, layout, 'max', max) };
}

function borderOf(
  value: Tensor,
  layout: ChannelLayout,
  border: 'min' | 'max',
  estimator: WeightBorderEstimator,
): Float32Array {
  const own = estimator.granularity === 'perTensor' ? oneChannel : layout;
  const { type } = estimator;
  const found =
    type === 'quantile' || type === 'absQuantile'
      ? channelQuantiles(value, own, quantilePointOf(border, estimator))
      : channelExtremes(value, own)[type];
  return found.length === layout.channels ? found : new Float32Array(layout.channels).fill(found[0]!);
}

/**
 * The element below which a share of all elements of each channel lies, or of their magnitudes: linear interpolation, in
 * doubles, between the neighbours of position `share · (n − 1)` in ascending order, as numpy does; 0 without elements.
 */
export function channelQuantiles(
  value: Tensor,
  layout: ChannelLayout,
  { share, isAbsolute }: QuantilePoint,
): Float32Array {
  const data = toFloat32(value);
  const size = data.length / layout.channels;
  const grouped = new Float32Array(data.length);
  const filled = new Array<number>(layout.channels).fill(0);
  for (let start = 0; start < data.length; start += layout.run) {
    const c = layout.channelOf(start);
    const end = Math.min(data.length, start + layout.run);
    for (let i = start; i < end; i++) grouped[c * size + filled[c]!++] = isAbsolute ? Math.abs(data[i]!) : data[i]!;
  }
  if (size === 0) return new Float32Array(layout.channels);
  const { below, share: between } = quantilePosition(size, share);
  return Float32Array.from(filled, (_, c) => {
    const own = grouped.subarray(c * size, (c + 1) * size).sort();
    return interpolate(own[below]!, own[Math.min(below + 1, size - 1)]!, between);
  });
}
