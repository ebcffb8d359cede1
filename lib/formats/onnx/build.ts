/** Makers of ONNX messages out of plain values. */
import { create } from '@bufbuild/protobuf';
import type { ElementType } from '../../tensor/element-type.ts';
import { hasRank, type Shape } from '../../tensor/shape.ts';
import { stringBytes } from '../../tensor/strings.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { attributeKinds, onnxTypeOf } from './data-types.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb.ts';

/** An attribute: a bigint is an int, a number a float, and lists likewise; an empty list is one of ints; a graph is a body. */
export type AttributeValue =
  | bigint
  | number
  | string
  | readonly bigint[]
  | readonly number[]
  | readonly string[]
  | Tensor
  | GraphProto;

/** A message that shares the tensor's bytes. */
export function tensorProto(name: string, t: Tensor): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: t.shape.map(BigInt),
    dataType: onnxTypeOf(t.type),
    ...(t.type === 'string'
      ? { stringData: stringBytes(t) }
      : { rawData: new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength) }),
  });
}

/** A node of the default operator set. '' stands for an absent input. */
export function nodeProto(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  name = '',
): NodeProto {
  const attribute = Object.entries(attributes).map(([key, value]) => attributeProto(key, value));
  return create(NodeProtoSchema, { opType, name, input: [...inputs], output: [...outputs], attribute });
}

/**
 * A declaration of an input or output; -1 becomes a symbolic dimension named after its axis, an unknown
 * rank no shape at all.
 *
 * @param first  name of a dynamic dimension 0
 */
export function valueInfo(name: string, type: ElementType, shape: Shape, first = 'N'): ValueInfoProto {
  const dim = shape.map((d, i) =>
    d < 0
      ? { value: { case: 'dimParam' as const, value: i === 0 ? first : `${name}_${i}` } }
      : { value: { case: 'dimValue' as const, value: BigInt(d) } },
  );
  const tensorType = { elemType: onnxTypeOf(type), ...(hasRank(shape) ? { shape: { dim } } : {}) };
  return create(ValueInfoProtoSchema, { name, type: { tensorType } });
}

function attributeProto(name: string, value: AttributeValue): AttributeProto {
  const kinds = attributeKinds;
  if (typeof value === 'bigint') return create(AttributeProtoSchema, { name, type: kinds.int, i: value });
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: kinds.float, f: value });
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, { name, type: kinds.string, s: new TextEncoder().encode(value) });
  }
  if ('node' in value) return create(AttributeProtoSchema, { name, type: kinds.graph, g: value });
  if ('data' in value) return create(AttributeProtoSchema, { name, type: kinds.tensor, t: tensorProto('', value) });
  const strings = value.filter((v) => typeof v === 'string').map((v) => new TextEncoder().encode(v));
  if (strings.length > 0) return create(AttributeProtoSchema, { name, type: kinds.strings, strings });
  const floats = value.filter((v) => typeof v === 'number');
  if (floats.length > 0) return create(AttributeProtoSchema, { name, type: kinds.floats, floats });
  return create(AttributeProtoSchema, { name, type: kinds.ints, ints: value.map(BigInt) });
}
