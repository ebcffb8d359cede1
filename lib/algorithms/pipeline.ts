// Runs algorithms one after another; those that look at the same model share one collection of statistics.
import { InvariantError } from '../errors/assert.ts';
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import type { Roles } from '../quantization/roles.ts';
import type { Batch } from '../statistics/batches.ts';
import { type CollectOptions, collectStatistics } from '../statistics/collect.ts';
import type { StatisticRequest, Statistics } from '../statistics/request.ts';
import type { StatisticsStore } from '../statistics/store.ts';
import { type Algorithm, type AlgorithmContext, runOptions } from './algorithm.ts';
import { Replay } from './replay.ts';

/** How long each part took, in seconds, and the number of samples used. */
export interface PipelineResult {
  readonly samples: number;
  readonly calibrateSeconds: number;
  /** Seconds by algorithm name. */
  readonly applySeconds: Readonly<Record<string, number>>;
}

/** What a pipeline is given; it adds the rest. */
export interface PipelineContext extends Omit<AlgorithmContext, 'aligned' | 'samples' | 'subsetSize'> {
  /** Statistics of earlier runs, which are used instead of running the model where they suffice. */
  readonly store?: StatisticsStore;
  /** Pipelines of other runs that may use the same store: what they ask for is collected together. */
  readonly variants?: readonly PipelineVariant[];
}

/** Algorithms as another run would have them. */
export interface PipelineVariant {
  readonly algorithms: readonly Algorithm[];
  readonly roles: Roles;
}

/**
 * Applies algorithms in order. They form stages: one that `changesOriginal` is the last of its stage. For each stage the
 * requests of all its algorithms are merged, and the samples run once through the model as it was when the stage began.
 * Emits `phase:*` for `calibrate` and for each algorithm.
 *
 * @param source  checked samples; a generator is kept in memory when it has to be read more than once. Undefined: the
 *   store has to hold all statistics
 * @param total   number of samples that will be read at most
 */
export async function runPipeline(
  algorithms: readonly Algorithm[],
  context: PipelineContext,
  source: AsyncIterable<Batch> | undefined,
  total: number,
): Promise<PipelineResult> {
  const stages = stagesOf(algorithms);
  const replay = source && new Replay(source);
  const samples = (): AsyncIterable<Batch> => {
    if (replay) return replay.read();
    throw new LowpError('ERR_DATA_EMPTY', 'an algorithm reads samples, and none were given');
  };
  context.store?.requireModel(context.original);
  const aligned = new Set<number>();
  const applySeconds: Record<string, number> = {};
  let used = 0;
  let calibrateSeconds = 0;
  for (const [i, stage] of stages.entries()) {
    const original = i === 0 ? context.original : context.work.clone();
    const staged: AlgorithmContext = { ...context, original, aligned, subsetSize: total, samples };
    const isLast = i === stages.length - 1 && !stage.some((algorithm) => algorithm.readsSamples);
    const requests = stage.flatMap((algorithm) => algorithm.request(staged));
    const start = performance.now();
    const needed = { requests, more: () => requestsOfVariants(context, staged, i) };
    const statistics =
      requests.length > 0
        ? await collect(staged, needed, replay?.read(isLast), total, context.store)
        : nothingCollected;
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

/** What the stage of the same number asks for in the variants; those that cannot be had for this model are left out. */
function requestsOfVariants(
  { variants = [] }: PipelineContext,
  staged: AlgorithmContext,
  stage: number,
): StatisticRequest[] {
  return variants.flatMap(({ algorithms, roles }) => {
    const context = { ...staged, roles, work: staged.original.clone(), warn: () => undefined };
    try {
      return stagesOf(algorithms)[stage]?.flatMap((algorithm) => algorithm.request(context)) ?? [];
    } catch (error) {
      if (error instanceof LowpError) return [];
      throw error;
    }
  });
}

async function collect(
  context: AlgorithmContext,
  { requests, more }: { readonly requests: readonly StatisticRequest[]; readonly more: () => StatisticRequest[] },
  batches: AsyncIterable<Batch> | undefined,
  total: number,
  store: StatisticsStore | undefined,
): Promise<Statistics> {
  const { onEvent } = context;
  const start = performance.now();
  onEvent?.({ kind: 'phase:start', phase: 'calibrate', total });
  const options: CollectOptions = {
    ...runOptions(context),
    onSample: (done) => onEvent?.({ kind: 'phase:progress', phase: 'calibrate', done, total }),
  };
  const statistics = store
    ? await store.answer({ model: context.original, needed: requests, more, batches }, options)
    : await collectStatistics(context.original, requests, batches ?? noBatches(), options);
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

async function* noBatches(): AsyncGenerator<Batch> {}

/** For stages whose algorithms ask for nothing: no sample is read. */
const nothingCollected: Statistics = {
  samples: 0,
  inputShapes: {},
  get: (request) => {
    throw new InvariantError(`a statistic of '${request.port.node.name}' was not requested`);
  },
};
