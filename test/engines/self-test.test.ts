import assert from 'node:assert/strict';
import test from 'node:test';
import { compareLevels, kernelSelfTest } from '../../lib/engines/self-test.ts';
import { selfTestElements, selfTestProgram } from '../../lib/engines/self-test-program.ts';
import { compileProgram } from '../../lib/native/executable.ts';
import { runnableIsas } from '../support/isas.ts';

test('every instruction set of this machine is tested and gives the bits of scalar', async () => {
  for (const threads of [1, 2]) {
    const result = await kernelSelfTest(threads);
    assert.equal(result.ok, true, JSON.stringify(result.levels));
    assert.deepEqual(
      result.levels.map((l) => l.isa),
      runnableIsas(),
    );
  }
});

test('outputs of the program vary, so that a kernel that writes nothing is noticed', async () => {
  await using executable = compileProgram(selfTestProgram(), { maxIsa: 'scalar' });
  const input = Float32Array.from({ length: selfTestElements }, (_, i) => Math.sin(i));
  for (const output of await executable.run([input])) {
    assert.ok(new Set(output as Float32Array).size > output.length / 4, `${output.length} elements`);
  }
});

test('the first difference is named', () => {
  const result = compareLevels(
    new Map([
      ['scalar', [Float32Array.of(1, 2), Float32Array.of(0)]],
      ['good', [Float32Array.of(1, 2), Float32Array.of(0)]],
      ['bad', [Float32Array.of(1, 2.5), Float32Array.of(1)]],
      ['sign', [Float32Array.of(1, 2), Float32Array.of(-0)]],
      ['short', [Float32Array.of(1, 2)]],
    ]),
  );
  assert.equal(result.ok, false);
  assert.deepEqual(result.levels, [
    { isa: 'scalar', ok: true },
    { isa: 'good', ok: true },
    { isa: 'bad', ok: false, detail: 'output 0, element 1: 2.5 instead of 2' },
    { isa: 'sign', ok: false, detail: 'output 1, element 0: 0 instead of 0' },
    { isa: 'short', ok: false, detail: 'output 1, element 0: undefined instead of 0' },
  ]);
});

test('equal NaNs are equal', () => {
  const nan = [Float32Array.of(Number.NaN)];
  assert.equal(
    compareLevels(
      new Map([
        ['scalar', nan],
        ['other', nan],
      ]),
    ).ok,
    true,
  );
});
