// Regular expressions of RE2's syntax whose time is linear in the text: patterns come from model files.
import { createRequire } from 'node:module';
import type * as Re2 from 're2js';
import { LowpError } from '../../errors/lowp-error.ts';

const require = createRequire(import.meta.url);

/**
 * A test for texts that a pattern matches from their first character to their last one. It takes time in proportion to
 * the length of the text times that of the pattern, whose repetitions RE2 bounds.
 *
 * @throws {LowpError} `ERR_OP_ATTRIBUTE` for a pattern that RE2 refuses
 */
export function fullMatcher(pattern: string): (text: string) => boolean {
  // A few networks have patterns; the others need not load the package.
  const { RE2JS, RE2JSException } = require('re2js') as typeof Re2;
  try {
    const expression = RE2JS.compile(pattern);
    return (text) => expression.matches(text);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const help = 'RE2 has neither references nor looking ahead: see https://github.com/google/re2/wiki/Syntax.';
    throw new LowpError('ERR_OP_ATTRIBUTE', `the regular expression ${JSON.stringify(pattern)}: ${error.message}`, {
      help,
      cause: error,
    });
  }
}
