// Every case of every operation as ONNX: what can be written gives the same outputs, in lowp and in ONNX Runtime.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import { exporters } from '../../../lib/formats/onnx/export/index.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import { maxAbsError } from '../../../lib/tensor/compare.ts';
import type { Tensor } from '../../../lib/tensor/tensor.ts';
import { opCases } from '../../conformance/cases/index.ts';
import { modelOfCase, type OpCase } from '../../conformance/cases/op-case.ts';
import { runOnnxRuntime, withoutOnnxRuntime } from '../../support/onnxruntime.ts';

/** ONNX says nothing of these, or something else. */
const otherInOnnxRuntime: Readonly<Record<string, string>> = {
  'Gather: an index outside gives zero': 'an index outside is an error',
  'FakeQuantize: NaN passes': 'NaN is no integer',
};

/** Exporters whose cases are models of several operations, in other tests. */
const withoutCase = new Set(['Loop', 'TensorIterator', 'If']);

function write(c: OpCase): { readonly bytes: Uint8Array; readonly feeds: Record<string, Tensor> } | undefined {
  const { model, feeds } = modelOfCase(c);
  try {
    return { bytes: writeOnnx(model), feeds };
  } catch (error) {
    if (error instanceof LowpError && error.code === 'ERR_FORMAT_UNSUPPORTED') return undefined;
    throw error;
  }
}

const written = opCases.flatMap((c) => {
  const file = write(c);
  return file ? [{ c, ...file }] : [];
});

/** Sums in another order: 1e-4 where the case itself is not looser. */
function assertSame(c: OpCase, actual: Readonly<Record<string, Tensor>>): void {
  for (const [i, expected] of c.expected.entries()) {
    const { type, shape } = actual[`output${i}`]!;
    assert.deepEqual({ type, shape }, { type: expected.type, shape: expected.shape }, `${c.name}: output ${i}`);
    const error = maxAbsError(actual[`output${i}`]!, expected);
    assert.ok(error <= Math.max(c.tolerance, 1e-4), `${c.name}: output ${i} is off by ${error}`);
  }
}

describe('cases of operations as ONNX', () => {
  it('every operation that has an exporter is written', () => {
    const types = new Set(written.map(({ c }) => c.op));
    assert.deepEqual(
      [...exporters.keys()].filter((type) => !types.has(type) && !withoutCase.has(type)),
      [],
    );
  });

  it('they read back with the same outputs', async () => {
    for (const { c, bytes, feeds } of written) {
      await using executable = await referenceEngine.compile(readOnnx(bytes));
      assertSame(c, (await executable.run(feeds)).outputs);
    }
  });

  it('ONNX Runtime gives the same outputs', { skip: withoutOnnxRuntime }, async () => {
    for (const { c, bytes, feeds } of written) {
      if (!(c.name in otherInOnnxRuntime)) assertSame(c, await runOnnxRuntime(bytes, feeds));
    }
  });
});
