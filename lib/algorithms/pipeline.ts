// Runs algorithms one after another; those that look at the same model share one collection of statistics.
import type { Feeds } from '../engines/engine.ts';
import { InvariantError } from '../errors/assert.ts';
import { throwIfAborted } from '../errors/lowp-error.ts';
import { collectStatistics } from '../statistics/collect.ts';
import type { StatisticRequest, Statistics } from '../statistics/request.ts';
import type { Algorithm, AlgorithmContext } from './algorithm.ts';
import { Replay } from './replay.ts';

/** How long each part took, in seconds, and the number of samples used. */
export interface PipelineResult {
  readonly samples: number;
  readonly calibrateSeconds: number;
  /** Seconds by algorithm name. */
  readonly applySeconds: Readonly<Record<string, number>>;
}

/** What a pipeline is given; it adds the rest. */
export type PipelineContext = Omit<AlgorithmContext, 'aligned' | 'samples' | 'subsetSize'>;

/**
 * Applies algorithms in order. They form stages: one that `changesOriginal` is the last of its stage. For each stage the
 * requests of all its algorithms are merged, and the samples run once through the model as it was when the stage began.
 * Emits `phase:*` for `calibrate` and for each algorithm.
 *
 * @param source  samples as feeds; a generator is kept in memory when it has to be read more than once
 * @param total   number of samples that will be read at most
 */
export async function runPipeline(
  algorithms: readonly Algorithm[],
  context: PipelineContext,
  source: AsyncIterable<Feeds>,
  total: number,
): Promise<PipelineResult> {
  const stages = stagesOf(algorithms);
  const replay = new Replay(source);
  const aligned = new Set<number>();
  const applySeconds: Record<string, number> = {};
  let used = 0;
  let calibrateSeconds = 0;
  for (const [i, stage] of stages.entries()) {
    const original = i === 0 ? context.original : context.work.clone();
    const staged: AlgorithmContext = { ...context, original, aligned, subsetSize: total, samples: () => replay.read() };
    const isLast = i === stages.length - 1 && !stage.some((algorithm) => algorithm.readsSamples);
    const requests = stage.flatMap((algorithm) => algorithm.request(staged));
    const start = performance.now();
    const statistics =
      requests.length > 0 ? await collect(staged, requests, replay.read(isLast), total) : nothingCollected;
    calibrateSeconds += (performance.now() - start) / 1000;
    used = Math.max(used, statistics.samples);
    for (const algorithm of stage) applySeconds[algorithm.name] = await applyTimed(algorithm, staged, statistics);
  }
  return { samples: used, calibrateSeconds, applySeconds };
}

function stagesOf(algorithms: readonly Algorithm[]): Algorithm[][] {
  const stages: Algorithm[][] = [[]];
  for (const algorithm of algorithms) {
    stages.at(-1)!.push(algorithm);
    if (algorithm.changesOriginal) stages.push([]);
  }
  return stages.filter((stage) => stage.length > 0);
}

async function collect(
  context: AlgorithmContext,
  requests: readonly StatisticRequest[],
  samples: AsyncIterable<Feeds>,
  total: number,
): Promise<Statistics> {
  const { engine, threads, signal, onEvent } = context;
  const start = performance.now();
  onEvent?.({ kind: 'phase:start', phase: 'calibrate', total });
  const statistics = await collectStatistics(context.original, requests, samples, {
    engine,
    ...(threads === undefined ? {} : { threads }),
    ...(signal === undefined ? {} : { signal }),
    onSample: (done) => onEvent?.({ kind: 'phase:progress', phase: 'calibrate', done, total }),
  });
  onEvent?.({ kind: 'phase:done', phase: 'calibrate', ms: performance.now() - start });
  return statistics;
}

async function applyTimed(algorithm: Algorithm, context: AlgorithmContext, statistics: Statistics): Promise<number> {
  throwIfAborted(context.signal);
  const from = performance.now();
  context.onEvent?.({ kind: 'phase:start', phase: algorithm.name });
  await algorithm.apply(context, statistics);
  const ms = performance.now() - from;
  context.onEvent?.({ kind: 'phase:done', phase: algorithm.name, ms });
  return ms / 1000;
}

/** For stages whose algorithms ask for nothing: no sample is read. */
const nothingCollected: Statistics = {
  samples: 0,
  inputShapes: {},
  get: (request) => {
    throw new InvariantError(`a statistic of '${request.port.node.name}' was not requested`);
  },
};
