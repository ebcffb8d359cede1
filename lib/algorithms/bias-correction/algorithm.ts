// Bias correction in order: each bias takes out the mean error that is left when the biases before it are corrected.
import { ByShape } from '../../engines/by-shape.ts';
import type { Feeds } from '../../engines/engine.ts';
import { shapesOf } from '../../engines/feeds.ts';
import { throwIfAborted } from '../../errors/lowp-error.ts';
import { inputName, type Model } from '../../graph/model.ts';
import type { OutputPort } from '../../graph/node.ts';
import { inferModel } from '../../ops/infer-model.ts';
import { quantizersOf } from '../../quantization/propagate.ts';
import { removeQuantizer } from '../../quantization/remove.ts';
import { isConstant } from '../../quantization/roles.ts';
import { type Batch, batchOf } from '../../statistics/batches.ts';
import { collectStatistics } from '../../statistics/collect.ts';
import { ExactSums } from '../../statistics/exact-sum.ts';
import type { StatisticRequest, Statistics } from '../../statistics/request.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Algorithm, type AlgorithmContext, originalPort, runOptions } from '../algorithm.ts';
import {
  type BiasedProduct,
  biasedProducts,
  biasPerChannel,
  correctBias,
  outputMaxOf,
  outputSizes,
  writeBias,
} from '../biased-products.ts';
import { peakBytes, type Step, scheduleOf } from './schedule.ts';
import { inputOf, segmentOf } from './segment.ts';

/** Options of the algorithm. */
export interface BiasCorrectionOptions {
  /** Largest change that is believed, relative to the bias or the largest output. Default 1000. */
  readonly threshold?: number;
  /** Let the data be rounded too, so that its error is part of what is corrected. Default false. */
  readonly activationError?: boolean;
  /** Also correct products whose weights are not quantized. Default false. */
  readonly applyForAll?: boolean;
  /** Share of the samples that are used, the first ones, at least one. Default 0.2. */
  readonly sampleShare?: number;
  /** Most bytes of intermediate values that are kept; with more samples than fit, fewer are used. Default 512 MiB. */
  readonly mostBytes?: number;
}

const defaultBytes = 2 ** 29;

/**
 * The algorithm for one run. It needs the quantizers to be in place.
 *
 * Products are taken in the order of the data flow. For each, the mean of its output over some samples is compared between
 * the unquantized model and the quantized one whose earlier biases are corrected; the difference goes into its bias. Every
 * product is computed once for each sample: what the next products start from is kept (`schedule.ts`).
 *
 * @see OpenVINO POT, BiasCorrection
 */
export function createBiasCorrection(options: BiasCorrectionOptions = {}): Algorithm {
  return {
    name: 'BiasCorrection',
    readsSamples: true,
    request: () => [],
    apply: async (context) => {
      const which = options.applyForAll ? 'all' : 'quantized';
      const products = biasedProducts(context.work, which);
      if (products.length === 0) return;
      const share = options.sampleShare ?? 0.2;
      const count = Math.max(1, Math.floor(share * context.subsetSize));
      const rounded = context.work.clone();
      if (!options.activationError) removeActivationQuantizers(rounded);
      const feeds = await take(context.samples(), count);
      inferModel(rounded, shapesOf(feeds[0]!));
      const steps = scheduleOf(rounded, biasedProducts(rounded, which));
      const fitting = fittingSamples(context, rounded, steps, feeds, options.mostBytes ?? defaultBytes);
      const expected = await expectations(context, products, fitting);
      await runSteps(context, rounded, steps, fitting, {
        expected: (p) => expected.get(p.node.id)!,
        threshold: options.threshold ?? 1000,
      });
    },
  };
}

/** The quantizers of values that flow; those of constants stay. */
function removeActivationQuantizers(model: Model): void {
  for (const quantizer of quantizersOf(model)) {
    if (!isConstant(quantizer.source(0))) removeQuantizer(model, quantizer);
  }
}

async function take(samples: AsyncIterable<Batch>, count: number): Promise<Feeds[]> {
  const taken: Feeds[] = [];
  for await (const { feeds, requireFinite } of samples) {
    requireFinite?.();
    taken.push(feeds);
    if (taken.length === count) break;
  }
  return taken;
}

function fittingSamples(
  context: AlgorithmContext,
  model: Model,
  steps: readonly Step[],
  feeds: readonly Feeds[],
  mostBytes: number,
): readonly Feeds[] {
  const bytes = peakBytes(model, steps);
  const most = Math.max(1, Math.floor(mostBytes / bytes));
  if (most >= feeds.length) return feeds;
  context.warn(
    `bias correction uses ${most} samples instead of ${feeds.length}: their intermediate values take ${Math.ceil(bytes / 2 ** 20)} MiB each`,
  );
  return feeds.slice(0, most);
}

/** What the unquantized model says of one product. */
interface Expectation {
  /** Mean of each channel of the output, with the bias. */
  readonly mean: Float32Array;
  readonly outputSizes: Float32Array;
}

async function expectations(
  context: AlgorithmContext,
  products: readonly BiasedProduct[],
  feeds: readonly Feeds[],
): Promise<Map<number, Expectation>> {
  const requests = products.map((product) => {
    const port = originalPort(product.sum.output, context);
    const place = { port, granularity: 'perChannel', channelAxis: product.channelAxis } as const;
    const mean: StatisticRequest = { ...place, statistic: { kind: 'mean' }, aggregator: 'mean' };
    return { id: product.node.id, port, mean, outputMax: outputMaxOf(port, product.channelAxis) };
  });
  const all = requests.flatMap((r) => [r.mean, r.outputMax]);
  const statistics: Statistics = await collectStatistics(
    context.original,
    all,
    batchesOf(context.original, feeds),
    runOptions(context),
  );
  return new Map(
    requests.map(({ id, port, mean, outputMax }) => [
      id,
      { mean: statistics.get(mean), outputSizes: outputSizes(port, statistics.get(outputMax)) },
    ]),
  );
}

async function* batchesOf(model: Model, all: readonly Feeds[]): AsyncGenerator<Batch> {
  for (const feeds of all) yield { feeds, samples: batchOf(model, shapesOf(feeds)) };
}

/** Compiled steps kept for different shapes of the samples. */
const keptShapes = 4;

/** Values of all samples, by the port of the whole model. */
type Kept = Map<OutputPort, Tensor[]>;

async function runSteps(
  context: AlgorithmContext,
  model: Model,
  steps: readonly Step[],
  feeds: readonly Feeds[],
  how: { readonly threshold: number; expected(product: BiasedProduct): Expectation },
): Promise<void> {
  const kept: Kept = new Map(model.parameters().map((p) => [p.output, feeds.map((f) => f[inputName(p)]!)] as const));
  const phase = 'BiasCorrection';
  for (const [i, step] of steps.entries()) {
    throwIfAborted(context.signal);
    const means = await runStep(context, step, kept, feeds.length);
    for (const [k, product] of step.products.entries()) {
      const { mean, outputSizes } = how.expected(product);
      const bias = biasPerChannel(product);
      const change = mean.map((m, c) => m - means[k]![c]! - (bias?.[c] ?? 0));
      const twin = { ...product, ...twinOf(context.work, product) };
      if (correctBias(context, twin, change, { outputSizes, threshold: how.threshold }))
        writeBias(model, product, biasPerChannel(twin)!);
    }
    for (const port of step.drop) kept.delete(port);
    context.onEvent?.({ kind: 'phase:progress', phase, done: i + 1, total: steps.length });
  }
}

/** The same product in another copy of the model. */
function twinOf(model: Model, { node, sum, bias }: BiasedProduct): Pick<BiasedProduct, 'node' | 'sum' | 'bias'> {
  const other = model.nodeById.get(sum.id)!;
  return { node: model.nodeById.get(node.id)!, sum: other, bias: other.inputs[bias.index]! };
}

/**
 * Runs one step over all samples and keeps what later steps need.
 *
 * @returns for each product the mean of its output without the bias
 */
async function runStep(context: AlgorithmContext, step: Step, kept: Kept, samples: number): Promise<Float32Array[]> {
  const outputs = step.products.map((p) => p.node.output);
  const segment = segmentOf(step.from, [...outputs, ...step.keep]);
  const observe = step.products.map((product) => ({
    port: segment.port(product.node.output),
    granularity: 'perChannel' as const,
    channelAxis: product.channelAxis,
  }));
  const taps = step.keep.map((port) => segment.port(port));
  const { engine, ...how } = runOptions(context);
  const executables = new ByShape(keptShapes, async (shapes) => ({
    executable: await engine.compile(segment.model, { ...how, shapes, observe, taps }),
  }));
  const sums = step.products.map((p) => new ExactSums(p.channels));
  for (const port of step.keep) kept.set(port, []);
  try {
    for (let i = 0; i < samples; i++) {
      const feeds = Object.fromEntries(step.from.map((port, k) => [inputOf(k), kept.get(port)![i]!]));
      const { executable } = await executables.get(shapesOf(feeds));
      const run = await executable.run(feeds, how);
      for (const [k, sum] of sums.entries()) sum.add(run.observations[k]!.mean);
      for (const [k, port] of step.keep.entries()) kept.get(port)!.push(run.taps[k]!);
    }
  } finally {
    await executables.close();
  }
  return sums.map((sum) => sum.means(samples));
}
