// What a quantization algorithm is: it asks for statistics of the unquantized model, then edits a copy of it.
import type { Engine } from '../engines/engine.ts';
import type { EventListener } from '../events/events.ts';
import type { Model } from '../graph/model.ts';
import type { Roles } from '../quantization/roles.ts';
import type { StatisticRequest, Statistics } from '../statistics/request.ts';

/** What all algorithms of one run share. */
export interface AlgorithmContext {
  /** The prepared model without quantizers; nobody edits it. */
  readonly original: Model;
  /** A copy of it with the same node ids; algorithms edit it one after another. */
  readonly work: Model;
  readonly roles: Roles;
  readonly engine: Engine;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: EventListener;
  /** Something the caller should know that is no error. */
  warn(message: string): void;
}

/** One step of a quantization. */
export interface Algorithm {
  readonly name: string;
  /** Statistics of `original` that it needs. Called for all algorithms in order, before any sample is read. */
  request(context: AlgorithmContext): readonly StatisticRequest[];
  /** Edits `work`. Called in order, when the answers are there. */
  apply(context: AlgorithmContext, statistics: Statistics): Promise<void>;
}
