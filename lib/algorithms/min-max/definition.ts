// MinMaxQuantization under its name, and the parameters that other algorithms share with it.
import * as z from 'zod';
import { presets } from '../../quantization/configuration.ts';
import { saturationFixes } from '../../quantization/overflow.ts';
import { aggregators } from '../../statistics/request.ts';
import { defineAlgorithm, defined, type SharedSettings, subsetParams } from '../definition.ts';
import { createMinMax, type MinMaxOptions } from './algorithm.ts';
import { type BorderEstimator, type RangeEstimatorOptions, rangeEstimatorPresets } from './estimators.ts';
import { type WeightRangeEstimatorOptions, weightEstimatorPresets } from './weight-ranges.ts';

const granularity = z.enum(['pertensor', 'perchannel']);
const mode = z.enum(['symmetric', 'asymmetric']);

const weightBorder = z.strictObject({
  type: z.enum(['min', 'max', 'abs_max', 'quantile', 'abs_quantile']).optional(),
  outlier_prob: z.number().min(0).max(0.5).optional(),
  granularity: granularity.optional(),
  clipping_value: z.number().optional(),
});

const border = weightBorder.extend({ aggregator: z.enum(aggregators).optional() });

const rangeEstimator = z.strictObject({
  preset: z.enum(rangeEstimatorPresets).optional(),
  min: border.optional(),
  max: border.optional(),
});

const weightRangeEstimator = z.strictObject({
  preset: z.enum(weightEstimatorPresets).optional(),
  min: weightBorder.optional(),
  max: weightBorder.optional(),
});

const choice = {
  bits: z.int().min(2).max(16).optional(),
  mode: mode.optional(),
  granularity: granularity.optional(),
  level_low: z.int().optional(),
  level_high: z.int().optional(),
};

const one = z.union([z.string(), z.number()]);
const attribute = z.union([one, z.boolean(), z.array(one)]);

/** Names, and types of operations, that stay in floating point. */
const ignored = z.strictObject({
  scope: z.array(z.string()).optional(),
  operations: z
    .array(z.strictObject({ type: z.string(), attributes: z.record(z.string(), attribute).optional() }))
    .optional(),
});

/** Parameters of MinMaxQuantization. */
export const minMaxParams = {
  ...subsetParams,
  preset: z.enum(presets).optional(),
  ignored: ignored.optional(),
  range_estimator: rangeEstimator.optional(),
  weights: z.strictObject({ ...choice, range_estimator: weightRangeEstimator.optional() }).optional(),
  activations: z.strictObject({ ...choice, range_estimator: rangeEstimator.optional() }).optional(),
  saturation_fix: z.enum(saturationFixes).optional(),
  quantize_inputs: z.boolean().optional(),
};

export type MinMaxParams = z.infer<z.ZodObject<typeof minMaxParams>>;

/** The options that parameters and the settings of the run stand for. */
export function minMaxOptions(params: MinMaxParams, shared: SharedSettings): MinMaxOptions {
  const { weights, activations, saturation_fix: saturationFix, quantize_inputs: quantizeInputs } = params;
  const estimator = activations?.range_estimator ?? params.range_estimator;
  const weightEstimator = weights?.range_estimator ?? params.range_estimator;
  return defined<MinMaxOptions>({
    preset: params.preset ?? shared.preset,
    modelType: shared.modelType,
    former: shared.former,
    ignored: params.ignored ? { ...shared.ignored, ...ignoredOf(params.ignored, shared) } : shared.ignored,
    weights: weights && pinned(weights),
    activations: activations && pinned(activations),
    rangeEstimator: estimator && estimatorOf(estimator),
    weightRangeEstimator: weightEstimator && weightEstimatorOf(weightEstimator),
    saturationFix,
    quantizeInputs,
  });
}

function ignoredOf({ scope = [], operations = [] }: z.infer<typeof ignored>, shared: SharedSettings) {
  return {
    names: [...(shared.ignored?.names ?? []), ...scope],
    types: [
      ...(shared.ignored?.types ?? []),
      ...operations.map(({ type, attributes }) => (attributes ? { type, attributes } : type)),
    ],
  };
}

function pinned(params: z.infer<z.ZodObject<typeof choice>>): NonNullable<MinMaxOptions['weights']> {
  return defined<NonNullable<MinMaxOptions['weights']>>({
    bits: params.bits,
    mode: params.mode,
    granularity: params.granularity && granularityOf(params.granularity),
    levelLow: params.level_low,
    levelHigh: params.level_high,
  });
}

function granularityOf(name: z.infer<typeof granularity>): 'perTensor' | 'perChannel' {
  return name === 'pertensor' ? 'perTensor' : 'perChannel';
}

function estimatorOf({ preset, min, max }: z.infer<typeof rangeEstimator>): RangeEstimatorOptions {
  return defined<RangeEstimatorOptions>({ preset, min: min && borderOf(min), max: max && borderOf(max) });
}

/** Of weights no least error is sought and nothing is aggregated: what one estimator for all tensors says of that is not for them. */
function weightEstimatorOf({ preset, min, max }: z.infer<typeof rangeEstimator>): WeightRangeEstimatorOptions {
  const named = preset === 'quantile' ? preset : 'default';
  return defined<WeightRangeEstimatorOptions>({ preset: named, min: min && borderOf(min), max: max && borderOf(max) });
}

const borderTypes = { abs_max: 'absMax', abs_quantile: 'absQuantile' } as const;

function borderOf(params: z.infer<typeof border>): Partial<BorderEstimator> {
  const { type } = params;
  return defined<Partial<BorderEstimator>>({
    type: type === 'abs_max' || type === 'abs_quantile' ? borderTypes[type] : type,
    aggregator: params.aggregator,
    outlierProbability: params.outlier_prob,
    granularity: params.granularity && granularityOf(params.granularity),
    clippingValue: params.clipping_value,
  });
}

export const minMaxQuantization = defineAlgorithm<MinMaxParams>({
  name: 'MinMaxQuantization',
  summary: 'places quantizers and gives them the ranges that weights and samples show',
  params: z.strictObject(minMaxParams),
  create: (params, shared) => [createMinMax(minMaxOptions(params, shared))],
});
