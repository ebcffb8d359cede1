// From one number per sample (and channel) to one number: mean, extremes, medians, robust means.
//
// What is kept of the samples does not depend on their order, and two parts merge to what the whole would have kept.
import { LowpError } from '../errors/lowp-error.ts';
import { BoundedMultiset, type Counted, distinctNumbers, type MultisetState } from './bounded-multiset.ts';
import { ExactSums } from './exact-sum.ts';
import { hodgesLehmann, meanOf, medianOf, withoutOutliers } from './order-statistics.ts';
import type { Aggregator, StatisticRequest } from './request.ts';

/** Takes the finite numbers of one sample after another. */
export interface Accumulator {
  /** One entry for each channel; the same number of entries every time. */
  add(values: Float32Array): void;
  /** The aggregate of each channel. At least one sample was added. */
  result(): Float32Array;
  /** What is kept, in the one form that the same samples always give. At least one sample was added. */
  state(): AccumulatorState;
  /**
   * Adds the samples behind the state of an accumulator of the same aggregator.
   *
   * @throws {LowpError} `ERR_SHAPE_MISMATCH` when the channels are not as many
   */
  merge(other: AccumulatorState): void;
}

/** What accumulators keep: a number per channel, exact sums, counts, or the numbers of the samples. */
export type AccumulatorState =
  | { readonly kind: 'extreme'; readonly values: Float32Array }
  | {
      readonly kind: 'sums';
      readonly channels: number;
      readonly count: number;
      readonly parts: readonly (readonly [number, Float64Array])[];
    }
  | { readonly kind: 'counts'; readonly values: Float64Array }
  | { readonly kind: 'multisets'; readonly multisets: readonly MultisetState[] };

/**
 * An accumulator. Max and min keep one number per channel, the mean an exact sum, the others a bounded multiset: of a whole
 * value they are exact for up to 4096 samples, of many channels for 512, and beyond use numbers rounded to a few parts in
 * ten thousand (in a thousand).
 */
export function accumulatorFor(aggregator: StatisticRequest['aggregator']): Accumulator {
  if (aggregator === 'sum') return new Counts();
  if (aggregator === 'mean') return new Mean();
  if (aggregator === 'max') return new Extreme(takeGreater);
  if (aggregator === 'min') return new Extreme(takeLess);
  return new OrderStatistic(orderStatistics[aggregator]);
}

/** The exact sum over the number of samples, rounded to f32. */
class Mean implements Accumulator {
  private sums: ExactSums | undefined;
  private count = 0;

  add(values: Float32Array): void {
    this.sums ??= new ExactSums(values.length);
    requireChannels(this.sums.channels, values.length);
    this.sums.add(values);
    this.count++;
  }

  result(): Float32Array {
    return this.sums?.means(this.count) ?? new Float32Array();
  }

  state(): AccumulatorState {
    const { channels = 0 } = this.sums ?? {};
    return { kind: 'sums', channels, count: this.count, parts: this.sums?.parts() ?? [] };
  }

  merge(other: AccumulatorState): void {
    const { channels, count, parts } = requireKind(other, 'sums');
    this.sums ??= new ExactSums(channels);
    requireChannels(this.sums.channels, channels);
    this.sums.addParts(parts);
    this.count += count;
  }
}

/** Sums of whole numbers, exact up to 2^53. */
class Counts implements Accumulator {
  private values: Float64Array | undefined;

  add(counts: Float32Array | Float64Array): void {
    this.values ??= new Float64Array(counts.length);
    requireChannels(this.values.length, counts.length);
    // Most bins are empty.
    for (let i = 0; i < counts.length; i++) if (counts[i]! !== 0) this.values[i]! += counts[i]!;
  }

  result(): Float32Array {
    return Float32Array.from(this.values ?? []);
  }

  state(): AccumulatorState {
    return { kind: 'counts', values: this.values ?? new Float64Array() };
  }

  merge(other: AccumulatorState): void {
    this.add(requireKind(other, 'counts').values);
  }
}

class Extreme implements Accumulator {
  private readonly take: typeof takeGreater;
  private values: Float32Array | undefined;

  constructor(take: typeof takeGreater) {
    this.take = take;
  }

  add(values: Float32Array): void {
    if (!this.values) {
      // Adding 0 gives zero one sign.
      this.values = values.map((v) => v + 0);
      return;
    }
    requireChannels(this.values.length, values.length);
    this.take(values, this.values);
  }

  result(): Float32Array {
    return this.values ?? new Float32Array();
  }

  state(): AccumulatorState {
    return { kind: 'extreme', values: this.result() };
  }

  merge(other: AccumulatorState): void {
    this.add(requireKind(other, 'extreme').values);
  }
}

function takeGreater(values: Float32Array, known: Float32Array): void {
  for (let c = 0; c < values.length; c++) if (values[c]! > known[c]!) known[c] = values[c]! + 0;
}

function takeLess(values: Float32Array, known: Float32Array): void {
  for (let c = 0; c < values.length; c++) if (values[c]! < known[c]!) known[c] = values[c]! + 0;
}

class OrderStatistic implements Accumulator {
  private readonly reduce: (numbers: Counted) => number;
  private channels: readonly BoundedMultiset[] | undefined;

  constructor(reduce: (numbers: Counted) => number) {
    this.reduce = reduce;
  }

  add(values: Float32Array): void {
    const channels = this.channelsFor(values.length);
    for (let c = 0; c < values.length; c++) channels[c]!.add(values[c]!);
  }

  result(): Float32Array {
    return Float32Array.from(this.channels ?? [], (channel) => this.reduce(channel.counted()));
  }

  state(): AccumulatorState {
    return { kind: 'multisets', multisets: (this.channels ?? []).map((channel) => channel.state()) };
  }

  merge(other: AccumulatorState): void {
    const { multisets } = requireKind(other, 'multisets');
    for (const [c, channel] of this.channelsFor(multisets.length).entries()) channel.merge(multisets[c]!);
  }

  private channelsFor(length: number): readonly BoundedMultiset[] {
    this.channels ??= Array.from({ length }, () => new BoundedMultiset(distinctNumbers(length)));
    requireChannels(this.channels.length, length);
    return this.channels;
  }
}

const orderStatistics: Readonly<Record<Exclude<Aggregator, 'mean' | 'max' | 'min'>, (numbers: Counted) => number>> = {
  median: medianOf,
  mean_no_outliers: (numbers) => meanOf(withoutOutliers(numbers)),
  median_no_outliers: (numbers) => medianOf(withoutOutliers(numbers)),
  hl_estimator: hodgesLehmann,
};

function requireChannels(known: number, given: number): void {
  if (known === given) return;
  throw new LowpError('ERR_SHAPE_MISMATCH', `a sample has ${given} channels, the samples before had ${known}`);
}

function requireKind<K extends AccumulatorState['kind']>(
  state: AccumulatorState,
  kind: K,
): Extract<AccumulatorState, { kind: K }> {
  if (isKind(state, kind)) return state;
  throw new LowpError('ERR_STATISTICS_INVALID', `a statistic holds ${state.kind}, its aggregator keeps ${kind}`);
}

function isKind<K extends AccumulatorState['kind']>(
  state: AccumulatorState,
  kind: K,
): state is Extract<AccumulatorState, { kind: K }> {
  return state.kind === kind;
}
