// Memory that the engine refuses, as an error of lowp.
import { LowpError } from './lowp-error.ts';

const messages = /^(Invalid (typed )?array (buffer )?length|Array buffer allocation failed)/;

/**
 * What `work` gives.
 *
 * @throws {LowpError} `ERR_LIMIT_SIZE` when an array cannot be as long as asked for, or there is no memory for it
 */
export function withinMemory<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError) || !messages.test(error.message)) throw error;
    throw new LowpError('ERR_LIMIT_SIZE', `an array that is needed cannot be had: ${error.message}`, {
      help: 'Make the tensors smaller, or give the process more memory.',
      cause: error,
    });
  }
}
