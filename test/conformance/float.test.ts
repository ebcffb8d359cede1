// Every case of every operation on the native engine: the expected outputs, with equal bits on every instruction set.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nativeEngine } from '../../lib/engines/native-engine.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { bitsOfTensor, runnableIsas } from '../support/isas.ts';
import { opCases } from './cases/index.ts';
import { modelOfCase, type OpCase } from './cases/op-case.ts';

/** Floats of the kernels against doubles of the expectation: a few units in the last place of the largest value. */
function tolerance(c: OpCase, expected: Tensor): number {
  if (expected.type !== 'f32' && expected.type !== 'f16') return c.tolerance;
  const largest = Float64Array.from(expected.data as Float32Array).reduce(
    (m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m),
    1,
  );
  return Math.max(c.tolerance, largest * 2e-6);
}

for (const [i, c] of opCases.entries()) {
  test(`${c.name} (${i})`, async () => {
    const { model, feeds } = modelOfCase(c);
    let first: string[] | undefined;
    for (const maxIsa of runnableIsas()) {
      await using executable = await nativeEngine.compile(model, { maxIsa, threads: 2 });
      const { outputs } = await executable.run(feeds);
      for (const [k, expected] of c.expected.entries()) {
        const actual = Object.values(outputs)[k]!;
        assert.deepEqual(actual.shape, expected.shape, `${maxIsa}: shape of output ${k}`);
        assert.equal(actual.type, expected.type, `${maxIsa}: type of output ${k}`);
        const error = maxAbsError(actual, expected);
        assert.ok(error <= tolerance(c, expected), `${maxIsa}: output ${k} is off by ${error}`);
      }
      const bits = Object.values(outputs).map(bitsOfTensor);
      first ??= bits;
      assert.deepEqual(bits, first, `${maxIsa} differs from scalar`);
    }
  });
}
