// Activation channel alignment: gives the channels between two products similar ranges, so that one scale suits them all.
import { giveConstant } from '../../graph/edit.ts';
import type { Model } from '../../graph/model.ts';
import type { InputPort, Node } from '../../graph/node.ts';
import { expandValues } from '../../ops/broadcast.ts';
import { perChannel, weightChannelShape } from '../../passes/channels.ts';
import { median } from '../../statistics/order-statistics.ts';
import type { StatisticRequest } from '../../statistics/request.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount } from '../../tensor/shape.ts';
import { type Algorithm, type AlgorithmContext, originalPort } from '../algorithm.ts';
import { type AlignablePair, alignablePairs } from './pairs.ts';

/** Share of the elements of a channel that lie outside of its range on each side. */
const outlierShare = 1e-4;
/** A channel is scaled by at most this factor, or its reciprocal. */
const strongest = 100;

interface PairRequests {
  readonly pair: AlignablePair;
  readonly low: StatisticRequest;
  readonly high: StatisticRequest;
}

/**
 * The algorithm for one run.
 *
 * For a product followed by a convolution without padding, with nothing between them but a bias, let a channel between
 * them range from `low` to `high` (quantiles of each sample, then the median over samples), `m = (low + high) / 2` and
 * `s = high − low`. Where both have a bias, `m` is subtracted from the first and `Σ w · m` added to the second. Then
 * `f = s / median(s)`, between 0.01 and 100, divides the weights and the bias of the first and multiplies those weights of
 * the second that read the channel. The function of the model stays the same.
 *
 * @see OpenVINO POT, ActivationChannelAlignment
 */
export function createActivationChannelAlignment(): Algorithm {
  let requests: PairRequests[] = [];
  return {
    name: 'ActivationChannelAlignment',
    changesOriginal: true,
    request: (context) => {
      requests = alignablePairs(context.work).map((pair) => requestsOf(pair, context));
      return requests.flatMap((r) => [r.low, r.high]);
    },
    apply: async (context, statistics) => {
      for (const { pair, low, high } of requests) {
        align(context.work, pair, statistics.get(low), statistics.get(high));
        context.aligned.add(pair.consumer.id);
      }
    },
  };
}

function requestsOf(pair: AlignablePair, context: AlgorithmContext): PairRequests {
  const place = { port: originalPort(pair.between, context), granularity: 'perChannel', channelAxis: 1 } as const;
  const quantile = (share: number): StatisticRequest => ({
    ...place,
    statistic: { kind: 'quantile', share },
    aggregator: 'median',
  });
  return { pair, low: quantile(outlierShare), high: quantile(1 - outlierShare) };
}

/** Moves and scales the channels of one pair. */
export function align(model: Model, pair: AlignablePair, low: Float32Array, high: Float32Array): void {
  const { producerBias, consumerBias } = pair;
  const middle = Float64Array.from(low, (v, c) => (v + high[c]!) / 2);
  if (producerBias && consumerBias) {
    const shift = inputSums(pair, middle);
    changeBias(model, pair.producer, producerBias, (v, c) => v - middle[c]!);
    changeBias(model, pair.consumer, consumerBias, (v, c) => v + shift[c]!);
  }
  const factors = factorsOf(Float64Array.from(low, (v, c) => high[c]! - v));
  if (!factors) return;
  const shares = factors.map((f) => 1 / f);
  scaleWeights(model, pair.producer, (shape) => [shares, weightChannelShape(pair.producer, shape)]);
  if (producerBias) changeBias(model, pair.producer, producerBias, (v, c) => v * shares[c]!);
  scaleWeights(model, pair.consumer, (shape) => [factors, shape.map((d, i) => (i === 1 ? d : 1))]);
}

/** The size of each channel relative to the median one; undefined when all channels are constant. */
export function factorsOf(sizes: Float64Array): Float64Array | undefined {
  const positive = sizes.filter((s) => s > 0).sort();
  if (positive.length === 0) return undefined;
  const usual = median(positive);
  return sizes.map((s) => (s > 0 ? Math.min(strongest, Math.max(1 / strongest, s / usual)) : 1));
}

/** What the consumer computes from an input that is `values[c]` everywhere in channel c. */
function inputSums({ consumer, channels }: AlignablePair, values: Float64Array): Float64Array {
  const weights = consumer.source(1)!.fact.value!;
  const data = toFloat64(weights);
  const taps = elementCount(weights.shape.slice(2));
  const sums = new Float64Array(weights.shape[0]!);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / taps);
    sums[Math.floor(row / channels)]! += data[i]! * values[row % channels]!;
  }
  return sums;
}

function scaleWeights(
  model: Model,
  node: Node,
  factorsFor: (shape: readonly number[]) => readonly [Float64Array, number[]],
): void {
  const value = node.source(1)!.fact.value!;
  const [factors, shape] = factorsFor(value.shape);
  const each = expandValues(factors, shape, value.shape);
  const scaled = toFloat64(value).map((w, i) => w * each[i]!);
  giveConstant(model, node.inputs[1]!, fromFloat64(scaled, value.shape, value.type));
}

function changeBias(
  model: Model,
  product: Node,
  input: InputPort,
  change: (value: number, channel: number) => number,
): void {
  const value = input.source!.fact.value!;
  const changed = perChannel(product, value)!.map(change);
  const full = product.output.fact.shape.map((_, i) => (i === 1 ? changed.length : 1));
  const shape = elementCount(value.shape) === changed.length ? value.shape : full;
  giveConstant(model, input, fromFloat64(changed, shape, value.type));
}
