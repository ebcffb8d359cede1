// Fast bias correction: takes the mean error that rounded weights cause back out of each bias.
import { addConstant, connect } from '../../graph/edit.ts';
import type { Node } from '../../graph/node.ts';
import { inferModel } from '../../ops/infer-model.ts';
import { getOp } from '../../ops/registry.ts';
import type { StatisticRequest, Statistics } from '../../statistics/request.ts';
import { fromFloat64, toFloat32 } from '../../tensor/convert.ts';
import { isStatic, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Algorithm, AlgorithmContext } from '../algorithm.ts';
import { originalPort } from '../min-max/algorithm.ts';
import { type BiasedProduct, biasedProducts, biasPerChannel } from './biased-products.ts';
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

/** The algorithm for one run. It needs the quantizers of weights to be in place. */
export function createFastBiasCorrection(options: FastBiasCorrectionOptions = {}): Algorithm {
  let requests: ProductRequests[] = [];
  return {
    name: 'FastBiasCorrection',
    request: (context) => {
      requests = biasedProducts(context.work).map((product) => requestsOf(product, context));
      const isShift = (options.method ?? 'shift') === 'shift';
      return requests.flatMap((r) => [r.inputMean, isShift ? r.outputMax : r.outputMean]);
    },
    apply: async (context, statistics) => {
      const shapes = staticShapes(context, statistics);
      const method = options.method ?? 'shift';
      const known = requests.flatMap((request) => {
        const inputShape = shapes(request.product.node);
        return inputShape ? [{ request, job: jobOf(request, method, statistics, inputShape) }] : [];
      });
      const { engine, threads, signal } = context;
      const responses = await meanResponses(
        known.map((k) => k.job),
        { engine, ...(threads === undefined ? {} : { threads }), ...(signal === undefined ? {} : { signal }) },
      );
      for (const [i, { request }] of known.entries()) {
        correct(context, request, statistics, responses[i]!, { method, threshold: options.threshold ?? 2 });
      }
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
    outputMax: { ...place, port: output, statistic: { kind: 'absMax' }, aggregator: 'max' },
  };
}

/** Shapes of the data of products, with the dynamic dimensions of the first sample. */
function staticShapes(context: AlgorithmContext, statistics: Statistics): (node: Node) => Shape | undefined {
  const shaped = context.original.clone();
  inferModel(shaped, statistics.inputShapes);
  return (node) => {
    const shape = shaped.nodeById.get(node.id)?.source(0)?.fact.shape;
    return shape && isStatic(shape) ? shape : undefined;
  };
}

function jobOf(
  request: ProductRequests,
  method: 'shift' | 'replace',
  statistics: Statistics,
  inputShape: Shape,
): ResponseJob {
  const { product } = request;
  const quantized = quantizedWeights(product);
  const weights = method === 'replace' ? quantized : differenceOf(originalWeights(product), quantized);
  return { product, weights, channelValues: statistics.get(request.inputMean), inputShape };
}

/** The weights after their quantizer, in f32. */
function quantizedWeights(product: BiasedProduct): Tensor {
  const { quantizer } = product;
  const inputs = quantizer.inputs.map((i) => i.source!.fact.value!);
  return getOp(quantizer.type, quantizer.notes.opset).evaluate!(quantizer.attributes, inputs)[0]!;
}

/** The weights before they were quantized; halved weights are doubled by the quantizer's output limits. */
function originalWeights(product: BiasedProduct): Tensor {
  const { quantizer } = product;
  const [stored, low, high, outputLow, outputHigh] = quantizer.inputs.map((i) => i.source!.fact.value!);
  const input = toFloat32(high!)[0]! - toFloat32(low!)[0]!;
  const output = toFloat32(outputHigh!)[0]! - toFloat32(outputLow!)[0]!;
  const factor = Math.round(output / input);
  return factor === 1 ? stored! : { ...stored!, data: toFloat32(stored!).map((v) => v * factor) };
}

function differenceOf(a: Tensor, b: Tensor): Tensor {
  const right = toFloat32(b);
  return { type: 'f32', shape: a.shape, data: toFloat32(a).map((v, i) => v - right[i]!) };
}

function correct(
  context: AlgorithmContext,
  request: ProductRequests,
  statistics: Statistics,
  response: Float32Array,
  how: { readonly method: 'shift' | 'replace'; readonly threshold: number },
): void {
  const { product } = request;
  const old = biasPerChannel(product);
  if (!old) return;
  const mean = how.method === 'shift' ? undefined : statistics.get(request.outputMean);
  const next = old.map((b, c) => (mean ? mean[c]! - response[c]! : b + response[c]!));
  const size = how.method === 'shift' ? statistics.get(request.outputMax) : new Float32Array(old.length);
  let change = 0;
  for (let c = 0; c < old.length; c++) {
    const difference = Math.abs(next[c]! - old[c]!);
    const scale = Math.max(Math.abs(old[c]!), size[c]!);
    change = Math.max(
      change,
      scale > 0 ? difference / scale : how.method === 'shift' && difference === 0 ? 0 : Number.POSITIVE_INFINITY,
    );
  }
  if (change < how.threshold) writeBias(context, product, next);
  else if (how.method === 'shift') {
    context.warn(
      `the bias of '${product.node.name}' was not corrected: it would change by ${change.toFixed(1)} times its output`,
    );
  }
}

/** Stores a bias of the old shape, or with the channels on their axis when the old one was a single number. */
function writeBias(context: AlgorithmContext, product: BiasedProduct, values: Float64Array): void {
  const old = product.bias.source!;
  const { type, shape } = old.fact;
  const rank = product.sum.output.fact.shape.length;
  const axis = product.channelAxis < 0 ? product.channelAxis + rank : product.channelAxis;
  const isSingle = old.fact.value!.data.length !== values.length;
  const full = Array.from({ length: rank }, (_, i) => (i === axis ? values.length : 1));
  const value = fromFloat64(values, isSingle ? full : shape, type);
  const constant = addConstant(context.work, `${old.node.name}/corrected`, value, old.node.notes);
  connect(product.bias, constant.output);
}
