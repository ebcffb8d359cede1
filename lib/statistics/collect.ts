// Runs the samples through the model once and answers all statistic requests.
import { ByShape } from '../engines/by-shape.ts';
import type { Engine, Observation, ObservePoint, RunResult } from '../engines/engine.ts';
import { shapesOf } from '../engines/feeds.ts';
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import type { Model } from '../graph/model.ts';
import type { OutputPort } from '../graph/node.ts';
import { inferModel } from '../ops/infer-model.ts';
import { isFloat } from '../tensor/element-type.ts';
import type { Shape } from '../tensor/shape.ts';
import { type Batch, batchOf, largerInputs } from './batches.ts';
import { CollectedStatistics, noData } from './collected.ts';
import { CountingExecutable } from './counting.ts';
import { DataFingerprint } from './fingerprint.ts';
import { type Answer, type CollectPlan, planOf } from './plan.ts';
import type { StatisticRequest } from './request.ts';

export interface CollectOptions {
  readonly engine: Engine;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** The fingerprint of the model: noted, with that of the samples, for a file that is used again. */
  readonly fingerprint?: string;
  /** Called after each batch with the number of samples done. */
  readonly onSample?: (done: number) => void;
}

/** Compiled models kept for different input shapes; at least two, so that the one that runs is not closed for the next. */
const keptShapes = 4;

/**
 * Collects statistics: the model is compiled once per input shape, batches run one by one, and only the reduced numbers
 * are kept. Every sample of a batch counts by itself, so that the answers are those of samples that run alone.
 *
 * @param batches  checked feeds
 * @throws {LowpError} `ERR_DATA_EMPTY` without samples; `ERR_DATA_NOT_FINITE` naming the sample, and the first node whose
 *   value is NaN or infinite where its inputs are not; `ERR_SHAPE_MISMATCH` when an observed channel axis changes its size; `ERR_ABORTED`
 */
export async function collectStatistics(
  model: Model,
  requests: readonly StatisticRequest[],
  batches: AsyncIterable<Batch>,
  options: CollectOptions,
): Promise<CollectedStatistics> {
  const plan = planOf(model, requests);
  const executables = executablesOf(model, plan, options);
  const isObserved = observesInputs(model, plan);
  const fingerprint = options.fingerprint !== undefined ? new DataFingerprint() : undefined;
  let done = 0;
  let inputShapes: Readonly<Record<string, Shape>> = {};
  try {
    for await (const { batch, shapes, items, observations } of runAhead(batches, executables, {
      isObserved,
      signal: options.signal,
    })) {
      const { feeds, samples } = batch;
      throwIfAborted(options.signal);
      inputShapes = largerInputs(inputShapes, shapes);
      if (observations.some((o) => o.nonFinite > 0)) {
        batch.requireFinite?.();
        throw await notFinite(model, batch, done, options);
      }
      for (const answer of plan.answers) {
        const observed = items[answer.point]!;
        take(answer, observations[answer.point]!, { observed, count: observed === 1 ? 1 : samples });
      }
      fingerprint?.add(feeds, samples, batchOf(model, shapes));
      done += samples;
      options.onSample?.(done);
    }
    for (const { executable } of await executables.all()) await executable.handOut();
  } finally {
    await executables.close();
  }
  if (done === 0) {
    throw new LowpError('ERR_DATA_EMPTY', 'the dataset has no samples', {
      help: 'Calibration needs at least one sample.',
    });
  }
  const source = {
    model: options.fingerprint ?? noData,
    data: fingerprint?.digest() ?? noData,
  };
  return new CollectedStatistics({ ...source, samples: done, inputShapes }, [...plan.answers, ...plan.counts]);
}

/** Whether every float that is fed counts as finite or not in some observation. */
function observesInputs(model: Model, plan: CollectPlan): boolean {
  const observed = new Set(plan.points.map((p) => p.port));
  return model.parameters().every(({ output }) => !isFloat(output.fact.type) || observed.has(output));
}

/** Names the node in what an accumulator refuses. */
function take(answer: Answer, ...numbers: Parameters<Answer['take']>): void {
  try {
    answer.take(...numbers);
  } catch (error) {
    if (!(error instanceof LowpError)) throw error;
    const { node } = answer.key;
    throw new LowpError(error.code, `'${node}': ${error.message}`, { node, cause: error });
  }
}

/** A model compiled for one shape of the inputs. */
interface Compiled {
  readonly executable: CountingExecutable;
}

/** The model compiled for the shapes in which samples come. */
function executablesOf(model: Model, plan: CollectPlan, options: CollectOptions): ByShape<Compiled> {
  const { engine, threads, signal } = options;
  const compile = async (shapes: Readonly<Record<string, Shape>>): Promise<Compiled> => {
    const items = itemsOf(model, plan, shapes);
    const observe = plan.points.map((point, i): ObservePoint => ({ ...point, items: items[i]! }));
    const executable = await engine.compile(model, {
      shapes,
      observe,
      outputs: false,
      overwrites: true,
      ...(threads === undefined ? {} : { threads }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { executable: new CountingExecutable(executable, items, plan.counts) };
  };
  return new ByShape(keptShapes, compile, ({ executable }) => executable.handOut());
}

/**
 * How many samples lie along axis 0 of each point's value: the batch B of the inputs when that axis is B times as long as
 * it would be for one sample, or B long in a model that takes no other batch; otherwise 1, the value is reduced as a whole.
 */
function itemsOf(model: Model, plan: CollectPlan, shapes: Readonly<Record<string, Shape>>): number[] {
  const batch = batchOf(model, shapes);
  if (batch === 1) return plan.points.map(() => 1);
  const whole = inferred(model, shapes)!;
  const single = inferred(model, Object.fromEntries(Object.entries(shapes).map(([n, s]) => [n, [1, ...s.slice(1)]])));
  return plan.points.map(({ port, granularity, channelAxis }) => {
    const [size, ...rest] = whole(port);
    if (size === undefined || (granularity === 'perChannel' && (channelAxis === 0 || rest.length === 0))) return 1;
    const alone = single?.(port);
    const scales = alone !== undefined && size === batch * alone[0]! && rest.every((d, i) => d === alone[i + 1]);
    return scales || size === batch ? batch : 1;
  });
}

/** Shapes of ports for some shapes of the inputs; undefined when the model does not take them. */
function inferred(model: Model, shapes: Readonly<Record<string, Shape>>): ((port: OutputPort) => Shape) | undefined {
  const copy = model.clone();
  try {
    inferModel(copy, shapes);
  } catch (error) {
    if (error instanceof LowpError) return undefined;
    throw error;
  }
  return (port) => copy.nodeById.get(port.node.id)!.outputs[port.index]!.fact.shape;
}

/** A run that was begun. */
interface Started {
  readonly batch: Batch;
  /** Of its feeds. */
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly items: readonly number[];
  readonly result: Promise<RunResult>;
}

/** What a batch gave. */
interface Finished extends Omit<Started, 'result'> {
  readonly observations: readonly Observation[];
}

interface RunAheadOptions {
  /** Whether what is fed is observed: then who takes the observations looks for what is not finite. */
  readonly isObserved: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs batches in order. The next one is read, checked and begun before the results of one are handed out, so that the
 * engine computes while they are taken. Observations are valid until the next ones are asked for.
 */
async function* runAhead(
  batches: AsyncIterable<Batch>,
  executables: ByShape<Compiled>,
  { isObserved, signal }: RunAheadOptions,
): AsyncGenerator<Finished> {
  const iterator = batches[Symbol.asyncIterator]();
  const startNext = async (): Promise<Started | undefined> => {
    const { done, value: batch } = await iterator.next();
    if (done) return undefined;
    throwIfAborted(signal);
    if (!isObserved) batch.requireFinite?.();
    const shapes = shapesOf(batch.feeds);
    const { executable } = await executables.get(shapes);
    const result = executable.run(batch, signal ? { signal } : {});
    // Failures are thrown in the order of the batches, by who waits for them.
    result.catch(() => undefined);
    return { batch, shapes, items: executable.items, result };
  };
  let next = startNext();
  try {
    for (;;) {
      const started = await next;
      if (!started) return;
      next = startNext();
      next.catch(() => undefined);
      const { observations } = await resultOf(started);
      const { batch, shapes, items } = started;
      yield { batch, shapes, items, observations };
    }
  } finally {
    await next.catch(() => undefined);
    await iterator.return?.();
  }
}

/** What is wrong with the samples comes before what that made of the run. */
async function resultOf({ batch, result }: Started): Promise<RunResult> {
  try {
    return await result;
  } catch (error) {
    batch.requireFinite?.();
    throw error;
  }
}

/** Runs the batch again with every value observed, to name the first node that breaks. */
async function notFinite(model: Model, batch: Batch, first: number, options: CollectOptions): Promise<LowpError> {
  const observe: ObservePoint[] = model
    .nodes()
    .filter((n) => n.type !== 'Constant' && n.type !== 'Result')
    .flatMap((n) => n.outputs.filter((o) => isFloat(o.fact.type) && o.fact.value === undefined))
    .map((port) => ({ port, granularity: 'perTensor' }));
  const executable = await options.engine.compile(model, { shapes: shapesOf(batch.feeds), observe });
  try {
    const { observations } = await executable.run(batch.feeds);
    const node = observe[observations.findIndex((o) => o.nonFinite > 0)]?.port.node;
    const where = node ? `${node.type} '${node.name}' is the first to compute it` : 'inside the model';
    const last = first + batch.samples - 1;
    const who = last === first ? `sample ${first} makes` : `one of the samples ${first} to ${last} makes`;
    return new LowpError('ERR_DATA_NOT_FINITE', `${who} the model compute NaN or infinity: ${where}`, {
      ...(node ? { node: node.name } : {}),
      help: 'Check how the data is scaled, or leave the node in floating point with the ignored scope.',
    });
  } finally {
    await executable.close();
  }
}
