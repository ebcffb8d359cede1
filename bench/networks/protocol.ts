// Messages between the benchmark and the process of one contestant.

/** What a contestant is asked to load. */
export interface Contestant {
  readonly engine: 'lowp' | 'onnxruntime';
  /** Shown in the table: `lowp INT8`. */
  readonly label: string;
  readonly model: string;
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  readonly threads: number;
}

export type Request =
  | { readonly kind: 'load'; readonly contestant: Contestant }
  | { readonly kind: 'turn'; readonly ms: number };

export type Reply =
  | { readonly kind: 'loaded'; readonly createMs: number; readonly rssBytes: number }
  | { readonly kind: 'turn'; readonly latencies: readonly number[] }
  | { readonly kind: 'failed'; readonly message: string };
