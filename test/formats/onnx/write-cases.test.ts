// Every case of every operation as ONNX: what can be written gives the same outputs, in lowp and in ONNX Runtime.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import { exporters } from '../../../lib/formats/onnx/export/index.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import { inputName } from '../../../lib/graph/model.ts';
import { maxAbsError } from '../../../lib/tensor/compare.ts';
import { convert } from '../../../lib/tensor/convert.ts';
import { type ElementType, isFloat } from '../../../lib/tensor/element-type.ts';
import type { Tensor } from '../../../lib/tensor/tensor.ts';
import { opCases } from '../../conformance/cases/index.ts';
import { modelOfCase, type OpCase } from '../../conformance/cases/op-case.ts';
import { runOnnxRuntime, withoutOnnxRuntime } from '../../support/onnxruntime.ts';

/** ONNX says nothing of these, or something else. */
const otherInOnnxRuntime: Readonly<Record<string, string>> = {
  'Gather: an index outside gives zero': 'an index outside is an error',
  'FakeQuantize: NaN passes': 'NaN is no integer',
  'StringNormalizer: without some words, in upper case': 'its language must be installed',
  'Gather: rows of strings': 'it moves the first string of each row only',
  'StringNormalizer: nothing is left': 'its language must be installed',
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

/**
 * Sums in another order: 1e-4 where the case itself is not looser.
 *
 * @param typeOf  the type in which an output arrives
 */
function assertSame(
  c: OpCase,
  actual: Readonly<Record<string, Tensor>>,
  typeOf: (type: ElementType) => ElementType = (type) => type,
): void {
  for (const [i, expected] of c.expected.entries()) {
    const { type, shape } = actual[`output${i}`]!;
    const wanted = { type: typeOf(expected.type), shape: expected.shape };
    assert.deepEqual({ type, shape }, wanted, `${c.name}: output ${i}`);
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
      const model = readOnnx(bytes);
      const types = new Map(model.parameters().map((p) => [inputName(p), p.output.fact.type]));
      await using executable = await referenceEngine.compile(model);
      const read = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, convert(t, types.get(name)!)]));
      // Models of half and double precision are read in single precision.
      assertSame(c, (await executable.run(read)).outputs, (type) => (isFloat(type) ? 'f32' : type));
    }
  });

  it('ONNX Runtime gives the same outputs', { skip: withoutOnnxRuntime }, async () => {
    for (const { c, bytes, feeds } of written) {
      if (!(c.name in otherInOnnxRuntime)) assertSame(c, await runOnnxRuntime(bytes, feeds));
    }
  });
});
