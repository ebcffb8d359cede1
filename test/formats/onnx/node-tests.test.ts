/** The node tests of the ONNX project with constants for inputs, and after a way through the writer. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import {
  caseDifference,
  caseElements,
  caseFeeds,
  caseModel,
  type OnnxCase,
  onnxCases,
  skipCases,
} from '../../support/onnx-cases.ts';

/** What a model may be refused for; any other code, and any other error, is a failure. */
const refusals = new Set([
  'ERR_ONNX_UNSUPPORTED',
  'ERR_TYPE_UNSUPPORTED',
  'ERR_OP_UNKNOWN',
  'ERR_ONNX_OPSET',
  'ERR_FORMAT_UNSUPPORTED',
]);

const known = new Set([
  // FakeQuantize rounds `(x - low) / step`, QuantizeLinear `x / scale`: one tie of this test falls the other way.
  'test_dynamicquantizelinear_expanded',
  // Their sums leave the range of i8: the files wrap around where QLinearMatMul says that it saturates.
  'test_qlinearmatmul_2D_int8_float16',
  'test_qlinearmatmul_2D_int8_float32',
  'test_qlinearmatmul_3D_int8_float16',
  'test_qlinearmatmul_3D_int8_float32',
  // Align corners of an output of fractional size; OpenVINO and ONNX Runtime use the whole size.
  'test_resize_downsample_scales_cubic_align_corners',
  'test_resize_downsample_scales_linear_align_corners',
]);

/** Undefined when the model is refused for a stated reason; else what went wrong, '' for nothing. */
async function check(c: OnnxCase, fixed: (index: number) => boolean, written: boolean): Promise<string | undefined> {
  try {
    const first = readOnnx(caseModel(c, fixed), { elements: caseElements(c) });
    const model = written ? readOnnx(writeOnnx(first)) : first;
    await using executable = await referenceEngine.compile(model);
    const { outputs } = await executable.run(caseFeeds(c, fixed));
    const text = caseDifference(c, outputs);
    return text ? `${c.name}: ${text}` : '';
  } catch (error) {
    if (error instanceof LowpError && refusals.has(error.code)) return undefined;
    return `${c.name}: ${error}`;
  }
}

for (const [what, fixed, least, written] of [
  ['with all inputs but the first as constants', (i: number) => i > 0, 1600, false],
  ['with constants, written and read again', (i: number) => i > 0, 1400, true],
] as const) {
  test(`node tests of ONNX ${what} give the expected outputs`, { skip: skipCases }, async () => {
    let passed = 0;
    const failures: string[] = [];
    for (const c of onnxCases()) {
      if (known.has(c.name) || c.outputs.some((o) => !o)) continue;
      const result = await check(c, fixed, written);
      if (result === '') passed++;
      else if (result) failures.push(result);
    }
    assert.deepEqual(failures, []);
    assert.ok(passed >= least, `only ${passed} models passed`);
  });
}
