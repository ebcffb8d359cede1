// A model, labelled data and metrics give numbers.
import type { Dataset, Sample } from '../data/dataset.ts';
import type { Truths } from '../data/truths.ts';
import { compile, type Session, type SessionOptions } from '../engines/session.ts';
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import type { EventListener } from '../events/events.ts';
import type { Model } from '../graph/model.ts';
import { findMetric, type Metric, type Truth } from '../metrics/index.ts';
import { findPostprocessor, type Outputs, type Postprocessor } from '../predictions/index.ts';

export interface EvaluateOptions extends SessionOptions {
  /** Default `accuracy@1`. */
  readonly metrics?: readonly (string | Metric)[];
  /** Makes what the metrics read of the outputs: a function, or a name with options as in dataset files. */
  readonly postprocess?: Postprocessor | string | Readonly<Record<string, unknown>>;
  /** Its predictions are the truth when no labels are given: the first output after `postprocess`. */
  readonly reference?: Model;
  readonly onProgress?: EventListener;
}

export interface Evaluation {
  readonly samples: number;
  /** By metric name: fractions, or decibels. */
  readonly metrics: Readonly<Record<string, number>>;
  /** By metric name: the metric of each sample alone, of metrics that have it. */
  readonly perSample: Readonly<Record<string, readonly number[]>>;
}

/**
 * Runs every sample once and reports the metrics. Samples do not follow each other: a model with state begins anew with each.
 *
 * @param labels  what is right for each sample, in the order of the data; undefined with `reference`
 * @throws {LowpError} `ERR_DATA_LABELS` when there are fewer or more labels than samples, or none; `ERR_DATA_EMPTY`
 */
export async function evaluate(
  model: Model,
  data: Dataset,
  labels: ArrayLike<number> | Truths | undefined,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  if (data.length === 0) throw new LowpError('ERR_DATA_EMPTY', `${data.name} has no samples`);
  checkLabels(data, labels, options);
  const metrics = (options.metrics ?? ['accuracy@1']).map((m) => (typeof m === 'string' ? findMetric(m) : m));
  const runs = metrics.map((m) => ({ name: m.name, run: m.create() }));
  const postprocess = postprocessorOf(options.postprocess);
  const sessions: Session[] = [await compile(model, options)];
  const started = performance.now();
  let samples = 0;
  options.onProgress?.({ kind: 'phase:start', phase: 'evaluate', total: data.length });
  try {
    if (!labels) sessions.push(await compile(options.reference!, options));
    const infer = async (session: Session, sample: Sample): Promise<Outputs> => {
      if (session.state.size > 0) await session.resetState();
      return postprocess(await session.infer(sample.inputs, options.signal ? { signal: options.signal } : {}), sample);
    };
    for await (const sample of data) {
      throwIfAborted(options.signal);
      const outputs = await infer(sessions[0]!, sample);
      const truth = labels ? await truthAt(labels, samples, sample) : firstOf(await infer(sessions[1]!, sample));
      for (const { run } of runs) run.update(outputs, truth);
      samples++;
      options.onProgress?.({ kind: 'phase:progress', phase: 'evaluate', done: samples, total: data.length });
    }
  } finally {
    for (const session of sessions) await session.close();
  }
  options.onProgress?.({ kind: 'phase:done', phase: 'evaluate', ms: performance.now() - started });
  return {
    samples,
    metrics: Object.fromEntries(runs.map(({ name, run }) => [name, run.value()])),
    perSample: Object.fromEntries(runs.flatMap(({ name, run }) => (run.perSample ? [[name, run.perSample()]] : []))),
  };
}

function checkLabels(data: Dataset, labels: ArrayLike<number> | Truths | undefined, options: EvaluateOptions): void {
  if (!labels && !options.reference)
    throw new LowpError('ERR_DATA_LABELS', `there are no labels for ${data.name}, and no model to compare with`);
  if (labels && options.reference)
    throw new LowpError('ERR_CONFIG_INVALID', 'labels and a reference model were given; the truth is one of them');
  if (labels && labels.length !== data.length) {
    throw new LowpError(
      'ERR_DATA_LABELS',
      `there are ${labels.length} labels for ${data.length} samples of ${data.name}`,
    );
  }
}

function postprocessorOf(what: EvaluateOptions['postprocess']): Postprocessor {
  if (what === undefined) return (outputs) => outputs;
  return typeof what === 'function' ? what : findPostprocessor(what);
}

function truthAt(labels: ArrayLike<number> | Truths, index: number, sample: Sample): Truth | Promise<Truth> {
  return isTruths(labels) ? labels.at(index, sample) : labels[index]!;
}

function isTruths(labels: ArrayLike<number> | Truths): labels is Truths {
  return !(Array.isArray(labels) || ArrayBuffer.isView(labels)) && 'at' in labels;
}

function firstOf(outputs: Outputs): Truth {
  const first = Object.values(outputs)[0];
  if (!first) throw new LowpError('ERR_DATA_LABELS', 'the reference model has no output');
  return first;
}
