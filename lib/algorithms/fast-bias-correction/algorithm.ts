// Fast bias correction: takes the mean error that rounding causes in each product back out of its bias.
import type { Node } from '../../graph/node.ts';
import { inferModel } from '../../ops/infer-model.ts';
import { collectStatistics } from '../../statistics/collect.ts';
import type { StatisticRequest, Statistics } from '../../statistics/request.ts';
import { toFloat32 } from '../../tensor/convert.ts';
import { isStatic, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Algorithm, type AlgorithmContext, originalPort, runOptions } from '../algorithm.ts';
import { besideOriginal, roundingPath } from '../beside.ts';
import {
  type BiasedProduct,
  biasedProducts,
  biasPerChannel,
  correctBias,
  effectiveWeights,
  outputMaxOf,
  outputSizes,
  writeBias,
} from '../biased-products.ts';
import { meanResponses, type ResponseJob } from './responses.ts';

/** Options of the algorithm. */
export interface FastBiasCorrectionOptions {
  /** Largest relative change that is still believed. Default 2. */
  readonly threshold?: number;
  /**
   * `shift` (default): the old bias plus the response to `w − w_q`. The windows at the borders see zeros in both terms, so
   * only the error of the weights remains. Relative to the largest output of the channel, so that biases of zero are
   * corrected too.
   *
   * `replace`: as OpenVINO POT does, the mean output of the unquantized model minus the response to `w_q`. What the
   * constant input misses at the borders goes into the bias; biases with a zero element are left alone.
   */
  readonly method?: 'shift' | 'replace';
  /** Also take out what rounding and clipping the data does to its mean; reads the samples once more. Default false. */
  readonly activationError?: boolean;
  /** Also correct products whose weights are not quantized but were changed otherwise. Default false. */
  readonly applyForAll?: boolean;
}

/** Statistics of one product. */
interface ProductRequests {
  readonly product: BiasedProduct;
  readonly inputMean: StatisticRequest;
  /** For `replace` only. */
  readonly outputMean: StatisticRequest;
  /** For `shift` only. */
  readonly outputMax: StatisticRequest;
}

/** A product whose data has a known shape. */
interface KnownProduct {
  readonly request: ProductRequests;
  readonly inputShape: Shape;
}

/** The algorithm for one run. It needs the quantizers of weights to be in place. */
export function createFastBiasCorrection(options: FastBiasCorrectionOptions = {}): Algorithm {
  const { method = 'shift', threshold = 2 } = options;
  let requests: ProductRequests[] = [];
  return {
    name: 'FastBiasCorrection',
    ...(options.activationError ? { readsSamples: true } : {}),
    request: (context) => {
      const products = biasedProducts(context.work, options.applyForAll ? 'all' : 'quantized');
      requests = products.map((product) => requestsOf(product, context));
      return requests.flatMap((r) => [r.inputMean, method === 'shift' ? r.outputMax : r.outputMean]);
    },
    apply: async (context, statistics) => {
      const known = withShapes(requests, context, statistics);
      const rounded = options.activationError ? await meansOfRounded(known, context) : undefined;
      if (method === 'replace') await replaceBiases(context, statistics, known, threshold, rounded);
      else await shiftBiases(context, statistics, known, threshold, rounded);
    },
  };
}

function requestsOf(product: BiasedProduct, context: AlgorithmContext): ProductRequests {
  const node = context.original.nodeById.get(product.node.id)!;
  const place = { granularity: 'perChannel', channelAxis: product.channelAxis } as const;
  const output = originalPort(product.sum.output, context);
  return {
    product,
    inputMean: { ...place, port: node.source(0)!, statistic: { kind: 'mean' }, aggregator: 'mean' },
    outputMean: { ...place, port: output, statistic: { kind: 'mean' }, aggregator: 'mean' },
    outputMax: outputMaxOf(output, product.channelAxis),
  };
}

/** Products whose data has a static shape, with the dynamic dimensions of the largest sample: its borders, where windows see padding, weigh least. */
function withShapes(
  requests: readonly ProductRequests[],
  context: AlgorithmContext,
  statistics: Statistics,
): KnownProduct[] {
  const shaped = context.original.clone();
  inferModel(shaped, statistics.inputShapes);
  const shapeOf = (node: Node): Shape | undefined => shaped.nodeById.get(node.id)?.source(0)?.fact.shape;
  return requests.flatMap((request) => {
    const inputShape = shapeOf(request.product.node);
    return inputShape && isStatic(inputShape) ? [{ request, inputShape }] : [];
  });
}

/** Mean of each channel of the data as its quantizers round it. */
async function meansOfRounded(known: readonly KnownProduct[], context: AlgorithmContext): Promise<Float32Array[]> {
  const inputs = known.map((k) => k.request.product.node.source(0)!);
  const { model, ports } = besideOriginal(inputs, context, roundingPath(context.roles));
  const means = known.map(
    ({ request: { product } }, i): StatisticRequest => ({
      port: ports[i]!,
      granularity: 'perChannel',
      channelAxis: product.channelAxis,
      statistic: { kind: 'mean' },
      aggregator: 'mean',
    }),
  );
  const statistics = await collectStatistics(model, means, context.samples(), runOptions(context));
  return means.map((request) => statistics.get(request));
}

/** `b + w · E[x] − w_q · E[x_q]`; without errors of the data in one product, `b + (w − w_q) · E[x]`. */
async function shiftBiases(
  context: AlgorithmContext,
  statistics: Statistics,
  known: readonly KnownProduct[],
  threshold: number,
  rounded: readonly Float32Array[] | undefined,
): Promise<void> {
  const jobs = known.flatMap(({ request, inputShape }, i): ResponseJob[] => {
    const { product } = request;
    const mean = statistics.get(request.inputMean);
    const [before, after] = [originalWeights(product, context), effectiveWeights(product)];
    const job = (weights: Tensor, channelValues: Float32Array) => ({ product, weights, channelValues, inputShape });
    return rounded
      ? [job(differenceOf(before, after), mean), job(after, differenceOfArrays(mean, rounded[i]!))]
      : [job(differenceOf(before, after), mean)];
  });
  const responses = await meanResponses(jobs, runOptions(context));
  const each = rounded ? 2 : 1;
  for (const [i, { request }] of known.entries()) {
    const change = responses[i * each]!.map((v, c) => v + (rounded ? responses[i * each + 1]![c]! : 0));
    const output = originalPort(request.product.sum.output, context);
    const sizes = outputSizes(output, statistics.get(request.outputMax));
    correctBias(context, request.product, change, { outputSizes: sizes, threshold });
  }
}

/** `E[y] − w_q · E[x]`, relative to the old bias. */
async function replaceBiases(
  context: AlgorithmContext,
  statistics: Statistics,
  known: readonly KnownProduct[],
  threshold: number,
  rounded: readonly Float32Array[] | undefined,
): Promise<void> {
  const jobs = known.map(({ request, inputShape }, i) => ({
    product: request.product,
    weights: effectiveWeights(request.product),
    channelValues: rounded?.[i] ?? statistics.get(request.inputMean),
    inputShape,
  }));
  const responses = await meanResponses(jobs, runOptions(context));
  for (const [i, { request }] of known.entries()) {
    const old = biasPerChannel(request.product);
    const mean = statistics.get(request.outputMean);
    const next = old?.map((_, c) => mean[c]! - responses[i]![c]!);
    const change = old?.reduce((most, b, c) => Math.max(most, b === 0 ? Infinity : Math.abs((next![c]! - b) / b)), 0);
    if (next && change! < threshold) writeBias(context.work, request.product, next);
  }
}

/** The weights of the product before they were quantized. */
function originalWeights({ node, weights }: BiasedProduct, context: AlgorithmContext): Tensor {
  return context.original.nodeById.get(node.id)!.source(weights.index)!.fact.value!;
}

function differenceOf(a: Tensor, b: Tensor): Tensor {
  return { type: 'f32', shape: a.shape, data: differenceOfArrays(toFloat32(a), toFloat32(b)) };
}

function differenceOfArrays(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((v, i) => v - b[i]!);
}
