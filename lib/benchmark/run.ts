// Measures latency and throughput of models, several in turns within one run.

import type { InputInfo } from '../data/dataset.ts';
import { randomTensor } from '../data/synthetic.ts';
import type { Feeds } from '../engines/engine.ts';
import { compile, type Session, type SessionOptions } from '../engines/session.ts';
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import type { EventListener } from '../events/events.ts';
import { inputName, type Model } from '../graph/model.ts';
import { formatShape, hasRank, type Shape } from '../tensor/shape.ts';
import { ownValue } from '../util/own-value.ts';
import { type LatencySummary, median, ratioInterval, summarize } from './statistics.ts';

export interface BenchmarkOptions extends Omit<SessionOptions, 'shapes'> {
  /** Replaces the first dimension of every input. */
  readonly batch?: number;
  /** Inferences in flight at the same time, over one copy of the weights; each runs on its share of the threads. Default 1. */
  readonly streams?: number;
  /** Measuring time per model. Default 2. */
  readonly seconds?: number;
  /** Input shapes by name, for dynamic inputs. */
  readonly shapes?: Readonly<Record<string, Shape>>;
  readonly onProgress?: EventListener;
}

export interface ModelBenchmark {
  readonly path: string;
  readonly precision: 'FP32' | 'INT8';
  readonly batch: number;
  /** That ran at the same time: as many as were asked for, or as there are threads. */
  readonly streams: number;
  readonly latencyMs: LatencySummary;
  readonly throughputPerSecond: number;
  readonly firstInferenceMs: number;
  readonly compileMs: number;
  /** Of the process after this model was prepared, the models before it included. */
  readonly peakRssBytes: number;
  readonly weightBytes: number;
  readonly ratioToFirst: {
    readonly latencyMedian: number;
    readonly throughput: number;
    readonly ci95: readonly [number, number];
  };
}

interface Runner {
  readonly model: Model;
  readonly session: Session;
  readonly streams: number;
  readonly feeds: Feeds;
  readonly batch: number;
  readonly compileMs: number;
  readonly firstInferenceMs: number;
  readonly peakRssBytes: number;
  readonly latencies: number[];
  /** One median and one throughput a round. */
  readonly rounds: { latency: number; throughput: number }[];
}

/** Turns that each model takes. */
const rounds = 12;

/**
 * Benchmarks models in turns, so that a change of the machine's speed meets all of them alike.
 * `ratioToFirst.latencyMedian` is how many times faster than the first model (first ÷ this), `throughput` this ÷ first.
 */
export async function benchmark(models: readonly Model[], options: BenchmarkOptions = {}): Promise<ModelBenchmark[]> {
  if (models.length === 0) throw new LowpError('ERR_CONFIG_INVALID', 'there is no model to benchmark');
  const runners: Runner[] = [];
  options.onProgress?.({ kind: 'phase:start', phase: 'benchmark', total: rounds * models.length });
  const started = performance.now();
  try {
    for (const model of models) runners.push(await prepare(model, options));
    const slice = ((options.seconds ?? 2) * 1000) / rounds;
    for (let round = 0; round < rounds; round++) {
      for (const [i, runner] of runners.entries()) {
        throwIfAborted(options.signal);
        await measure(runner, slice, options.signal);
        options.onProgress?.({
          kind: 'phase:progress',
          phase: 'benchmark',
          done: round * runners.length + i + 1,
          total: rounds * runners.length,
        });
      }
    }
  } finally {
    for (const runner of runners) await runner.session.close();
  }
  options.onProgress?.({ kind: 'phase:done', phase: 'benchmark', ms: performance.now() - started });
  return runners.map((runner) => result(runner, runners[0]!));
}

async function prepare(model: Model, options: BenchmarkOptions): Promise<Runner> {
  const inputs = benchmarkInputs(model, options);
  const feeds = Object.fromEntries(inputs.map((input, i) => [input.name, randomTensor(input, i)]));
  const shapes = Object.fromEntries(inputs.map((i) => [i.name, i.shape]));
  const run = options.signal ? { signal: options.signal } : {};
  const start = performance.now();
  const session = await compile(model, { ...options, shapes });
  try {
    const { streams } = await session.prepare(shapes);
    const compileMs = performance.now() - start;
    const first = performance.now();
    await session.infer(feeds, run);
    const firstInferenceMs = performance.now() - first;
    await Promise.all(Array.from({ length: streams }, () => session.infer(feeds, run)));
    return {
      model,
      session,
      streams,
      feeds,
      batch: inputs[0]?.shape[0] ?? 1,
      compileMs,
      firstInferenceMs,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      latencies: [],
      rounds: [],
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** One turn: all streams infer until the time is over. */
async function measure(runner: Runner, ms: number, signal: AbortSignal | undefined): Promise<void> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + ms;
  await Promise.all(
    Array.from({ length: runner.streams }, async () => {
      do {
        const before = performance.now();
        await runner.session.infer(runner.feeds, signal ? { signal } : {});
        latencies.push(performance.now() - before);
      } while (performance.now() < end);
    }),
  );
  const elapsed = performance.now() - start;
  runner.latencies.push(...latencies);
  runner.rounds.push({ latency: median(latencies), throughput: (latencies.length * runner.batch * 1000) / elapsed });
}

function result(runner: Runner, first: Runner): ModelBenchmark {
  const throughput = median(runner.rounds.map((r) => r.throughput));
  const latencies = (r: Runner): number[] => r.rounds.map((x) => x.latency);
  return {
    path: runner.model.path ?? runner.model.name,
    precision: isQuantized(runner.model) ? 'INT8' : 'FP32',
    batch: runner.batch,
    streams: runner.streams,
    latencyMs: summarize(runner.latencies),
    throughputPerSecond: throughput,
    firstInferenceMs: runner.firstInferenceMs,
    compileMs: runner.compileMs,
    peakRssBytes: runner.peakRssBytes,
    weightBytes: weightBytes(runner.model),
    ratioToFirst: {
      latencyMedian: median(latencies(first)) / median(latencies(runner)),
      throughput: throughput / median(first.rounds.map((r) => r.throughput)),
      ci95: ratioInterval(latencies(first), latencies(runner)),
    },
  };
}

/** The inputs with static shapes: `shapes` first, then the batch, then the model's own. */
export function benchmarkInputs(model: Model, options: BenchmarkOptions): InputInfo[] {
  return model.parameters().map((p) => {
    const name = inputName(p);
    const own = ownValue(options.shapes ?? {}, name) ?? p.output.fact.shape;
    const shape = own.map((d, i) => (i !== 0 || !hasRank(own) ? d : (options.batch ?? (d < 0 ? 1 : d))));
    if (shape.some((d) => d < 0)) {
      throw new LowpError('ERR_SHAPE_DYNAMIC', `input '${name}' has the dynamic shape ${formatShape(shape)}`, {
        help: hasRank(shape)
          ? `Give a shape, for example --shape ${name}=${shape.map((d) => (d < 0 ? 224 : d)).join()}.`
          : `Give all its sizes, which are as many as the model needs, for example --shape ${name}=1,3,224,224.`,
      });
    }
    return { name, type: p.output.fact.type, shape };
  });
}

/** True when the model has quantizers for activations. */
export function isQuantized(model: Model): boolean {
  for (const node of model.nodeById.values()) if (node.type === 'FakeQuantize') return true;
  return false;
}

/** Bytes of all constants, each once. */
export function weightBytes(model: Model): number {
  const seen = new Set<unknown>();
  let bytes = 0;
  for (const node of model.nodeById.values()) {
    const value = node.type === 'Constant' ? node.output.fact.value : undefined;
    if (!value || seen.has(value.data)) continue;
    seen.add(value.data);
    bytes += value.data.byteLength;
  }
  return bytes;
}
