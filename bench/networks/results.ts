// The JSON of npm run bench.
import type { Host } from '../host.ts';
import type { Ratio } from '../statistics.ts';
import type { Measurement } from './interleave.ts';

/** What one setting of one network gave. */
export interface Row {
  readonly network: string;
  readonly batch: number;
  readonly threads: number;
  /** The highest instruction set of lowp. */
  readonly isa: string;
  readonly caches: 'warm' | 'cold';
  readonly cpus: readonly number[] | undefined;
  /** Rounds that were measured again because the machine was disturbed, and disturbed ones that count. */
  readonly repeated: number;
  readonly disturbed: number;
  readonly measurements: readonly Measurement[];
  readonly ratios: Readonly<Record<string, Ratio>>;
}

export interface NetworksDocument {
  readonly schemaVersion: 2;
  readonly kind: 'networks';
  readonly host: Host;
  /** Rounds that count for every row. */
  readonly rounds: number;
  readonly rows: readonly Row[];
}
