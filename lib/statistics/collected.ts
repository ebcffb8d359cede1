// Statistics of a model over samples, as they are collected, merged and asked for.
import { invariant } from '../errors/assert.ts';
import { LowpError } from '../errors/lowp-error.ts';
import type { Granularity } from '../targets/target.ts';
import type { Shape } from '../tensor/shape.ts';
import { type Accumulator, accumulatorFor } from './aggregators.ts';
import { largerInputs } from './batches.ts';
import type { SampleStatistic, StatisticRequest, Statistics } from './request.ts';

/** What a statistic is of: a value by the name of its node, and how it is reduced and aggregated. */
export interface StatisticKey {
  readonly node: string;
  readonly output: number;
  readonly granularity: Granularity;
  /** For `perChannel` only. */
  readonly channelAxis?: number;
  readonly statistic: SampleStatistic;
  readonly aggregator: StatisticRequest['aggregator'];
}

/** One statistic and what has been kept for it. */
export interface CollectedStatistic {
  readonly key: StatisticKey;
  readonly accumulator: Accumulator;
}

/** What statistics were collected of. Two parts merge only when they have the same model. */
export interface StatisticsSource {
  /** Of the model as it was observed. */
  readonly model: string;
  /** Of the samples, whatever their order: that of a whole is {@link addFingerprints} of its parts. */
  readonly data: string;
  readonly samples: number;
  /** Shapes of the inputs of the largest sample, by input name. */
  readonly inputShapes: Readonly<Record<string, Shape>>;
}

/** The key of a request. */
export function keyOf(request: StatisticRequest): StatisticKey {
  const { port, granularity, channelAxis = 1, statistic, aggregator } = request;
  const place = granularity === 'perChannel' ? { granularity, channelAxis } : { granularity };
  return { node: port.node.name, output: port.index, ...place, statistic, aggregator };
}

/** The same text for equal keys only. */
export function keyText({ node, output, granularity, channelAxis, statistic, aggregator }: StatisticKey): string {
  const share = 'share' in statistic ? statistic.share : '';
  return JSON.stringify([node, output, granularity, channelAxis ?? '', statistic.kind, share, aggregator]);
}

/** Statistics with what they were collected of. */
export class CollectedStatistics implements Statistics {
  source: StatisticsSource;
  private readonly byKey = new Map<string, CollectedStatistic>();

  constructor(source: StatisticsSource, statistics: Iterable<CollectedStatistic> = []) {
    this.source = source;
    for (const statistic of statistics) this.byKey.set(keyText(statistic.key), statistic);
  }

  get samples(): number {
    return this.source.samples;
  }

  get inputShapes(): Readonly<Record<string, Shape>> {
    return this.source.inputShapes;
  }

  has(request: StatisticRequest): boolean {
    return this.byKey.has(keyText(keyOf(request)));
  }

  get(request: StatisticRequest): Float32Array {
    const found = this.byKey.get(keyText(keyOf(request)));
    invariant(found, `the statistic ${keyText(keyOf(request))} was not requested`);
    return found.accumulator.result();
  }

  /** All of them, in the order of their keys. */
  all(): CollectedStatistic[] {
    return [...this.byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, statistic]) => statistic);
  }

  /**
   * These statistics over the samples of both parts, bit for bit what collecting over all of them at once gives, in
   * whatever order the parts come.
   *
   * @throws {LowpError} `ERR_STATISTICS_MISMATCH` for another model, or when the parts hold different statistics
   */
  merge(other: CollectedStatistics): CollectedStatistics {
    if (this.source.model !== other.source.model)
      throw new LowpError('ERR_STATISTICS_MISMATCH', 'statistics of different models cannot be merged');
    const missing = [...this.byKey.keys(), ...other.byKey.keys()].find(
      (k) => !(this.byKey.has(k) && other.byKey.has(k)),
    );
    if (missing !== undefined) {
      throw new LowpError('ERR_STATISTICS_MISMATCH', `only one part has the statistic ${missing}`, {
        help: 'Collect both parts with the same options.',
      });
    }
    const merged = [...this.byKey.values()].map(({ key, accumulator }) => {
      const both = accumulatorFor(key.aggregator);
      both.merge(accumulator.state());
      both.merge(other.byKey.get(keyText(key))!.accumulator.state());
      return { key, accumulator: both };
    });
    return new CollectedStatistics(
      {
        ...this.source,
        samples: this.samples + other.samples,
        inputShapes: largerInputs(this.inputShapes, other.inputShapes),
        data: addFingerprints(this.source.data, other.source.data),
      },
      merged,
    );
  }

  /** These and other statistics of the same model and samples. */
  with(others: CollectedStatistics): CollectedStatistics {
    return new CollectedStatistics(this.source, [...this.byKey.values(), ...others.byKey.values()]);
  }
}

const fingerprintBits = 128n;

/** The sum of two fingerprints modulo 2^128, as 32 hexadecimal digits. */
export function addFingerprints(a: string, b: string): string {
  const sum = (BigInt(`0x${a}`) + BigInt(`0x${b}`)) & ((1n << fingerprintBits) - 1n);
  return sum.toString(16).padStart(Number(fingerprintBits / 4n), '0');
}

/** The fingerprint of no samples. */
export const noData = '0'.repeat(32);
