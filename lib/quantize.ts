// Quantizes a model: the main entry of the library.

import type { Algorithm, Findings } from './algorithms/algorithm.ts';
import {
  type BiasMethod,
  biasMethods,
  createDefaultQuantization,
  type DefaultQuantizationOptions,
} from './algorithms/default-quantization/algorithm.ts';
import { type AlgorithmChoice, algorithms, createAlgorithms, type SharedSettings } from './algorithms/index.ts';
import { type PipelineContext, type PipelineVariant, runPipeline } from './algorithms/pipeline.ts';
import { createQuantNoiseEstimator, type QuantNoiseOptions } from './algorithms/quant-noise-estimator/algorithm.ts';
import type { QuantNoise } from './algorithms/quant-noise-estimator/noise.ts';
import { isOneShot } from './algorithms/replay.ts';
import { roundBiases } from './algorithms/round-biases.ts';
import type { Engine } from './engines/engine.ts';
import { nativeEngine } from './engines/native-engine.ts';
import { LowpError, throwIfAborted } from './errors/lowp-error.ts';
import type { LowpEvent } from './events/events.ts';
import type { Model } from './graph/model.ts';
import { inferModel } from './ops/infer-model.ts';
import { prepareForQuantization } from './passes/index.ts';
import { type Preset, presets, resolvePreset } from './quantization/configuration.ts';
import { explainNodes, type NodeReport, storedBytes } from './quantization/explain.ts';
import type { IgnoredScope } from './quantization/ignored-scope.ts';
import { type SaturationFix, saturationFixes } from './quantization/overflow.ts';
import { rolesFor } from './quantization/roles.ts';
import { findQuantized, stripQuantization } from './quantization/strip.ts';
import type { Batch } from './statistics/batches.ts';
import { checkedSamples, type SampleOptions, type Samples } from './statistics/samples.ts';
import { openStatistics, writeStatistics } from './statistics/statistics-file.ts';
import type { StatisticsStore } from './statistics/store.ts';
import { type TargetDescription, targetOf, targets } from './targets/index.ts';

/** How a model is quantized. */
export interface QuantizeOptions {
  /**
   * `mixed` (default): asymmetric activations. `performance`: symmetric ones, as OpenVINO POT's default has it; values that
   * go below zero a little, as those of Swish do, then lose half of the grid.
   */
  readonly preset?: 'performance' | 'mixed' | 'accuracy';
  /** Where the model will run, by name or by a table of one's own; `CPU` by default. See `targets`. */
  readonly targetDevice?: string | TargetDescription;
  /** At most so many samples are used, the first ones. Default 300. */
  readonly subsetSize?: number;
  /** What stays in floating point. */
  readonly ignored?: IgnoredScope;
  /** `transformer` keeps the sensitive parts of attention models in floating point. */
  readonly modelType?: 'transformer';
  /**
   * Take the mean error of rounding out of the biases. `fast` (default, also `true`): each product by itself. `full`: one
   * after another, with what is left of the errors of earlier ones. `no` (also `false`): not at all.
   */
  readonly biasCorrection?: BiasMethod | boolean;
  /** Align the channels between products that have nothing but a bias between them. Default true. */
  readonly channelAlignment?: boolean;
  /**
   * Halve weights for processors that add byte products in 16 bits. Default `no`: the runtime of lowp adds exactly on every
   * processor, and half of the range costs accuracy. `first_layer` is what OpenVINO POT does for CPU and ANY.
   */
  readonly saturationFix?: SaturationFix;
  /**
   * Algorithms by the names and parameters of OpenVINO POT, in order, instead of DefaultQuantization; options of its parts
   * are then parameters. Known names are those of `algorithms`.
   */
  readonly algorithms?: readonly AlgorithmChoice[];
  /** Measure the noise of quantization behind each product at the end; see `report.noise`. Default false. */
  readonly noise?: boolean | QuantNoiseOptions;
  /** Single parts of the algorithms; what is set here wins over the presets. */
  readonly details?: Pick<
    DefaultQuantizationOptions,
    | 'weights'
    | 'activations'
    | 'rangeEstimator'
    | 'weightRangeEstimator'
    | 'quantizeInputs'
    | 'fastBiasCorrection'
    | 'fullBiasCorrection'
  >;
  /**
   * Quantize a model that is quantized already: its quantizers are taken out and weights stored as integers become floats
   * first. What rounding took from those weights is lost. Default false: such a model is refused.
   */
  readonly force?: boolean;
  /**
   * Statistics to use and to keep: a file, or a store in memory. What it holds for this model and these samples is not
   * collected again; the rest is collected, together with what other presets and devices need, and added. The samples may
   * be left out when it holds everything.
   */
  readonly statistics?: string | StatisticsStore;
  /** Runs the calibration; the native runtime by default. */
  readonly engine?: Engine;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: LowpEvent) => void;
}

/** What was done. */
export interface QuantizeReport {
  /** Every operation of the result, with a reason. */
  readonly nodes: readonly NodeReport[];
  readonly warnings: readonly string[];
  /** Samples that were used. */
  readonly samples: number;
  readonly seconds: { readonly total: number; readonly calibrate: number; readonly correct: number };
  /** Bytes of constants when the model is saved. */
  readonly weightBytes: { readonly before: number; readonly after: number };
  /** The noise of quantization, when it was asked for. */
  readonly noise?: QuantNoise;
}

const defaultSubsetSize = 300;

/**
 * Quantizes a model after training: quantizers (`FakeQuantize`) are placed in front of the operations that the device runs
 * on 8 bits, get their ranges from the weights and from samples, and biases are corrected and put on the grid of the integer sums. The
 * given model is not changed.
 *
 * @param samples  a tensor for each input by name, or one tensor for the only input; each has the full shape of the input,
 *   with one sample or several along axis 0. Undefined: `options.statistics` has to hold everything
 * @throws {LowpError} `ERR_CONFIG_INVALID`, `ERR_TARGET_UNKNOWN`, `ERR_GRAPH_NAME` for options; `ERR_DATA_*` for samples,
 *   naming the sample; `ERR_STATISTICS_*` for statistics of another model or other samples;
 *   `ERR_ALGO_ALREADY_QUANTIZED`, `ERR_ALGO_NOTHING_QUANTIZED`, `ERR_ALGO_WEIGHTS_NOT_FINITE` for the model; `ERR_ABORTED`
 */
export async function quantize(
  model: Model,
  samples: Samples | undefined,
  options: QuantizeOptions = {},
): Promise<{ model: Model; report: QuantizeReport }> {
  const start = performance.now();
  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    options.onProgress?.({ kind: 'warning', message });
  };
  const target = targetOf(options.targetDevice ?? 'CPU');
  const preset = resolvePreset(options.preset ?? 'mixed', target, warn);
  const subsetSize = checkOptions(options);
  const source = unquantized(model, options.force ?? false);
  throwIfAborted(options.signal);
  const prepared = prepare(source, options, { roles: rolesFor(target), warn });
  const steps = stepsOf(source, options, preset, target);
  const store = typeof options.statistics === 'string' ? await openStatistics(options.statistics) : options.statistics;
  const context = store ? { ...prepared, store, variants: variantsOf(source, options) } : prepared;
  const reading = { subsetSize, ...(options.signal ? { signal: options.signal } : {}) };
  const feeds = samples === undefined ? undefined : batchesOf(context.original, samples, reading);
  const result = await runPipeline(steps, context, feeds, subsetSize);
  if (store && typeof options.statistics === 'string') await writeStatistics(options.statistics, store);
  const { work } = context;
  roundBiases(work);
  const { ignored, noise }: Findings = Object.assign({}, ...steps.map((step) => step.findings?.()));
  const nodes = explainNodes(work, context.roles, ignored ?? { reasons: new Map(), barriers: new Set() });
  if (samples !== undefined && result.samples > 0 && result.samples < subsetSize) {
    const given = result.samples === 1 ? 'one sample was' : `${result.samples} samples were`;
    warn(`${given} given, ${subsetSize} were asked for; all of them were used`);
  }
  inferModel(work);
  return {
    model: work,
    report: {
      nodes,
      warnings,
      samples: result.samples,
      seconds: {
        total: (performance.now() - start) / 1000,
        calibrate: result.calibrateSeconds,
        correct: Object.values(result.applySeconds).reduce((a, b) => a + b, 0),
      },
      weightBytes: { before: storedBytes(model), after: storedBytes(work) },
      ...(noise ? { noise } : {}),
    },
  };
}

/** The algorithms of a run. */
function stepsOf(model: Model, options: QuantizeOptions, preset: Preset, target: TargetDescription): Algorithm[] {
  const shared: SharedSettings = {
    preset,
    former: model.nodes(),
    ...(options.ignored ? { ignored: options.ignored } : {}),
    ...(options.modelType ? { modelType: options.modelType } : {}),
    ...(target.largestSum === undefined ? {} : { largestSum: target.largestSum }),
  };
  const { noise } = options;
  const measuring = noise ? [createQuantNoiseEstimator(noise === true ? {} : noise)] : [];
  if (options.algorithms) return [...createAlgorithms(algorithms, options.algorithms, shared), ...measuring];
  const steps = createDefaultQuantization({
    ...options.details,
    ...shared,
    ...(options.channelAlignment === undefined ? {} : { channelAlignment: options.channelAlignment }),
    biasCorrection: biasMethodOf(options.biasCorrection),
    ...(options.saturationFix ? { saturationFix: options.saturationFix } : {}),
  });
  return [...steps, ...measuring];
}

/** Options that DefaultQuantization takes as parameters when algorithms are named. */
const partOptions = ['biasCorrection', 'channelAlignment', 'saturationFix', 'details'] as const;

/** @throws {LowpError} `ERR_CONFIG_INVALID` */
function checkAlgorithms(options: QuantizeOptions): void {
  if (!options.algorithms) return;
  if (options.algorithms.length === 0) throw new LowpError('ERR_CONFIG_INVALID', 'algorithms is an empty list');
  const both = partOptions.find((name) => options[name] !== undefined);
  if (!both) return;
  throw new LowpError('ERR_CONFIG_INVALID', `${both} and algorithms cannot be given together`, {
    help: `Give ${both} as a parameter of the algorithm.`,
  });
}

/** The same quantization for every device and preset: their statistics are collected together. */
function variantsOf(model: Model, options: QuantizeOptions): PipelineVariant[] {
  return targets.flatMap((target) =>
    presets.map((preset) => ({ roles: rolesFor(target), algorithms: stepsOf(model, options, preset, target) })),
  );
}

/** Checked samples; they can be read again when the given ones can. */
function batchesOf(model: Model, samples: Samples, options: SampleOptions): AsyncIterable<Batch> {
  if (typeof samples !== 'object' || samples === null || isOneShot(samples)) {
    return checkedSamples(model, samples, options);
  }
  return { [Symbol.asyncIterator]: () => checkedSamples(model, samples, options) };
}

/** @throws {LowpError} `ERR_CONFIG_INVALID` */
function biasMethodOf(method: QuantizeOptions['biasCorrection'] = true): BiasMethod {
  if (typeof method === 'boolean') return method ? 'fast' : 'no';
  if (biasMethods.includes(method)) return method;
  throw new LowpError('ERR_CONFIG_INVALID', `biasCorrection is '${method}'; expected ${biasMethods.join(', ')}`);
}

/** Two prepared copies of the model with the same node ids: one to observe, one to edit. */
function prepare(
  model: Model,
  options: QuantizeOptions,
  rest: Pick<PipelineContext, 'roles' | 'warn'>,
): PipelineContext {
  const { signal, onProgress, threads, engine = nativeEngine } = options;
  const original = model.clone();
  prepareForQuantization(original, {
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onEvent: onProgress } : {}),
  });
  return {
    original,
    work: original.clone(),
    engine,
    ...rest,
    ...(threads === undefined ? {} : { threads }),
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onEvent: onProgress } : {}),
  };
}

/** @returns the subset size */
function checkOptions(options: QuantizeOptions): number {
  checkAlgorithms(options);
  const asked = options.algorithms?.map((a) => Number(a.params?.stat_subset_size ?? 0)) ?? [];
  const size = options.subsetSize ?? (Math.max(0, ...asked) || defaultSubsetSize);
  if (!Number.isInteger(size) || size < 1) {
    throw new LowpError('ERR_CONFIG_INVALID', `subsetSize is ${size}; expected a whole number of at least 1`);
  }
  if (options.saturationFix !== undefined && !saturationFixes.includes(options.saturationFix)) {
    const known = saturationFixes.join(', ');
    throw new LowpError('ERR_CONFIG_INVALID', `saturationFix is '${options.saturationFix}'; expected ${known}`);
  }
  if (options.modelType !== undefined && options.modelType !== 'transformer') {
    throw new LowpError('ERR_CONFIG_INVALID', `modelType is '${options.modelType}'; expected transformer`);
  }
  return size;
}

/**
 * The model to quantize: a stripped copy when that is asked for.
 *
 * @throws {LowpError} `ERR_ALGO_ALREADY_QUANTIZED` for quantizers or weights stored as integers
 */
function unquantized(model: Model, force: boolean): Model {
  const found = findQuantized(model);
  if (!found) return model;
  if (!force) {
    const what = `'${model.name}' is quantized already: ${found.type} '${found.name}'`;
    throw new LowpError('ERR_ALGO_ALREADY_QUANTIZED', what, {
      node: found.name,
      help: 'Start from the floating-point model, or strip its quantization with force (--force).',
    });
  }
  const copy = model.clone();
  stripQuantization(copy);
  return unquantized(copy, false);
}
