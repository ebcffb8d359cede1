// Ctrl-C while a command works: exit code 130, said so, nothing half-written.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { demoModel, filesBelow, lowp, temporaryFolder } from '../support/cli.ts';
import { writeGlyphs } from '../support/glyph-data.ts';

const folder = temporaryFolder();
const data = writeGlyphs(folder, 1, 400);
/** Enough work to be interrupted: the reference engine is slow on purpose. */
const slow = ['--device', 'REFERENCE'];

interface Work {
  readonly args: readonly string[];
  /** What `--verbose` says when the work has begun. */
  readonly phase: RegExp;
}

const works: Readonly<Record<string, Work>> = {
  quantize: {
    args: ['quantize', demoModel, '-o', 'out/q.xml', '--data', data.images, '--report', 'out/r.html'],
    phase: /calibrat\w* …/,
  },
  evaluate: {
    args: ['evaluate', demoModel, '--data', data.images, '--labels', data.labels, ...slow],
    phase: /evaluate …/,
  },
  benchmark: { args: ['benchmark', demoModel, '--seconds', '60'], phase: /benchmark …/ },
};

describe('an interrupted', { skip: process.platform === 'win32' && 'signals end a process at once on Windows' }, () => {
  for (const [name, { args, phase }] of Object.entries(works)) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      it(`${name} ends with 130 after ${signal} and leaves nothing`, { timeout: 60_000 }, async () => {
        const cwd = path.join(folder);
        const before = filesBelow(cwd);
        let sent = false;
        const result = await lowp([...args, '--verbose', '--json'], {
          cwd,
          onStderr(text, child) {
            if (sent || !phase.test(text)) return;
            sent = true;
            child.kill(signal);
          },
        });
        assert.ok(sent, result.stderr);
        assert.equal(result.exit, 130, result.stderr);
        assert.match(result.stderr, /Interrupted\./);
        const { error } = JSON.parse(result.stdout) as { error: { code: string } };
        assert.equal(error.code, 'ERR_ABORTED');
        assert.deepEqual(filesBelow(cwd), before);
      });
    }
  }
});
