// Statistics that outlive a run: kept by model, all over the same samples, and answered from where they fit.

import { shapesOf } from '../engines/feeds.ts';
import { LowpError } from '../errors/lowp-error.ts';
import type { Model } from '../graph/model.ts';
import { floatBins } from '../util/float-bins.ts';
import type { Batch } from './batches.ts';
import { batchOf } from './batches.ts';
import { type CollectOptions, collectStatistics } from './collect.ts';
import type { CollectedStatistics } from './collected.ts';
import { DataFingerprint, modelFingerprint } from './fingerprint.ts';
import type { StatisticRequest } from './request.ts';

/** What is asked of a store. */
export interface StoreRequest {
  readonly model: Model;
  /** What this run needs. */
  readonly needed: readonly StatisticRequest[];
  /** What other runs may need; asked for and collected together when the model has to run. */
  readonly more: () => readonly StatisticRequest[];
  /** Undefined: there are no samples, everything has to be in the store. */
  readonly batches: AsyncIterable<Batch> | undefined;
}

/**
 * Statistics of one or more models over the same samples. A quantization that aligns channels observes two models: the
 * given one and the aligned one.
 */
export class StatisticsStore {
  /** For messages. */
  readonly name: string;
  private readonly byModel = new Map<string, CollectedStatistics>();
  /** Samples were compared with the fingerprint of the store. */
  private isVerified = false;

  constructor(parts: Iterable<CollectedStatistics> = [], name = 'the statistics') {
    this.name = name;
    for (const part of parts) this.byModel.set(part.source.model, part);
  }

  parts(): readonly CollectedStatistics[] {
    return [...this.byModel.values()];
  }

  /** Number of samples; 0 when nothing has been collected. */
  get samples(): number {
    return this.parts()[0]?.samples ?? 0;
  }

  /**
   * Refuses a model that the store does not know, unless it is empty.
   *
   * @throws {LowpError} `ERR_STATISTICS_MISMATCH`
   */
  requireModel(model: Model): void {
    if (this.byModel.size === 0 || this.byModel.has(modelFingerprint(model))) return;
    throw new LowpError(
      'ERR_STATISTICS_MISMATCH',
      `${this.name} was collected with another model than '${model.name}'`,
      {
        help: 'Name another statistics file, or delete this one to collect again.',
      },
    );
  }

  /**
   * Answers requests: without running the model when everything is there and the samples are those of the store; otherwise
   * what is missing is collected and kept.
   *
   * @throws {LowpError} `ERR_STATISTICS_MISMATCH` for other samples, `ERR_DATA_EMPTY` when samples are needed and there are
   *   none, and what {@link collectStatistics} throws
   */
  async answer({ model, needed, more, batches }: StoreRequest, options: CollectOptions): Promise<CollectedStatistics> {
    const fingerprint = modelFingerprint(model);
    const known = this.byModel.get(fingerprint);
    const missing = needed.filter((request) => !known?.has(request));
    if (known && missing.length === 0) {
      await this.verify(model, batches);
      for (const request of needed) requireFit(known, request, this.name);
      return known;
    }
    if (!batches) {
      throw new LowpError(
        'ERR_DATA_EMPTY',
        `${this.name} lacks ${missing.length} statistics, and there are no samples`,
        {
          help: 'Give the samples with which it was collected (--data); what is missing is added.',
        },
      );
    }
    const wanted = [...missing, ...more().filter((request) => !known?.has(request))];
    const collected = await collectStatistics(model, wanted, batches, { ...options, fingerprint });
    this.requireSamples(collected.source);
    const all = known ? known.with(collected) : collected;
    this.byModel.set(all.source.model, all);
    return all;
  }

  /**
   * The statistics over the samples of both stores, as if they had been collected at once, of the models that both know.
   *
   * @throws {LowpError} `ERR_STATISTICS_MISMATCH` when there is no such model, or the statistics differ
   */
  merge(other: StatisticsStore): StatisticsStore {
    const merged = this.parts().flatMap((part) => {
      const twin = other.byModel.get(part.source.model);
      return twin ? [part.merge(twin)] : [];
    });
    if (merged.length > 0) return new StatisticsStore(merged, this.name);
    throw new LowpError('ERR_STATISTICS_MISMATCH', `${this.name} and ${other.name} are of different models`);
  }

  private async verify(model: Model, batches: AsyncIterable<Batch> | undefined): Promise<void> {
    if (this.isVerified || !batches) return;
    const fingerprint = new DataFingerprint();
    let samples = 0;
    for await (const batch of batches) {
      batch.requireFinite?.();
      fingerprint.add(batch.feeds, batch.samples, batchOf(model, shapesOf(batch.feeds)));
      samples += batch.samples;
    }
    this.requireSamples({ samples, data: fingerprint.digest() });
  }

  private requireSamples(found: { readonly samples: number; readonly data: string }): void {
    const [part] = this.byModel.values();
    this.isVerified = true;
    if (!part || part.source.data === found.data) return;
    const same = part.samples === found.samples;
    throw new LowpError(
      'ERR_STATISTICS_MISMATCH',
      same
        ? `${this.name} was collected with ${part.samples} other samples`
        : `${this.name} was collected with ${part.samples} samples, these are ${found.samples}`,
      { help: 'Give the same data, preprocessing and subset, name another statistics file, or delete this one.' },
    );
  }
}

/** @throws {LowpError} `ERR_STATISTICS_INVALID` when a statistic does not have one number for each channel */
function requireFit(statistics: CollectedStatistics, request: StatisticRequest, name: string): void {
  const { port, granularity, channelAxis = 1 } = request;
  const channels = granularity === 'perTensor' ? 1 : (port.fact.shape.at(channelAxis) ?? 1);
  const wanted = request.statistic.kind === 'histogram' ? floatBins : channels;
  const found = statistics.get(request);
  if ((wanted < 0 || found.length === wanted) && found.every(Number.isFinite)) return;
  throw new LowpError(
    'ERR_STATISTICS_INVALID',
    `${name} does not fit '${port.node.name}', which has ${wanted} channels`,
    {
      node: port.node.name,
    },
  );
}
