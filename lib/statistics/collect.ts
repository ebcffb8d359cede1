// Runs the samples through the model once and answers all statistic requests.
import type { Engine, Executable, Feeds, Observation, ObservePoint } from '../engines/engine.ts';
import { invariant } from '../errors/assert.ts';
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import type { Model } from '../graph/model.ts';
import type { OutputPort } from '../graph/node.ts';
import { isFloat } from '../tensor/element-type.ts';
import type { Shape } from '../tensor/shape.ts';
import { type Accumulator, accumulatorFor } from './aggregators.ts';
import { isNotFinite, quantilesOf } from './quantiles.ts';
import type { StatisticRequest, Statistics } from './request.ts';

export interface CollectOptions {
  readonly engine: Engine;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Called after each sample with the number of samples done. */
  readonly onSample?: (done: number) => void;
}

/** Compiled models kept for different input shapes. */
const keptShapes = 4;

/**
 * Collects statistics: the model is compiled once per input shape, samples run one by one, and only the reduced numbers
 * are kept.
 *
 * @param samples  checked feeds
 * @throws {LowpError} `ERR_DATA_EMPTY` without samples; `ERR_DATA_NOT_FINITE` naming the sample and the first node whose
 *   value is NaN or infinite; `ERR_ABORTED`
 */
export async function collectStatistics(
  model: Model,
  requests: readonly StatisticRequest[],
  samples: AsyncIterable<Feeds>,
  options: CollectOptions,
): Promise<Statistics> {
  const plan = planOf(model, requests);
  const executables = new Executables(model, plan, options);
  let done = 0;
  let inputShapes: Readonly<Record<string, Shape>> = {};
  try {
    for await (const feeds of readAhead(samples)) {
      throwIfAborted(options.signal);
      if (done === 0) inputShapes = shapesOf(feeds);
      const executable = await executables.get(feeds);
      const { observations, taps } = await executable.run(feeds, options.signal ? { signal: options.signal } : {});
      const isBroken = observations.some((o) => o.nonFinite > 0) || taps.some(isNotFinite);
      if (isBroken) throw await notFinite(model, feeds, done, options);
      for (const answer of plan.answers) answer.accumulator.add(answer.read(observations, taps));
      done++;
      options.onSample?.(done);
    }
  } finally {
    await executables.close();
  }
  if (done === 0) {
    throw new LowpError('ERR_DATA_EMPTY', 'the dataset has no samples', {
      help: 'Calibration needs at least one sample.',
    });
  }
  const results = new Map(plan.answers.map((a) => [a.key, a.accumulator.result()]));
  return {
    samples: done,
    inputShapes,
    get: (request) => {
      const result = results.get(keyOf(request));
      invariant(result, `the statistic ${keyOf(request)} was not requested`);
      return result;
    },
  };
}

interface Answer {
  readonly key: string;
  readonly accumulator: Accumulator;
  read(observations: readonly Observation[], taps: Awaited<ReturnType<Executable['run']>>['taps']): Float32Array;
}

/** What to compile for, and how each request reads its numbers from a run. Equal requests are answered once. */
interface CollectPlan {
  readonly observe: readonly ObservePoint[];
  readonly taps: readonly OutputPort[];
  readonly answers: readonly Answer[];
}

function planOf(model: Model, requests: readonly StatisticRequest[]): CollectPlan {
  const points = new Map<string, PlannedPoint>();
  const perChannel = new Map<OutputPort, StatisticRequest>();
  for (const r of requests) if (r.granularity === 'perChannel' && !('share' in r.statistic)) perChannel.set(r.port, r);
  const pointOf = (request: StatisticRequest): PlannedPoint => {
    // Extremes of the whole value are those of its channels: one pass answers both, and may go together with the pass
    // over the value in front of an activation, which is observed by channel.
    const isExtreme = request.granularity === 'perTensor' && request.statistic.kind !== 'mean';
    const byChannel = perChannel.get(request.port) ?? (isImage(request.port) ? channelsOf(request) : request);
    const source = isExtreme ? byChannel : request;
    const pointKey = placeOf(source);
    const { port, granularity, channelAxis } = source;
    const place = { granularity, ...(channelAxis === undefined ? {} : { channelAxis }) };
    const found = points.get(pointKey) ?? { index: points.size, point: { port, ...place } };
    points.set(pointKey, found);
    return found;
  };
  const taps = new Map<OutputPort, number>();
  const answers = new Map<string, Answer>();
  for (const request of requests) {
    const { port, granularity, channelAxis, statistic, aggregator } = request;
    invariant(
      model.nodeById.get(port.node.id) === port.node,
      `'${port.node.name}' is not a node of the observed model`,
    );
    const key = keyOf(request);
    if (answers.has(key)) continue;
    const accumulator = accumulatorFor(aggregator);
    const place = { granularity, ...(channelAxis === undefined ? {} : { channelAxis }) };
    if ('share' in statistic) {
      const at = taps.get(port) ?? taps.size;
      taps.set(port, at);
      const how = { ...place, share: statistic.share, isAbsolute: statistic.kind === 'absQuantile' };
      answers.set(key, { key, accumulator, read: (_, values) => quantilesOf(values[at]!, how) });
      continue;
    }
    const point = pointOf(request);
    answers.set(key, { key, accumulator, read: readerOf(statistic.kind, granularity, point) });
  }
  return {
    observe: [...points.values()].map((p) => p.point),
    taps: [...taps.keys()],
    answers: [...answers.values()],
  };
}

function isImage(port: OutputPort): boolean {
  return port.fact.shape.length >= 4;
}

function channelsOf(request: StatisticRequest): StatisticRequest {
  return { ...request, granularity: 'perChannel', channelAxis: 1 };
}

interface PlannedPoint {
  readonly index: number;
  readonly point: ObservePoint;
}

/** Reads a statistic from its point, which may be finer than what was asked for. */
function readerOf(
  kind: 'min' | 'max' | 'absMax' | 'mean',
  granularity: StatisticRequest['granularity'],
  { index, point }: PlannedPoint,
): Answer['read'] {
  if (granularity === point.granularity) return (observations) => observations[index]![kind];
  const isLeast = kind === 'min';
  return (observations) => {
    const values = observations[index]![kind];
    let found = values[0] ?? 0;
    for (let c = 1; c < values.length; c++) if (isLeast ? values[c]! < found : values[c]! > found) found = values[c]!;
    return Float32Array.of(found);
  };
}

function placeOf(request: StatisticRequest): string {
  const axis = request.granularity === 'perChannel' ? (request.channelAxis ?? 1) : '';
  return `${request.port.node.id}.${request.port.index} ${request.granularity}${axis}`;
}

function keyOf(request: StatisticRequest): string {
  const { statistic, aggregator } = request;
  return `${placeOf(request)} ${statistic.kind}${'share' in statistic ? statistic.share : ''} ${aggregator}`;
}

/** The model compiled for the shapes in which samples come. */
class Executables {
  private readonly model: Model;
  private readonly plan: CollectPlan;
  private readonly options: CollectOptions;
  private readonly byShape = new Map<string, Executable>();

  constructor(model: Model, plan: CollectPlan, options: CollectOptions) {
    this.model = model;
    this.plan = plan;
    this.options = options;
  }

  async get(feeds: Feeds): Promise<Executable> {
    const shapes = shapesOf(feeds);
    const key = JSON.stringify(shapes);
    const known = this.byShape.get(key);
    if (known) return known;
    const [oldest] = this.byShape;
    if (oldest && this.byShape.size >= keptShapes) {
      this.byShape.delete(oldest[0]);
      await oldest[1].close();
    }
    const { engine, threads, signal } = this.options;
    const executable = await engine.compile(this.model, {
      shapes,
      observe: this.plan.observe,
      taps: this.plan.taps,
      ...(threads === undefined ? {} : { threads }),
      ...(signal === undefined ? {} : { signal }),
    });
    this.byShape.set(key, executable);
    return executable;
  }

  async close(): Promise<void> {
    for (const executable of this.byShape.values()) await executable.close();
    this.byShape.clear();
  }
}

function shapesOf(feeds: Feeds): Record<string, Shape> {
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, tensor.shape]));
}

/** Reads one sample ahead, so that reading and running overlap. */
async function* readAhead(samples: AsyncIterable<Feeds>): AsyncGenerator<Feeds> {
  const iterator = samples[Symbol.asyncIterator]();
  let pending = iterator.next();
  try {
    for (;;) {
      const { done, value } = await pending;
      if (done) return;
      pending = iterator.next();
      pending.catch(() => undefined);
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Runs the sample again with every value observed, to name the first node that breaks. */
async function notFinite(model: Model, feeds: Feeds, sample: number, options: CollectOptions): Promise<LowpError> {
  const observe: ObservePoint[] = model
    .nodes()
    .filter((n) => n.type !== 'Constant' && n.type !== 'Result')
    .flatMap((n) => n.outputs.filter((o) => isFloat(o.fact.type) && o.fact.value === undefined))
    .map((port) => ({ port, granularity: 'perTensor' }));
  const shapes = shapesOf(feeds);
  const executable = await options.engine.compile(model, { shapes, observe });
  try {
    const { observations } = await executable.run(feeds);
    const first = observe[observations.findIndex((o) => o.nonFinite > 0)]?.port.node;
    const where = first ? `${first.type} '${first.name}' is the first to compute it` : 'inside the model';
    return new LowpError('ERR_DATA_NOT_FINITE', `sample ${sample} makes the model compute NaN or infinity: ${where}`, {
      ...(first ? { node: first.name } : {}),
      help: 'Check how the data is scaled, or leave the node in floating point with the ignored scope.',
    });
  } finally {
    await executable.close();
  }
}
