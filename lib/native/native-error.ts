// Errors of the addon as errors of lowp.
import type { ErrorCode } from '../errors/codes.ts';
import { LowpError } from '../errors/lowp-error.ts';

const codeOf: Readonly<Record<string, ErrorCode>> = {
  invalid: 'ERR_PROGRAM_INVALID',
  unsupported: 'ERR_NATIVE_UNSUPPORTED',
  memory: 'ERR_NATIVE_MEMORY',
  aborted: 'ERR_ABORTED',
  closed: 'ERR_RUN_CLOSED',
  internal: 'ERR_INTERNAL',
  index: 'ERR_SHAPE_MISMATCH',
};

/** An error of the addon as a `LowpError`; anything else as it is. `invalid` may name another code than a bad program. */
export function fromNative(error: unknown, invalid: ErrorCode = 'ERR_PROGRAM_INVALID'): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  const code = error.code === 'invalid' ? invalid : codeOf[error.code];
  return code === undefined ? error : new LowpError(code, error.message, { cause: error });
}
