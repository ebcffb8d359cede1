import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { codes, type ErrorCode } from '../../lib/errors/codes.ts';
import { LowpError, throwIfAborted } from '../../lib/errors/lowp-error.ts';
import { repositoryRoot } from '../support/shared-folder.ts';

const exits = [1, 2, 3, 4, 5, 6, 7, 8, 130];

/** All sources of lib/ but the table of codes. */
function sources(): string {
  const lib = path.join(repositoryRoot(), 'lib');
  const files = readdirSync(lib, { recursive: true }).map(String);
  return files
    .filter((f) => f.endsWith('.ts') && f !== path.join('errors', 'codes.ts'))
    .map((f) => readFileSync(path.join(lib, f), 'utf8'))
    .join('\n');
}

test('every code has a known exit code and a sentence', () => {
  for (const [code, { exit, meaning }] of Object.entries(codes)) {
    assert.match(code, /^ERR(_[A-Z0-9]+)+$/);
    assert.ok(exits.includes(exit), code);
    assert.match(meaning, /^[A-Z].*\.$/, code);
  }
});

test('every code is thrown somewhere in lib', () => {
  const text = sources();
  const unused = Object.keys(codes).filter((code) => !text.includes(`'${code}'`));
  assert.deepEqual(unused, []);
});

test('an error carries its code, its exit code and what helps, also as JSON', () => {
  const cause = new Error('inner');
  const error = new LowpError('ERR_IO_READ', 'a cannot be read', { path: 'a', help: 'Try b.', cause });
  assert.equal(error.exitCode, 8);
  assert.equal(error.cause, cause);
  assert.deepEqual(JSON.parse(JSON.stringify(error)), {
    code: 'ERR_IO_READ',
    message: 'a cannot be read',
    help: 'Try b.',
    path: 'a',
  });
});

test('an aborted signal becomes ERR_ABORTED with its reason', () => {
  throwIfAborted(undefined);
  throwIfAborted(new AbortController().signal);
  const reason = new Error('enough');
  assert.throws(
    () => throwIfAborted(AbortSignal.abort(reason)),
    (e) => e instanceof LowpError && e.code === ('ERR_ABORTED' satisfies ErrorCode) && e.cause === reason,
  );
});
