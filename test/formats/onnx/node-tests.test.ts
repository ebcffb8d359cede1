/** The node tests of the ONNX project: each model that is read must give the expected outputs in the reference engine. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import { computeType } from '../../../lib/formats/onnx/data-types.ts';
import { type ModelProto, ModelProtoSchema, TensorProtoSchema } from '../../../lib/formats/onnx/onnx_pb.ts';
import { opsetRange } from '../../../lib/formats/onnx/parse.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { readTensor } from '../../../lib/formats/onnx/tensor-proto.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import { convert, toFloat64 } from '../../../lib/tensor/convert.ts';
import type { Tensor } from '../../../lib/tensor/tensor.ts';
import { readTarGz } from '../../support/tar.ts';

const root = path.resolve(import.meta.dirname, '../../../..');
const archive = path.resolve(root, '../shared/data/onnx-node-tests/onnx-v1.21.0-node-tests.tar.gz');
const skip = existsSync(archive) ? false : `${path.relative(root, archive)} is absent`;

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
  // Align corners of an output of fractional size; OpenVINO and ONNX Runtime use the whole size.
  'test_resize_downsample_scales_cubic_align_corners',
  'test_resize_downsample_scales_linear_align_corners',
]);

/** PReLU of the first operator sets broadcasts the slope along channels; the file is older than opset 7. */
const older = /^test_PReLU_.d_multiparam$/;

interface Case {
  readonly name: string;
  readonly proto: ModelProto;
  readonly inputs: readonly (Uint8Array | undefined)[];
  readonly outputs: readonly Uint8Array[];
}

function* cases(): Generator<Case> {
  const files = readTarGz(archive);
  for (const [file, bytes] of files) {
    const folder = /^(.*\/(?:node|simple|pytorch-converted|pytorch-operator)\/(test_[^/]+))\/model\.onnx$/.exec(file);
    if (!folder) continue;
    const [, at, name] = folder;
    const data = (kind: string, i: number) => files.get(`${at}/test_data_set_0/${kind}_${i}.pb`);
    const proto = fromBinary(ModelProtoSchema, bytes);
    if (!proto.graph || older.test(name!)) continue;
    const outputs = proto.graph.output.map((_, i) => data('output', i));
    if (outputs.some((o) => !o)) continue;
    yield {
      name: name!,
      proto,
      inputs: proto.graph.input.map((_, i) => data('input', i)),
      outputs: outputs.filter((o) => o !== undefined),
    };
  }
}

function decode(bytes: Uint8Array, name: string): Tensor {
  const value = readTensor(fromBinary(TensorProtoSchema, bytes), undefined, name);
  return convert(value, computeType(value.type));
}

/** Newer and older operator sets are read as the nearest one in the range; `fixed` inputs become initializers. */
function prepare({ proto, inputs }: Case, fixed: (index: number) => boolean): Uint8Array {
  const copy = fromBinary(ModelProtoSchema, toBinary(ModelProtoSchema, proto));
  for (const o of copy.opsetImport) {
    if (o.domain !== '') continue;
    o.version = BigInt(Math.min(opsetRange.most, Math.max(opsetRange.least, Number(o.version))));
  }
  const initializers = new Set(copy.graph!.initializer.map((t) => t.name));
  for (const [i, { name, type }] of copy.graph!.input.entries()) {
    const bytes = inputs[i];
    if (!bytes || !fixed(i) || !type?.tensorType || initializers.has(name)) continue;
    const value = fromBinary(TensorProtoSchema, bytes);
    value.name = name;
    copy.graph!.initializer.push(value);
  }
  return toBinary(ModelProtoSchema, copy);
}

function difference(actual: Tensor | undefined, expected: Tensor, tolerance: number): string | undefined {
  if (!actual) return 'is missing';
  if (actual.type !== expected.type) return `has type ${actual.type}, expected ${expected.type}`;
  if (String(actual.shape) !== String(expected.shape)) return `has shape ${actual.shape}, expected ${expected.shape}`;
  const [x, y] = [toFloat64(actual), toFloat64(expected)];
  for (let i = 0; i < y.length; i++) {
    const [a, b] = [x[i]!, y[i]!];
    if (a === b || Object.is(a, b) || Math.abs(a - b) <= 1e-6 + tolerance * Math.abs(b)) continue;
    return `differs at ${i}: ${a}, expected ${b}`;
  }
  return undefined;
}

/** Undefined when the model is refused for a stated reason; else what went wrong, '' for nothing. */
async function check(c: Case, fixed: (index: number) => boolean, written: boolean): Promise<string | undefined> {
  try {
    const first = readOnnx(prepare(c, fixed));
    const model = written ? readOnnx(writeOnnx(first)) : first;
    const feeds: Record<string, Tensor> = {};
    for (const [i, { name }] of c.proto.graph!.input.entries()) {
      const bytes = c.inputs[i];
      if (bytes && !fixed(i)) feeds[name] = decode(bytes, name);
    }
    await using executable = await referenceEngine.compile(model);
    const { outputs } = await executable.run(feeds);
    for (const [i, { name }] of c.proto.graph!.output.entries()) {
      // float16 and bfloat16 files hold results rounded to 11 and 8 bits; the reference computes them in f32.
      const narrow = /float16|FLOAT16|fp16/.test(c.name) || c.proto.graph!.input.some((v) => isNarrow(v.type));
      const text = difference(outputs[name], decode(c.outputs[i]!, name), narrow ? 1e-2 : 1e-3);
      if (text) return `${c.name}: output '${name}' ${text}`;
    }
    return '';
  } catch (error) {
    if (error instanceof LowpError && refusals.has(error.code)) return undefined;
    return `${c.name}: ${error}`;
  }
}

function isNarrow(type: { tensorType?: { elemType: number } | undefined } | undefined): boolean {
  return type?.tensorType?.elemType === 10 || type?.tensorType?.elemType === 16;
}

for (const [what, fixed, least, written] of [
  ['as they are', () => false, 600, false],
  ['with all inputs but the first as constants', (i: number) => i > 0, 700, false],
  ['with all inputs as constants', () => true, 700, false],
  ['written and read again', () => false, 550, true],
  ['with constants, written and read again', (i: number) => i > 0, 600, true],
] as const) {
  test(`node tests of ONNX ${what} give the expected outputs`, { skip }, async () => {
    let passed = 0;
    const failures: string[] = [];
    for (const c of cases()) {
      if (known.has(c.name)) continue;
      const result = await check(c, fixed, written);
      if (result === '') passed++;
      else if (result) failures.push(result);
    }
    assert.deepEqual(failures, []);
    assert.ok(passed >= least, `only ${passed} models passed`);
  });
}
