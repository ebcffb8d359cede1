// A model, labelled data and metrics give numbers.
import type { Dataset } from '../data/dataset.ts';
import { compile, type Session, type SessionOptions } from '../engines/session.ts';
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import type { EventListener } from '../events/events.ts';
import type { Model } from '../graph/model.ts';
import { findMetric, type Metric } from '../metrics/index.ts';

export interface EvaluateOptions extends SessionOptions {
  /** Default `accuracy@1`. */
  readonly metrics?: readonly (string | Metric)[];
  readonly onProgress?: EventListener;
}

export interface Evaluation {
  readonly samples: number;
  /** Fractions by metric name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Runs every sample once and reports the metrics.
 *
 * @param labels  class of each sample, in the order of the data
 * @throws {LowpError} `ERR_DATA_LABELS` when there are fewer or more labels than samples, `ERR_DATA_EMPTY`
 */
export async function evaluate(
  model: Model,
  data: Dataset,
  labels: ArrayLike<number>,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  if (data.length === 0) throw new LowpError('ERR_DATA_EMPTY', `${data.name} has no samples`);
  if (labels.length !== data.length) {
    throw new LowpError(
      'ERR_DATA_LABELS',
      `there are ${labels.length} labels for ${data.length} samples of ${data.name}`,
    );
  }
  const metrics = (options.metrics ?? ['accuracy@1']).map((m) => (typeof m === 'string' ? findMetric(m) : m));
  const runs = metrics.map((m) => ({ name: m.name, run: m.create() }));
  const session: Session = await compile(model, options);
  const started = performance.now();
  let samples = 0;
  options.onProgress?.({ kind: 'phase:start', phase: 'evaluate', total: data.length });
  try {
    for await (const sample of data) {
      throwIfAborted(options.signal);
      const outputs = await session.infer(sample.inputs, options.signal ? { signal: options.signal } : {});
      for (const { run } of runs) run.update(outputs, labels[samples]!);
      samples++;
      options.onProgress?.({ kind: 'phase:progress', phase: 'evaluate', done: samples, total: data.length });
    }
  } finally {
    await session.close();
  }
  options.onProgress?.({ kind: 'phase:done', phase: 'evaluate', ms: performance.now() - started });
  return { samples, metrics: Object.fromEntries(runs.map(({ name, run }) => [name, run.value()])) };
}
