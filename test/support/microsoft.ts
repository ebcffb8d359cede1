/** Models of one or a few operators of ONNX Runtime, computed by lowp and by ONNX Runtime itself. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { toBinary } from '@bufbuild/protobuf';
import { compile } from '../../lib/engines/session.ts';
import { ModelProtoSchema, type NodeProto } from '../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../lib/formats/onnx/read.ts';
import { toFloat64 } from '../../lib/tensor/convert.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { patternAt } from '../conformance/cases/op-case.ts';
import { node, onnxProto } from './onnx.ts';
import { runOnnxRuntime, withoutOnnxRuntime } from './onnxruntime.ts';

export type NodeAttributes = Parameters<typeof node>[3];

export interface OperatorCase {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  /** Fed tensors. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly outputs?: readonly string[];
  /** Largest difference. Integers may differ by one where a float lies between two of them. */
  readonly tolerance?: number;
  /** The same by other operators, for one that ONNX Runtime computes on other devices only. */
  readonly reference?: readonly NodeProto[];
}

export function inDomain(
  domain: string,
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: NodeAttributes = {},
): NodeProto {
  const proto = node(opType, inputs, outputs, attributes);
  proto.domain = domain;
  return proto;
}

export function microsoft(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: NodeAttributes = {},
): NodeProto {
  return inDomain('com.microsoft', opType, inputs, outputs, attributes);
}

/** A case of one operator, all of whose inputs are fed; a name that starts with `_` stands for one that is absent. */
export function one(
  opType: string,
  inputs: Readonly<Record<string, Tensor | undefined>>,
  attributes: NodeAttributes = {},
  rest: Partial<OperatorCase> = {},
): OperatorCase {
  const constants = rest.constants ?? {};
  const names = Object.keys(inputs).map((name) => (inputs[name] || constants[name] ? name : ''));
  const feeds = Object.fromEntries(
    Object.entries(inputs).filter((entry): entry is [string, Tensor] => entry[1] !== undefined),
  );
  return { name: opType, nodes: [microsoft(opType, names, rest.outputs ?? ['y'], attributes)], feeds, ...rest };
}

export const floats = (shape: Shape, seed: number, scale = 1): Tensor =>
  tensor(
    'f32',
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => patternAt(i, seed) * scale),
  );

export const bytes = (type: 'u8' | 'i8', shape: Shape, seed: number): Tensor =>
  tensor(
    type,
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => ((i * 7919 + seed * 4231) % 251) - (type === 'i8' ? 125 : 0)),
  );

export const scale = (value: number): Tensor => tensor('f32', [], [value]);
export const zero = (type: 'u8' | 'i8', value: number): Tensor => tensor(type, [], [value]);

/** Scales and zero points of operands and results. */
export const scaling = { xs: scale(0.02), xz: zero('u8', 120), ys: scale(0.03), yz: zero('u8', 100) };

/** A quantized operator of one input: x in bytes, its scaling, and that of the result. */
export function onBytes(opType: string, shape: Shape, attributes: NodeAttributes = {}): OperatorCase {
  const nodes = [microsoft(opType, ['x', 'xs', 'xz', 'ys', 'yz'], ['y'], attributes)];
  return { name: opType, nodes, feeds: { x: bytes('u8', shape, 3) }, constants: scaling, tolerance: 1 };
}

function fileOf(c: OperatorCase, nodes: readonly NodeProto[], wanted: readonly string[]): Uint8Array {
  const proto = onnxProto({
    opset: 17,
    inputs: Object.fromEntries(Object.entries(c.feeds).map(([name, t]) => [name, [t.type, t.shape] as const])),
    initializers: c.constants ?? {},
    nodes,
    outputs: [],
  });
  const [first] = proto.opsetImport;
  proto.opsetImport.push({ ...first!, domain: 'com.microsoft', version: 1n });
  proto.opsetImport.push({ ...first!, domain: 'ai.onnx.ml', version: 3n });
  proto.graph!.output = wanted.map((name) => ({ ...proto.graph!.input[0]!, name, type: undefined }));
  return toBinary(ModelProtoSchema, proto);
}

/** Both give the same types, shapes and, but for the tolerance, elements. */
export async function assertAgrees(c: OperatorCase): Promise<void> {
  const wanted = (c.outputs ?? ['y']).filter((name) => name !== '');
  await using session = await compile(readOnnx(fileOf(c, c.nodes, wanted)));
  const ours = await session.infer(c.feeds);
  const theirs = await runOnnxRuntime(fileOf(c, c.reference ?? c.nodes, wanted), c.feeds);
  for (const name of wanted) {
    const [a, b] = [ours[name]!, theirs[name]!];
    assert.equal(a.type, b.type, name);
    assert.deepEqual(a.shape, b.shape, name);
    const [u, v] = [toFloat64(a), toFloat64(b)];
    const worst = u.reduce((most, value, at) => Math.max(most, Math.abs(value - v[at]!)), 0);
    assert.ok(worst <= (c.tolerance ?? 1e-4), `${name} is off by ${worst}: ${u.slice(0, 6)} and ${v.slice(0, 6)}`);
  }
}

/** One test for each case. */
export function testAgreement(cases: readonly OperatorCase[]): void {
  for (const [i, c] of cases.entries()) {
    test(`${c.name} is computed as ONNX Runtime does (${i})`, { skip: withoutOnnxRuntime }, () => assertAgrees(c));
  }
}
