import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { addon, addonPath } from '../../lib/native/binding.ts';
import { cpuInfo } from '../../lib/native/cpu-info.ts';
import { compileProgram } from '../../lib/native/executable.ts';
import { ProgramBuilder } from '../../lib/program/builder.ts';
import type { Program } from '../../lib/program/program.ts';
import { serialize } from '../../lib/program/serialize.ts';

/** Fills an output of `elements` with `value`, after writing `passes` temporaries that nobody reads. */
function fillProgram(elements: number, value: number, passes = 0): Program {
  const builder = new ProgramBuilder();
  const output = builder.output('y', 'f32', [elements]);
  for (let i = 0; i < passes; i++) {
    const out = builder.temporary('f32', elements);
    builder.call('fill', { elements, value: i }, { name: `pass ${i}`, in: [], out: [out] });
  }
  builder.call('fill', { elements, value }, { name: 'last', in: [], out: [output] });
  return builder.finish();
}

function rejectsWith(code: string) {
  return (error: unknown) => error instanceof LowpError && error.code === code;
}

test('reports a CPU that makes sense', () => {
  const info = cpuInfo();
  const levels = ['scalar', 'avx2', 'avxvnni', 'avx512', 'vnni', 'amx'];
  assert.ok(levels.indexOf(info.isa) >= 0 && levels.indexOf(info.isa) <= levels.indexOf(info.detectedIsa));
  assert.equal(info.isas[0], 'scalar');
  assert.equal(info.isas.at(-1), info.isa);
  assert.deepEqual(
    info.isas,
    levels.filter((l) => info.isas.some((isa) => isa === l)),
  );
  assert.ok(Number.isInteger(info.cores) && info.cores >= 1);
  assert.ok(info.l1Bytes >= 4096 && info.l2Bytes >= info.l1Bytes);
});

test('lists kernels by name with their fields', () => {
  const catalog = addon().kernelCatalog();
  const names = catalog.map(({ name }) => name);
  assert.deepEqual(names, [...names].sort());
  assert.deepEqual(catalog.find(({ name }) => name === 'fill')?.params, [
    ['elements', 'u'],
    ['value', 'f'],
  ]);
});

test('runs a program on its own thread and on this one', async () => {
  const executable = compileProgram(fillProgram(70000, 2.5));
  assert.deepEqual(executable.info.outputs, [{ name: 'y', type: 'f32', shape: [70000], accumulates: false }]);
  const expected = new Float32Array(70000).fill(2.5);
  assert.deepEqual(await executable.run([]), [expected]);
  assert.deepEqual(executable.runSync([]), [expected]);
  await executable.close();
});

test('reads inputs while it is called and writes into new arrays', async () => {
  const builder = new ProgramBuilder();
  const x = builder.input('x', 'u8', [70000]);
  const y = builder.output('y', 'f32', [70000]);
  const z = builder.output('z', 'f32', [70000]);
  const floats = builder.temporary('f32', 70000);
  builder.call('convert', { elements: 70000 }, { name: 'opening', in: [x], out: [floats] });
  builder.call('convert', { elements: 70000 }, { name: 'y', in: [floats], out: [y] });
  builder.call('convert', { elements: 70000 }, { name: 'z', in: [floats], out: [z] });
  const executable = compileProgram(builder.finish(), { threads: 2 });
  const input = new Uint8Array(70000).fill(7);
  const running = executable.run([input]);
  input.fill(9);
  const expected = new Float32Array(70000).fill(7);
  const first = await running;
  assert.deepEqual(first, [expected, expected]);
  const into = first.map((a) => a.slice());
  assert.equal(await executable.run([input], { into }), into);
  assert.deepEqual(into[0], new Float32Array(70000).fill(9));
  assert.deepEqual(first, [expected, expected], 'arrays of an earlier run stay as they were');
  await executable.close();
});

test('gives the same values for every number of threads', async () => {
  for (const threads of [1, 2, 3, 7]) {
    const executable = compileProgram(fillProgram(300001, -1), { threads });
    assert.deepEqual(await executable.run([]), [new Float32Array(300001).fill(-1)]);
    await executable.close();
  }
});

test('keeps what outputs accumulate from run to run, in every stream', async () => {
  const builder = new ProgramBuilder();
  const x = builder.input('x', 'f32', [2, 3]);
  const counts = builder.output('counts', 'i64', [2, 4096]);
  const y = builder.output('y', 'f32', [8]);
  builder.call('observe_histogram', { items: 2, rows: 1, run: 3 }, { name: 'counts', in: [x], out: [counts] });
  builder.call('fill', { elements: 8, value: 3 }, { name: 'fill', in: [], out: [y] });
  const executable = compileProgram(builder.finish(), { threads: 2, streams: 2 });
  assert.deepEqual(
    executable.info.outputs.map((o) => o.accumulates),
    [true, false],
  );
  const runs = [0, 1, 2].map(() => executable.run([Float32Array.of(1, 1, 0, 0, -2, 1)]));
  const expected = new Float64Array(2 * 4096);
  expected.set([3], 0);
  expected.set([6], 127 * 8);
  expected.set([3], 4096);
  expected.set([3], 4096 + 127 * 8);
  expected.set([3], 4096 + 2048 + 128 * 8);
  assert.deepEqual(await executable.totals(), [expected, undefined]);
  for (const run of runs) assert.deepEqual(await run, [new BigInt64Array(0), new Float32Array(8).fill(3)]);
  await executable.close();
  await assert.rejects(executable.totals(), rejectsWith('ERR_RUN_CLOSED'));
});

test('serves runs in the order of the calls', async () => {
  const executable = compileProgram(fillProgram(8, 1));
  const order: number[] = [];
  await Promise.all([0, 1, 2, 3].map((i) => executable.run([]).then(() => order.push(i))));
  assert.deepEqual(order, [0, 1, 2, 3]);
  await executable.close();
});

test('ends a run when its signal is aborted', async () => {
  const executable = compileProgram(fillProgram(4 << 20, 1, 400));
  const controller = new AbortController();
  const run = executable.run([], { signal: controller.signal });
  setImmediate(() => controller.abort());
  await assert.rejects(run, rejectsWith('ERR_ABORTED'));
  assert.equal((await executable.run([]))[0]?.[0], 1, 'the executable stays usable');
  await executable.close();
});

test('does not begin a run whose signal is aborted already', async () => {
  const executable = compileProgram(fillProgram(8, 1));
  await assert.rejects(executable.run([], { signal: AbortSignal.abort() }), rejectsWith('ERR_ABORTED'));
  await executable.close();
});

test('refuses runs after it was closed', async () => {
  const executable = compileProgram(fillProgram(8, 1));
  await executable.close();
  await executable.close();
  await assert.rejects(executable.run([]), rejectsWith('ERR_RUN_CLOSED'));
  assert.throws(() => executable.runSync([]), rejectsWith('ERR_RUN_CLOSED'));
  assert.throws(() => executable.profileData(), rejectsWith('ERR_RUN_CLOSED'));
});

test('ends a run that is going on when it is closed', async () => {
  const executable = compileProgram(fillProgram(4 << 20, 1, 400));
  const run = executable.run([]);
  await new Promise((resolve) => setImmediate(resolve));
  const rejected = assert.rejects(run, rejectsWith('ERR_RUN_CLOSED'));
  await executable.close();
  await rejected;
});

test('measures calls while profiling is on', async () => {
  const executable = compileProgram(fillProgram(1000, 1, 2));
  await executable.run([]);
  assert.deepEqual(
    executable.profileData().map(({ runs }) => runs),
    [0, 0, 0],
  );
  executable.profile(true);
  await executable.run([]);
  await executable.run([]);
  executable.profile(false);
  await executable.run([]);
  const [first] = executable.profileData();
  assert.deepEqual([first?.name, first?.kernel, first?.runs, first?.bytes], ['pass 0', 'fill', 2, 4000]);
  assert.ok(first !== undefined && first.minNs > 0 && first.totalNs >= first.minNs * 2);
  await executable.close();
});

test('refuses what is not a program', () => {
  const { bytes } = serialize(fillProgram(8, 1));
  const compile = (program: Uint8Array) => () => addon().compile(program, []);
  assert.throws(compile(bytes.subarray(0, 30)), { code: 'invalid' });
  assert.throws(compile(new Uint8Array(100)), { code: 'invalid', message: /do not start with LOWP/ });
  const version = bytes.slice();
  version[4] = 9;
  assert.throws(compile(version), { code: 'unsupported', message: /version 9/ });
});

test('turns a wrong call into an error that names its node', () => {
  const builder = new ProgramBuilder();
  const output = builder.output('y', 'f32', [4]);
  builder.call('fill', { elements: 5 }, { name: 'conv1', in: [], out: [output] });
  assert.throws(
    () => compileProgram(builder.finish()),
    (error: unknown) =>
      error instanceof LowpError && error.code === 'ERR_PROGRAM_INVALID' && error.message.includes('conv1'),
  );
});

test('refuses a program that needs more memory than the machine has', () => {
  const builder = new ProgramBuilder();
  for (let i = 0; i < 200; i++) {
    const out = builder.output(`y${i}`, 'f32', [0xffffffff]);
    builder.call('fill', { elements: 0xffffffff }, { name: `huge ${i}`, in: [], out: [out] });
  }
  assert.throws(() => compileProgram(builder.finish()), rejectsWith('ERR_NATIVE_MEMORY'));
});

test('refuses arrays of another kind, length or number, and detached ones', async () => {
  const { bytes, constants } = serialize(fillProgram(8, 1));
  const program = addon().compile(bytes, constants);
  const session = program.createSession({ threads: 1 });
  const invalid = { code: 'invalid' };
  await assert.rejects(session.run([], []), invalid);
  await assert.rejects(session.run([], [new Float32Array(7)]), invalid);
  await assert.rejects(session.run([], [new Int32Array(8)]), invalid);
  const detached = new Float32Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  await assert.rejects(session.run([], [detached]), { code: 'invalid', message: /detached/ });
  assert.throws(() => session.runSync([], [detached]), invalid);
  assert.throws(() => program.createSession({ threads: 0 }), invalid);
  assert.throws(() => program.createSession({ threads: 1e9 }), invalid);
  session.dispose();
});

test('survives an output whose buffer is transferred during the run', async () => {
  const { bytes, constants } = serialize(fillProgram(1 << 20, 1, 20));
  const session = addon().compile(bytes, constants).createSession();
  const output = new Float32Array(1 << 20);
  const run = session.run([], [output]);
  structuredClone(output.buffer, { transfer: [output.buffer] });
  await assert.rejects(run, { code: 'invalid', message: /detached/ });
  const again = new Float32Array(1 << 20);
  await session.run([], [again]);
  assert.equal(again[5], 1);
  session.dispose();
});

test('allows one run of a session at a time', async () => {
  const { bytes, constants } = serialize(fillProgram(1 << 20, 1, 20));
  const session = addon().compile(bytes, constants).createSession();
  const output = new Float32Array(1 << 20);
  const first = session.run([], [output]);
  await assert.rejects(session.run([], [output]), { code: 'invalid', message: /going on/ });
  assert.throws(() => session.totals([output]), { code: 'invalid', message: /going on/ });
  assert.throws(() => session.runSync([], [output]), { code: 'invalid' });
  await first;
  session.dispose();
});

test('settles the promise of a run when its session is disposed', async () => {
  const { bytes, constants } = serialize(fillProgram(4 << 20, 1, 100));
  const session = addon().compile(bytes, constants).createSession();
  const run = session.run([], [new Float32Array(4 << 20)]);
  const rejected = assert.rejects(run, { code: 'closed' });
  session.dispose();
  session.dispose();
  session.cancel();
  await rejected;
  await assert.rejects(session.run([], []), { code: 'closed' });
  assert.throws(() => session.totals([]), { code: 'closed' });
});

test('keeps classes from being built or called from outside', () => {
  const program = addon().compile(serialize(fillProgram(8, 1)).bytes, []);
  const session = program.createSession();
  const objects: readonly object[] = [program, session];
  for (const object of objects) assert.throws(() => Reflect.construct(object.constructor, []), { code: 'invalid' });
  assert.throws(() => Reflect.apply(program.info, session, []), TypeError);
  assert.throws(() => Reflect.apply(session.cancel, {}, []), TypeError);
  session.dispose();
  program.dispose();
  assert.throws(() => program.info(), { code: 'closed' });
});

test('creates and disposes a hundred sessions', async () => {
  for (let i = 0; i < 100; i++) {
    const executable = compileProgram(fillProgram(100, i), { threads: 2 });
    const [y] = i % 2 === 0 ? await executable.run([]) : executable.runSync([]);
    assert.equal(y?.[99], i);
    await executable.close();
  }
});

const workerText = `
  const { parentPort, workerData } = require('node:worker_threads');
  const addon = require(workerData.addon);
  const session = addon.compile(workerData.bytes, []).createSession({ threads: 2 });
  const output = new Float32Array(workerData.elements);
  session.run([], [output]).then(() => parentPort.postMessage(output[0]));
`;

function startWorker(program: Program, elements: number): Worker {
  const { bytes } = serialize(program);
  return new Worker(workerText, { eval: true, workerData: { addon: addonPath(), bytes, elements } });
}

test('works in worker threads at the same time', async () => {
  const values = await Promise.all(
    [1, 2, 3].map(
      (value) =>
        new Promise((resolve, reject) => {
          const worker = startWorker(fillProgram(1000, value), 1000);
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  assert.deepEqual(values, [1, 2, 3]);
});

test('lets a worker be terminated during a run', async () => {
  for (let i = 0; i < 8; i++) {
    const worker = startWorker(fillProgram(4 << 20, 1, 200), 4 << 20);
    await new Promise((resolve) => worker.once('online', resolve));
    await new Promise((resolve) => setTimeout(resolve, i * 10));
    assert.equal(await worker.terminate(), 1);
  }
});
