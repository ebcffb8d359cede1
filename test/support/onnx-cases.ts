// The backend tests of the ONNX project: models with inputs and expected outputs, read from one archive.
import { isDeepStrictEqual } from 'node:util';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { computeType } from '../../lib/formats/onnx/data-types.ts';
import {
  type ModelProto,
  ModelProtoSchema,
  TensorProtoSchema,
  type ValueInfoProto,
} from '../../lib/formats/onnx/onnx_pb.ts';
import { opsetRange } from '../../lib/formats/onnx/parse.ts';
import { readTensor } from '../../lib/formats/onnx/tensor-proto.ts';
import { convert, toFloat64 } from '../../lib/tensor/convert.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import { toStrings } from '../../lib/tensor/strings.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { sharedFolder } from './shared-folder.ts';
import { readTarGz } from './tar.ts';

const archive = sharedFolder('data/onnx-node-tests/onnx-v1.21.0-node-tests.tar.gz');

/** Why the cases cannot be read; false when they can. */
export const skipCases = archive.skip;

export interface OnnxCase {
  readonly name: string;
  readonly proto: ModelProto;
  /** Serialized values by position; undefined for an input that the case does not feed. */
  readonly inputs: readonly (Uint8Array | undefined)[];
  readonly outputs: readonly (Uint8Array | undefined)[];
}

const modelFile = /^(.*\/(?:node|simple|pytorch-converted|pytorch-operator)\/(test_[^/]+))\/model\.onnx$/;

/** Every case of the archive, in its order. */
export function* onnxCases(): Generator<OnnxCase> {
  const files = readTarGz(archive.path);
  for (const [file, bytes] of files) {
    const [, folder, name] = modelFile.exec(file) ?? [];
    if (name === undefined) continue;
    const proto = fromBinary(ModelProtoSchema, bytes);
    if (!proto.graph) continue;
    const data = (kind: string, i: number) => files.get(`${folder}/test_data_set_0/${kind}_${i}.pb`);
    yield {
      name,
      proto,
      inputs: proto.graph.input.map((_, i) => data('input', i)),
      outputs: proto.graph.output.map((_, i) => data('output', i)),
    };
  }
}

/** A stored value in the type that lowp computes with. */
export function decodeValue(bytes: Uint8Array, name: string): Tensor {
  const value = readTensor(fromBinary(TensorProtoSchema, bytes), undefined, name);
  return convert(value, computeType(value.type));
}

/** Fields of a stored sequence or optional that hold a tensor, or a sequence. */
const [tensorField, sequenceField] = [3, 5];

/** The tensors of a stored sequence or optional, by the names of lowp's inputs and outputs; undefined for an absent one. */
function decodeStructure(
  bytes: Uint8Array,
  name: string,
  isOptional: boolean,
): readonly (readonly [string, Tensor])[] | undefined {
  const reader = new BinaryReader(bytes);
  const tensors: Tensor[] = [];
  let isAbsent = isOptional;
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === tensorField) {
      tensors.push(decodeValue(reader.bytes(), name));
      if (isOptional) return [[name, tensors[0]!]];
    } else if (field === sequenceField && isOptional) return decodeStructure(reader.bytes(), name, false);
    else reader.skip(wire);
    isAbsent &&= field !== sequenceField;
  }
  return isAbsent ? undefined : tensors.map((t, i) => [`${name}.${i}`, t]);
}

/** The tensors of an input or output; undefined for an optional that is absent. */
function decodeTensors({ name, type }: ValueInfoProto, bytes: Uint8Array): ReturnType<typeof decodeStructure> {
  if (type?.tensorType) return [[name, decodeValue(bytes, name)]];
  return decodeStructure(bytes, name, type?.optionalType !== undefined);
}

/** The shapes of the tensors that a case feeds to sequences and optionals. */
export function caseElements({ proto, inputs }: OnnxCase): Record<string, Shape[] | null> {
  const elements: Record<string, Shape[] | null> = {};
  for (const [i, info] of proto.graph!.input.entries()) {
    const bytes = inputs[i];
    if (!bytes || info.type?.tensorType) continue;
    elements[info.name] = decodeTensors(info, bytes)?.map(([, t]) => t.shape) ?? null;
  }
  return elements;
}

/** The file of a case; operator sets outside of lowp's range are declared as the nearest one inside of it. */
export function caseModel({ proto, inputs }: OnnxCase, fixed: (index: number) => boolean = () => false): Uint8Array {
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

/** Values by input name, without those that `fixed` made constants. */
export function caseFeeds(c: OnnxCase, fixed: (index: number) => boolean = () => false): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const [i, info] of c.proto.graph!.input.entries()) {
    const bytes = c.inputs[i];
    if (!bytes || (fixed(i) && info.type?.tensorType)) continue;
    for (const [name, value] of decodeTensors(info, bytes) ?? []) feeds[name] = value;
  }
  return feeds;
}

/** What is wrong with an output; undefined when it is as the case expects it. */
export function caseDifference(c: OnnxCase, outputs: Readonly<Record<string, Tensor>>): string | undefined {
  const unexpected = new Set(Object.keys(outputs));
  for (const [i, info] of c.proto.graph!.output.entries()) {
    for (const [name, expected] of decodeTensors(info, c.outputs[i]!) ?? []) {
      const text = difference(outputs[name], expected, toleranceOf(c));
      if (text) return `output '${name}' ${text}`;
      unexpected.delete(name);
    }
  }
  return unexpected.size > 0 ? `has outputs that the case does not have: ${[...unexpected]}` : undefined;
}

/**
 * Relative to each expected number: what the ONNX project itself allows, 1e-3, and 1e-2 where the file holds results that
 * were rounded to 11 or 8 bits at every step while lowp computes in f32.
 */
function toleranceOf(c: OnnxCase): number {
  const narrow = (v: { type?: { tensorType?: { elemType: number } | undefined } | undefined }) =>
    v.type?.tensorType?.elemType === 10 || v.type?.tensorType?.elemType === 16;
  const { input, output } = c.proto.graph!;
  return /float16|FLOAT16|fp16/.test(c.name) || input.some(narrow) || output.some(narrow) ? 1e-2 : 1e-3;
}

function difference(actual: Tensor | undefined, expected: Tensor, tolerance: number): string | undefined {
  if (!actual) return 'is missing';
  if (actual.type !== expected.type) return `has type ${actual.type}, expected ${expected.type}`;
  if (String(actual.shape) !== String(expected.shape)) return `has shape ${actual.shape}, expected ${expected.shape}`;
  if (expected.type === 'string') {
    const [found, wanted] = [toStrings(actual), toStrings(expected)];
    return isDeepStrictEqual(found, wanted) ? undefined : `is ${found}, expected ${wanted}`;
  }
  const [x, y] = [toFloat64(actual), toFloat64(expected)];
  for (let i = 0; i < y.length; i++) {
    const [a, b] = [x[i]!, y[i]!];
    if (a === b || Object.is(a, b) || Math.abs(a - b) <= 1e-6 + tolerance * Math.abs(b)) continue;
    return `differs at ${i}: ${a}, expected ${b}`;
  }
  return undefined;
}
