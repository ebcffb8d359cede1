import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { addonPath } from '../../lib/native/binding.ts';
import { ProgramBuilder } from '../../lib/program/builder.ts';
import { serialize } from '../../lib/program/serialize.ts';

const elements = 4 << 20;

/** Runs a script with `session` (whose run takes long) and `output` defined; its exit code, signal and output. */
function runScript(text: string): { status: number | null; signal: string | null; stdout: string; stderr: string } {
  const builder = new ProgramBuilder();
  const out = builder.output('y', 'f32', [elements]);
  for (let i = 0; i < 300; i++) builder.call('fill', { elements, value: i }, { name: `fill ${i}`, in: [], out: [out] });
  const bytes = Buffer.from(serialize(builder.finish()).bytes).toString('base64');
  const head = `
    const addon = require(${JSON.stringify(addonPath())});
    const program = addon.compile(new Uint8Array(Buffer.from('${bytes}', 'base64')), []);
    const session = program.createSession({ threads: 3 });
    const output = new Float32Array(${elements});
  `;
  const options = { encoding: 'utf8', timeout: 60_000 } as const;
  return spawnSync(process.execPath, ['--expose-gc', '-e', head + text], options);
}

test('a process with idle sessions ends by itself', () => {
  const result = runScript("session.cancel(); console.log('idle')");
  assert.deepEqual([result.status, result.signal, result.stdout], [0, null, 'idle\n'], result.stderr);
});

test('a process waits for a run that is going on', () => {
  const result = runScript("session.run([], [output]).then(() => console.log('value', output[7]))");
  assert.deepEqual([result.status, result.signal, result.stdout], [0, null, 'value 299\n'], result.stderr);
});

test('a process ends by itself after a run', () => {
  const result = runScript(
    "session.run([], [output]).then(() => session.run([], [output])).then(() => console.log('ran'))",
  );
  assert.deepEqual([result.status, result.signal, result.stdout], [0, null, 'ran\n'], result.stderr);
});

test('process.exit ends a process during a run', () => {
  const result = runScript('session.run([], [output]); setTimeout(() => process.exit(7), 5)');
  assert.deepEqual([result.status, result.signal], [7, null], result.stderr);
});

test('an uncaught error ends a process during a run', () => {
  const result = runScript("session.run([], [output]); setTimeout(() => { throw new Error('stop here') }, 5)");
  assert.deepEqual([result.status, result.signal], [1, null]);
  assert.match(result.stderr, /stop here/);
});

test('collected sessions and programs leave nothing behind', () => {
  const result = runScript(`
    const before = process.memoryUsage().rss;
    (async () => {
      for (let i = 0; i < 200; i++) {
        program.createSession({ threads: 2 });
        if (i % 10 === 9) { globalThis.gc(); await new Promise((resolve) => setImmediate(resolve)); }
      }
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 50));
      console.log((process.memoryUsage().rss - before) / 2 ** 20 < 1000);
    })();
  `);
  assert.deepEqual([result.status, result.signal, result.stdout], [0, null, 'true\n'], result.stderr);
});
