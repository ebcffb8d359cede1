// What a quantization algorithm is: it asks for statistics of the unquantized model, then edits a copy of it.
import type { Engine } from '../engines/engine.ts';
import type { EventListener } from '../events/events.ts';
import type { Model } from '../graph/model.ts';
import type { OutputPort } from '../graph/node.ts';
import type { IgnoredNodes } from '../quantization/ignored-scope.ts';
import type { Roles } from '../quantization/roles.ts';
import type { Batch } from '../statistics/batches.ts';
import type { StatisticRequest, Statistics } from '../statistics/request.ts';
import type { QuantNoise } from './quant-noise-estimator/noise.ts';

/** What all algorithms of one run share. */
export interface AlgorithmContext {
  /** The prepared model that statistics are taken of; nobody edits it. */
  readonly original: Model;
  /** A copy of it with the same node ids; algorithms edit it one after another. */
  readonly work: Model;
  readonly roles: Roles;
  readonly engine: Engine;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: EventListener;
  /** Ids of convolutions whose weights were scaled to align channels: a saturation fix takes them in. */
  readonly aligned: Set<number>;
  /** Most samples that are read. */
  readonly subsetSize: number;
  /** The checked samples from the first one on. Only for algorithms with `readsSamples`. */
  samples(): AsyncIterable<Batch>;
  /** Something the caller should know that is no error. */
  warn(message: string): void;
}

/** What an algorithm tells besides what it changed. */
export interface Findings {
  /** What it left in floating point. */
  readonly ignored?: IgnoredNodes;
  readonly noise?: QuantNoise;
}

/**
 * One step of a quantization. An algorithm that searches or tunes is one that `readsSamples` and runs pipelines of its own
 * on clones of `work`.
 */
export interface Algorithm {
  readonly name: string;
  /**
   * What it makes of `work` is the `original` of the algorithms behind it: they take their statistics of the changed model,
   * in another pass over the samples.
   */
  readonly changesOriginal?: boolean;
  /** It reads samples in `apply`. */
  readonly readsSamples?: boolean;
  /** Statistics of `original` that it needs. Called for all algorithms in order, before any sample is read. */
  request(context: AlgorithmContext): readonly StatisticRequest[];
  /** Edits `work`. Called in order, when the answers are there. */
  apply(context: AlgorithmContext, statistics: Statistics): Promise<void>;
  /** What it found, after it was applied. */
  findings?(): Findings;
}

/** How models are run, as `collectStatistics` takes it. */
export function runOptions({
  engine,
  threads,
  signal,
}: AlgorithmContext): Pick<AlgorithmContext, 'engine' | 'threads' | 'signal'> {
  return { engine, ...(threads === undefined ? {} : { threads }), ...(signal === undefined ? {} : { signal }) };
}

/** The same port in the model that statistics are taken of. */
export function originalPort(port: OutputPort, context: AlgorithmContext): OutputPort {
  return context.original.nodeById.get(port.node.id)!.outputs[port.index]!;
}
