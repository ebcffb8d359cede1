/** ONNX files for tests, from a few plain values. */
import { clone, create, toBinary } from '@bufbuild/protobuf';
import { nodeProto, tensorProto, valueInfo } from '../../lib/formats/onnx/build.ts';
import {
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from '../../lib/formats/onnx/onnx_pb.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';

export interface OnnxSpec {
  readonly opset?: number;
  readonly inputs?: Readonly<Record<string, readonly [type: ElementType, shape: Shape]>>;
  readonly initializers?: Readonly<Record<string, Tensor>>;
  readonly nodes: readonly NodeProto[];
  /** Output names; type and shape stay undeclared unless given. */
  readonly outputs: readonly string[];
}

export const node = nodeProto;

export function onnxProto(spec: OnnxSpec): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: BigInt(spec.opset ?? 13) }],
    graph: {
      name: 'test',
      node: spec.nodes.map((n) => clone(NodeProtoSchema, n)),
      input: Object.entries(spec.inputs ?? {}).map(([name, [type, shape]]) => valueInfo(name, type, shape)),
      output: spec.outputs.map((name) => ({ name, type: { tensorType: { elemType: 1 } } })),
      initializer: Object.entries(spec.initializers ?? {}).map(([name, value]) => tensorProto(name, value)),
    },
  });
}

export function onnxBytes(spec: OnnxSpec): Uint8Array {
  return toBinary(ModelProtoSchema, onnxProto(spec));
}

/** A body: its inputs and outputs as declarations, `['f32', [2]]`. */
export function bodyProto(spec: {
  readonly inputs?: OnnxSpec['inputs'];
  readonly initializers?: OnnxSpec['initializers'];
  readonly nodes: readonly NodeProto[];
  readonly outputs: NonNullable<OnnxSpec['inputs']>;
}): GraphProto {
  const declared = (list: OnnxSpec['inputs']) =>
    Object.entries(list ?? {}).map(([name, [type, shape]]) => valueInfo(name, type, shape));
  return create(GraphProtoSchema, {
    name: 'body',
    node: spec.nodes.map((n) => clone(NodeProtoSchema, n)),
    input: declared(spec.inputs),
    output: declared(spec.outputs),
    initializer: Object.entries(spec.initializers ?? {}).map(([name, value]) => tensorProto(name, value)),
  });
}
