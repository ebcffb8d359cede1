// Runs algorithms one after another over one collection of statistics.
import type { Feeds } from '../engines/engine.ts';
import { throwIfAborted } from '../errors/lowp-error.ts';
import { collectStatistics } from '../statistics/collect.ts';
import type { Algorithm, AlgorithmContext } from './algorithm.ts';

/** How long each part took, in seconds, and the number of samples used. */
export interface PipelineResult {
  readonly samples: number;
  readonly calibrateSeconds: number;
  /** Seconds by algorithm name. */
  readonly applySeconds: Readonly<Record<string, number>>;
}

/**
 * Merges the requests of all algorithms, runs the samples through the unquantized model once, and applies the algorithms
 * in order. Emits `phase:*` for `calibrate` and for each algorithm.
 *
 * @param total  number of samples that will be read at most, for progress
 */
export async function runPipeline(
  algorithms: readonly Algorithm[],
  context: AlgorithmContext,
  samples: AsyncIterable<Feeds>,
  total: number,
): Promise<PipelineResult> {
  const { engine, threads, signal, onEvent } = context;
  const requests = algorithms.flatMap((algorithm) => algorithm.request(context));
  const start = performance.now();
  onEvent?.({ kind: 'phase:start', phase: 'calibrate', total });
  const statistics = await collectStatistics(context.original, requests, samples, {
    engine,
    ...(threads === undefined ? {} : { threads }),
    ...(signal === undefined ? {} : { signal }),
    onSample: (done) => onEvent?.({ kind: 'phase:progress', phase: 'calibrate', done, total }),
  });
  const calibrated = performance.now();
  onEvent?.({ kind: 'phase:done', phase: 'calibrate', ms: calibrated - start });
  const applySeconds: Record<string, number> = {};
  for (const algorithm of algorithms) {
    throwIfAborted(signal);
    const from = performance.now();
    onEvent?.({ kind: 'phase:start', phase: algorithm.name });
    await algorithm.apply(context, statistics);
    const ms = performance.now() - from;
    applySeconds[algorithm.name] = ms / 1000;
    onEvent?.({ kind: 'phase:done', phase: algorithm.name, ms });
  }
  return { samples: statistics.samples, calibrateSeconds: (calibrated - start) / 1000, applySeconds };
}
