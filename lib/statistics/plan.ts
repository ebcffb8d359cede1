// What to observe so that all statistic requests can be answered from one run per batch.
import type { Observation, ObservePoint, QuantilePoint } from '../engines/engine.ts';
import { invariant } from '../errors/assert.ts';
import type { Model } from '../graph/model.ts';
import type { OutputPort } from '../graph/node.ts';
import { type Accumulator, accumulatorFor } from './aggregators.ts';
import { type CollectedStatistic, keyOf, keyText, type StatisticKey } from './collected.ts';
import type { StatisticRequest } from './request.ts';

/** One value that is observed, with everything that is asked of it at once. */
export type PlannedPoint = Required<Omit<ObservePoint, 'items'>>;

/** Points to observe, and how each request reads its numbers from them. Equal requests are answered once. */
export interface CollectPlan {
  readonly points: readonly PlannedPoint[];
  /** Those that take the numbers of every sample. */
  readonly answers: readonly Answer[];
  /** Those that take the counts of all samples at once. */
  readonly counts: readonly CountAnswer[];
}

/** Feeds one statistic. */
export interface Answer extends CollectedStatistic {
  /** Index of the point. */
  readonly point: number;
  /** Takes the numbers of the first items, as many as count, of those that its point observed apart. */
  take(observation: Observation, items: { readonly observed: number; readonly count: number }): void;
}

/** A histogram, which its point counts by itself. */
export interface CountAnswer extends CollectedStatistic {
  /** Index of the point. */
  readonly point: number;
}

export function planOf(model: Model, requests: readonly StatisticRequest[]): CollectPlan {
  const points = new Map<
    string,
    {
      readonly index: number;
      readonly point: PlannedPoint & { quantiles: QuantilePoint[]; histogram: boolean; mean: boolean };
    }
  >();
  const perChannel = new Map<OutputPort, StatisticRequest>();
  for (const r of requests) if (r.granularity === 'perChannel') perChannel.set(r.port, r);
  const answers = new Map<string, Answer>();
  const counts = new Map<string, CountAnswer>();
  for (const request of requests) {
    const { port } = request;
    invariant(
      model.nodeById.get(port.node.id) === port.node,
      `'${port.node.name}' is not a node of the observed model`,
    );
    const key = keyOf(request);
    const text = keyText(key);
    if (answers.has(text) || counts.has(text)) continue;
    const source = sourceOf(request, perChannel);
    const { granularity, channelAxis = 1 } = source;
    const place = `${port.node.id}.${port.index} ${granularity === 'perChannel' ? channelAxis : ''}`;
    const point = { port, granularity, channelAxis, quantiles: [], histogram: false, mean: false };
    const found = points.get(place) ?? { index: points.size, point };
    points.set(place, found);
    if (request.statistic.kind === 'histogram') {
      found.point.histogram = true;
      counts.set(text, { key, accumulator: accumulatorFor(request.aggregator), point: found.index });
      continue;
    }
    if (request.statistic.kind === 'mean') found.point.mean = true;
    const accumulator = accumulatorFor(request.aggregator);
    const read = readerOf(request, granularity, found.point.quantiles);
    answers.set(text, { key, accumulator, point: found.index, take: takerOf(key, accumulator, read) });
  }
  return {
    points: [...points.values()].map((p) => p.point),
    answers: [...answers.values()],
    counts: [...counts.values()],
  };
}

/**
 * The place that answers a request. Extremes of the whole value are those of its channels: one pass answers both, and may
 * go together with the pass over the value in front of an activation, which is observed by channel.
 */
function sourceOf(
  request: StatisticRequest,
  perChannel: ReadonlyMap<OutputPort, StatisticRequest>,
): Pick<StatisticRequest, 'granularity' | 'channelAxis'> {
  const { port, granularity, statistic } = request;
  const isExtreme = granularity === 'perTensor' && !('share' in statistic) && statistic.kind !== 'mean';
  if (!isExtreme) return request;
  const isImage = port.fact.shape.length >= 4;
  return perChannel.get(port) ?? (isImage ? { granularity: 'perChannel', channelAxis: 1 } : request);
}

/** The numbers of all items, and how many of them make one result. */
interface Numbers {
  readonly values: Float32Array;
  /** Undefined: the channels of an item are results of their own. */
  readonly join?: 'least' | 'greatest';
}

/** Reads a statistic from a point, which may be finer than what was asked for. */
function readerOf(
  { statistic, granularity }: StatisticRequest,
  observed: StatisticRequest['granularity'],
  quantiles: QuantilePoint[],
): (observation: Observation) => Numbers {
  if (!('share' in statistic)) {
    const { kind } = statistic;
    invariant(kind !== 'histogram', 'a histogram is not read from observations');
    if (granularity === observed) return (observation) => ({ values: observation[kind] });
    const join = kind === 'min' ? 'least' : 'greatest';
    return (observation) => ({ values: observation[kind], join });
  }
  const { share, kind } = statistic;
  const isAbsolute = kind === 'absQuantile';
  const known = quantiles.findIndex((q) => q.share === share && q.isAbsolute === isAbsolute);
  const index = known < 0 ? quantiles.push({ share, isAbsolute }) - 1 : known;
  return (observation) => ({ values: observation.quantiles[index]! });
}

function takerOf(
  key: StatisticKey,
  accumulator: Accumulator,
  read: (observation: Observation) => Numbers,
): Answer['take'] {
  const isSingle = key.granularity === 'perTensor';
  const one = new Float32Array(1);
  return (observation, items) => {
    const { values, join } = read(observation);
    const size = values.length / items.observed;
    for (let i = 0; i < items.count; i++) {
      const item = items.observed === 1 ? values : values.subarray(i * size, (i + 1) * size);
      if (isSingle && join) {
        one[0] = join === 'least' ? least(item) : greatest(item);
        accumulator.add(one);
      } else accumulator.add(item);
    }
  };
}

function least(values: Float32Array): number {
  let found = values[0] ?? 0;
  for (let c = 1; c < values.length; c++) if (values[c]! < found) found = values[c]!;
  return found;
}

function greatest(values: Float32Array): number {
  let found = values[0] ?? 0;
  for (let c = 1; c < values.length; c++) if (values[c]! > found) found = values[c]!;
  return found;
}
