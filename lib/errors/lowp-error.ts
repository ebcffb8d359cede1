// The one error class that users see.
import { codes, type ErrorCode } from './codes.ts';

/** Where an error happened, and what the reader can do about it. */
export interface ErrorDetails {
  /** What to do about it, one sentence. */
  readonly help?: string;
  /** The file that was read or written. */
  readonly path?: string;
  /** The node of the model. */
  readonly node?: string;
  readonly cause?: unknown;
}

/**
 * The only error that lowp throws for bad input. The message says what was read, what was expected and where;
 * `code` is stable and documented in `docs/reference/errors.md`.
 */
export class LowpError extends Error {
  readonly code: ErrorCode;
  readonly help?: string;
  readonly path?: string;
  readonly node?: string;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'LowpError';
    this.code = code;
    if (details.help !== undefined) this.help = details.help;
    if (details.path !== undefined) this.path = details.path;
    if (details.node !== undefined) this.node = details.node;
  }

  /** The exit code that the command line uses for this error. */
  get exitCode(): number {
    return codes[this.code].exit;
  }

  toJSON(): Record<string, unknown> {
    return { code: this.code, message: this.message, help: this.help, path: this.path, node: this.node };
  }
}

/** Rejects with the reason of an aborted signal, as `ERR_ABORTED`. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new LowpError('ERR_ABORTED', 'interrupted', { cause: signal.reason });
}
