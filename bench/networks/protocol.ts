// Messages between the benchmark and the process of one contestant.

/** What a contestant is asked to load. */
export interface Contestant {
  readonly engine: 'lowp' | 'onnxruntime';
  /** Shown in the table: `lowp INT8`. */
  readonly label: string;
  readonly model: string;
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  readonly threads: number;
  /** The highest instruction set that lowp may use; ONNX Runtime cannot be limited. */
  readonly maxIsa?: string;
  /** The folder of the lowp that runs, with its `dist`; the benchmark's own when absent. */
  readonly tree?: string;
  /** Overwrites the caches before every inference. */
  readonly cold?: boolean;
}

export type Request =
  | { readonly kind: 'load'; readonly contestant: Contestant }
  | { readonly kind: 'turn'; readonly ms: number };

export type Reply =
  | { readonly kind: 'loaded'; readonly createMs: number; readonly rssBytes: number }
  | {
      readonly kind: 'turn';
      /** Milliseconds of every inference. */
      readonly latencies: readonly number[];
      /** Milliseconds of the calibration loop in front of the turn and behind it. */
      readonly calibration: readonly number[];
    }
  | { readonly kind: 'failed'; readonly message: string };
