// Packed weights and constants are in memory once, and only as long as somebody uses them. A file of its own: nothing else
// of this process compiles the same weights.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { nativeEngine } from '../../lib/engines/native-engine.ts';
import { openModel } from '../../lib/formats/index.ts';
import { inputName } from '../../lib/graph/model.ts';
import { addonPath } from '../../lib/native/binding.ts';
import { compileProgram, type NativeExecutable } from '../../lib/native/executable.ts';
import { ProgramBuilder } from '../../lib/program/builder.ts';
import type { Program } from '../../lib/program/program.ts';
import { serialize } from '../../lib/program/serialize.ts';
import { zeros } from '../../lib/tensor/tensor.ts';
import { demoModel } from '../support/cli.ts';

const bytesOf = ({ info }: NativeExecutable): number => info.packedBytes + info.constantBytes;

/** A constant of `elements` bytes, converted to floats. */
function constantProgram(elements: number, value: number): Program {
  const builder = new ProgramBuilder();
  const constant = builder.constant('u8', new Uint8Array(elements).fill(value));
  const output = builder.output('y', 'f32', [elements]);
  builder.call('convert', { elements }, { name: 'convert', in: [constant], out: [output] });
  return builder.finish();
}

test('executables of one model for other shapes share weights, and give the results of executables alone', async () => {
  const model = await openModel(demoModel);
  const input = inputName(model.parameters()[0]!);
  const compileFor = async (batch: number) => {
    const executable = await nativeEngine.compile(model, { shapes: { [input]: [batch, 1, 32, 32] }, threads: 1 });
    const native = executable.steps.flatMap((s) => (s.kind === 'native' ? [s.executable] : []));
    const sum = (of: (e: NativeExecutable) => number): number => native.reduce((total, e) => total + of(e), 0);
    return { executable, bytes: sum(bytesOf), found: sum((e) => e.info.foundBytes) };
  };
  const run = async (executable: Awaited<ReturnType<typeof compileFor>>['executable']) =>
    Object.values((await executable.run({ [input]: zeros('f32', [4, 1, 32, 32]) })).outputs)[0]!.data;
  const alone = await compileFor(4);
  assert.equal(alone.found, 0);
  const expected = await run(alone.executable);
  await alone.executable.close();

  const one = await compileFor(1);
  assert.equal(one.found, 0, 'nothing is kept of what was closed');
  const four = await compileFor(4);
  assert.ok(four.found > 0.8 * four.bytes, `${four.found} of ${four.bytes} bytes were found`);
  await one.executable.close();
  assert.deepEqual(await run(four.executable), expected);
  await four.executable.close();
});

test('one other weight is another array', async () => {
  const [size, value] = [10000, 3];
  await using first = compileProgram(constantProgram(size, value));
  await using same = compileProgram(constantProgram(size, value));
  await using other = compileProgram(constantProgram(size, value + 1));
  assert.deepEqual(
    [first, same, other].map((e) => e.info.foundBytes),
    [0, size, 0],
  );
  assert.deepEqual(other.runSync([])[0], new Float32Array(size).fill(value + 1));
  assert.deepEqual(same.runSync([])[0], new Float32Array(size).fill(value));
});

test('worker threads share with each other and with the main thread', async () => {
  const size = 20000;
  const program = constantProgram(size, 5);
  const text = `
    const { parentPort, workerData } = require('node:worker_threads');
    const program = require(workerData.addon).compile(workerData.bytes, workerData.constants);
    const output = new Float32Array(workerData.size);
    program.createSession({ threads: 1 }).runSync([], [output]);
    parentPort.postMessage([program.info().foundBytes, output[0]]);`;
  const workerData = { addon: addonPath(), ...serialize(program), size };
  const answer = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(text, { eval: true, workerData });
      let message: unknown;
      worker.once('message', (m) => {
        message = m;
      });
      worker.once('error', reject);
      worker.once('exit', () => resolve(message));
    });
  const executable = compileProgram(program);
  assert.deepEqual(await Promise.all([answer(), answer()]), [
    [size, 5],
    [size, 5],
  ]);
  assert.deepEqual(executable.runSync([])[0], new Float32Array(size).fill(5), 'workers that ended took nothing away');
  await executable.close();
  assert.deepEqual(await answer(), [0, 5]);
});
