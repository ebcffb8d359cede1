// MinMax quantization: places quantizers and gives them the ranges that weights and samples show.
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { channelsOfWeights, hasNonFinite, oneChannel } from '../../quantization/channels.ts';
import type { PinnedChoice, Preset, QuantizerConfiguration } from '../../quantization/configuration.ts';
import { type Configured, type ConfiguredQuantizer, configureQuantizers } from '../../quantization/configure.ts';
import { explainNodes } from '../../quantization/explain.ts';
import { findIgnored, type IgnoredNodes, type IgnoredScope } from '../../quantization/ignored-scope.ts';
import { quantizedSource, type ShapedLimits, setLimits } from '../../quantization/insert.ts';
import { leastErrorRange } from '../../quantization/least-error.ts';
import { doubledLimits, halveWeights, quantizersToHalve, type SaturationFix } from '../../quantization/overflow.ts';
import { placeQuantizers, quantizersOf } from '../../quantization/propagate.ts';
import type { Extremes } from '../../quantization/ranges.ts';
import { isConstant } from '../../quantization/roles.ts';
import { unifyLimits } from '../../quantization/unify-scales.ts';
import type { StatisticRequest, Statistics } from '../../statistics/request.ts';
import type { Shape } from '../../tensor/shape.ts';
import { type Algorithm, type AlgorithmContext, originalPort } from '../algorithm.ts';
import { estimatorFor, type RangeEstimatorOptions, requestFor } from './estimators.ts';
import { limitsFor } from './limits.ts';
import { type WeightRangeEstimatorOptions, weightEstimatorFor, weightExtremes } from './weight-ranges.ts';

/** Options of the algorithm. */
export interface MinMaxOptions {
  readonly preset: Preset;
  readonly ignored?: IgnoredScope;
  readonly modelType?: 'transformer';
  /** The nodes before the model was prepared: excluding one that is gone is no mistake. */
  readonly former?: readonly Node[];
  readonly weights?: PinnedChoice;
  readonly activations?: PinnedChoice;
  /** Of activations. */
  readonly rangeEstimator?: RangeEstimatorOptions;
  readonly weightRangeEstimator?: WeightRangeEstimatorOptions;
  /** Default `no`: the runtime of lowp cannot saturate. */
  readonly saturationFix?: SaturationFix;
  /** Also quantize an input of the model that is scaled and shifted first. */
  readonly quantizeInputs?: boolean;
}

/** How one activation quantizer gets its extremes. */
interface ActivationPlan {
  readonly min: StatisticRequest;
  readonly max: StatisticRequest;
  /** How the elements are distributed, when the range is sought that has the least error. */
  readonly histogram?: StatisticRequest;
  readonly clipping: { readonly min?: number | undefined; readonly max?: number | undefined };
}

/** The algorithm for one run. */
export function createMinMax(options: MinMaxOptions): Algorithm {
  let configured: Configured = { quantizers: [], groups: [] };
  let ignored: IgnoredNodes = { reasons: new Map(), barriers: new Set() };
  const plans = new Map<Node, ActivationPlan>();
  return {
    name: 'MinMaxQuantization',
    findings: () => ({ ignored }),
    request: (context) => {
      const { work, roles } = context;
      requireUnquantized(context);
      ignored = findIgnored(work, roles, {
        ...(options.ignored ? { scope: options.ignored } : {}),
        ...(options.modelType ? { modelType: options.modelType } : {}),
        ...(options.former ? { former: options.former } : {}),
      });
      const placement = options.quantizeInputs === undefined ? {} : { quantizeInputs: options.quantizeInputs };
      const placed = placeQuantizers(work, roles, ignored, placement);
      requireQuantizers(placed.quantizers, context, ignored);
      requireFiniteWeights(placed.quantizers);
      configured = configureQuantizers(placed, roles, { ...options, warn: (message) => context.warn(message) });
      for (const quantizer of configured.quantizers) {
        if (!isConstant(quantizedSource(quantizer.node)))
          plans.set(quantizer.node, planActivation(quantizer, context, options));
      }
      return [...plans.values()].flatMap((plan) => [plan.min, plan.max, ...(plan.histogram ? [plan.histogram] : [])]);
    },
    apply: async (context, statistics) => applyLimits(context, configured, plans, statistics, options),
  };
}

/** @throws {LowpError} `ERR_ALGO_ALREADY_QUANTIZED` when an algorithm before this one placed quantizers */
function requireUnquantized({ work }: AlgorithmContext): void {
  const found = quantizersOf(work)[0];
  if (!found) return;
  throw new LowpError('ERR_ALGO_ALREADY_QUANTIZED', `quantizers were placed before, for example '${found.name}'`, {
    node: found.name,
    help: 'Name one algorithm that places quantizers.',
  });
}

/** @throws {LowpError} `ERR_ALGO_NOTHING_QUANTIZED`, with the reason for one operation */
function requireQuantizers(quantizers: readonly Node[], context: AlgorithmContext, ignored: IgnoredNodes): void {
  if (quantizers.length > 0) return;
  const [first] = explainNodes(context.work, context.roles, ignored);
  throw new LowpError('ERR_ALGO_NOTHING_QUANTIZED', `no operation of '${context.work.name}' could be quantized`, {
    help: first ? `For example ${first.type} '${first.name}': ${first.reason}.` : 'The model has no operations.',
  });
}

/** @throws {LowpError} `ERR_ALGO_WEIGHTS_NOT_FINITE` listing the operations */
function requireFiniteWeights(quantizers: readonly Node[]): void {
  const broken = quantizers.filter((q) => hasNonFinite(quantizedSource(q)));
  if (broken.length === 0) return;
  const names = broken.map((q) => `'${[...q.output.consumers][0]?.node.name ?? q.name}'`);
  const shown = names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ');
  throw new LowpError('ERR_ALGO_WEIGHTS_NOT_FINITE', `weights contain NaN or infinity: ${shown}`, {
    node: [...broken[0]!.output.consumers][0]?.node.name ?? broken[0]!.name,
    help: 'Repair or export the model again.',
  });
}

function planActivation(
  quantizer: ConfiguredQuantizer,
  context: AlgorithmContext,
  options: MinMaxOptions,
): ActivationPlan {
  const port = originalPort(quantizedSource(quantizer.node), context);
  const { configuration } = quantizer;
  const estimator = estimatorFor(configuration, options.rangeEstimator, port.node.type === 'Parameter');
  const granularity = port.fact.shape.length < 2 ? 'perTensor' : configuration.granularity;
  const histogram = { port, granularity: 'perTensor', statistic: { kind: 'histogram' }, aggregator: 'sum' } as const;
  return {
    ...(estimator.seeksLeastError ? { histogram } : {}),
    min: requestFor(port, 'min', estimator.min, granularity),
    max: requestFor(port, 'max', estimator.max, granularity),
    clipping: { min: estimator.min.clippingValue, max: estimator.max.clippingValue },
  };
}

function applyLimits(
  context: AlgorithmContext,
  configured: Configured,
  plans: ReadonlyMap<Node, ActivationPlan>,
  statistics: Statistics,
  options: MinMaxOptions,
): void {
  const { work, roles } = context;
  const halved = quantizersToHalve(work, roles.target, options.saturationFix ?? 'no', context.aligned);
  const limits = new Map<Node, ShapedLimits>();
  for (const quantizer of configured.quantizers) {
    const plan = plans.get(quantizer.node);
    const shaped = plan ? activationLimits(quantizer, plan, statistics) : constantLimits(quantizer, options);
    limits.set(quantizer.node, shaped);
  }
  for (const group of configured.groups) {
    const members = group.quantizers.map((q) => limits.get(q)!);
    const configuration = configured.quantizers.find((q) => q.node === group.quantizers[0])!.configuration;
    const common = unifyLimits(
      members.map((m) => m.input),
      configuration,
    );
    for (const node of group.quantizers) {
      const own = limits.get(node)!;
      limits.set(node, { ...own, input: common, shape: common.low.length === 1 ? [] : own.shape });
    }
  }
  for (const [node, shaped] of limits) {
    if (halved.has(node)) halveWeights(work, node);
    setLimits(work, node, halved.has(node) ? { ...shaped, output: doubledLimits(shaped.input) } : shaped);
  }
}

function activationLimits(quantizer: ConfiguredQuantizer, plan: ActivationPlan, statistics: Statistics): ShapedLimits {
  const { configuration, group, node } = quantizer;
  const { min, max } = plan.histogram
    ? leastErrorExtremes(configuration, plan, statistics.get(plan.histogram), statistics)
    : extremesOf(plan, statistics);
  const input = limitsFor(configuration, group, { min, max }, plan.clipping);
  return { levels: configuration.levels, input, shape: channelShape(quantizedSource(node).fact.shape, max.length) };
}

function extremesOf(plan: ActivationPlan, statistics: Statistics): Extremes {
  const max = statistics.get(plan.max);
  return { min: repeated(statistics.get(plan.min), max.length), max };
}

/** Of a whole value. The least element stays the minimum of a symmetric range: it says whether there are two signs. */
function leastErrorExtremes(
  { levels, mode, isSigned }: QuantizerConfiguration,
  plan: ActivationPlan,
  counts: Float32Array,
  statistics: Statistics,
): Extremes {
  const [least, greatest] = [statistics.get(plan.min)[0]!, statistics.get(plan.max)[0]!];
  const isSymmetric = mode === 'symmetric';
  const isTwoSided = isSymmetric && (isSigned || least < 0);
  const { min, max } = leastErrorRange(counts, { least, greatest }, { levels, isTwoSided });
  return { min: [isSymmetric ? least : min], max: [max] };
}

/** Limits of a constant, for each output channel when the configuration says so: its extremes, or those of the option. */
function constantLimits(quantizer: ConfiguredQuantizer, options: MinMaxOptions): ShapedLimits {
  const { configuration, group, node } = quantizer;
  const isWeights = group === 'weights';
  const layout = isWeights && configuration.granularity === 'perChannel' ? channelsOfWeights(node) : oneChannel;
  const estimator = weightEstimatorFor(configuration, isWeights ? options.weightRangeEstimator : {});
  const extremes = weightExtremes(quantizedSource(node).fact.value!, layout, estimator);
  const clipping = { min: estimator.min.clippingValue, max: estimator.max.clippingValue };
  const input = limitsFor(configuration, group, extremes, clipping);
  return { levels: configuration.levels, input, shape: layout.limitShape };
}

function repeated(values: Float32Array, count: number): Float32Array {
  return values.length === count ? values : new Float32Array(count).fill(values[0]!);
}

/** `[1, C, 1, …]`, or a scalar for one range. */
function channelShape(shape: Shape, channels: number): Shape {
  return channels === 1 ? [] : shape.map((_, axis) => (axis === 1 ? channels : 1));
}
