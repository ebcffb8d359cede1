// What the noise estimator finds.

/** Whether errors add up along the model, or each product is looked at with unquantized data in front of its quantizers. */
export type NoiseMode = 'full_fq_noise' | 'layerwise_fq_noise';

export const noiseModes = ['full_fq_noise', 'layerwise_fq_noise'] as const satisfies readonly NoiseMode[];

/**
 * With signal y and noise n = y − ŷ:
 * `sqnr`: mean(y²) ÷ (ε + mean(n²)) over all samples. `sqnr_per_channel`: mean(n²) ÷ (ε + mean(y²)) of each channel.
 * `sqnr_sample_mean`, `sqnr_sample_per_channel`: the same for each sample, then their mean. `sqnr_eltwise_mean`: mean of
 * y² ÷ (ε + n²) over elements.
 */
export type NoiseType =
  | 'sqnr'
  | 'sqnr_per_channel'
  | 'sqnr_sample_mean'
  | 'sqnr_sample_per_channel'
  | 'sqnr_eltwise_mean';

export const noiseTypes = [
  'sqnr',
  'sqnr_per_channel',
  'sqnr_sample_mean',
  'sqnr_sample_per_channel',
  'sqnr_eltwise_mean',
] as const satisfies readonly NoiseType[];

/** The noise behind one product. */
export interface LayerNoise {
  readonly name: string;
  readonly type: string;
  /** Signal ÷ noise; for the types by channel noise ÷ signal of each channel. */
  readonly ratio: number | readonly number[];
  /** 10 · log₁₀(signal ÷ noise), of the mean over channels for the types by channel. */
  readonly decibels: number;
}

/** The noise of a model. */
export interface QuantNoise {
  readonly mode: NoiseMode;
  readonly type: NoiseType;
  readonly samples: number;
  /** In the order of the data flow. */
  readonly layers: readonly LayerNoise[];
}
