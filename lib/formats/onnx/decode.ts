/**
 * Bytes to ONNX messages, walked field by field. The descriptors of onnx_pb.ts, which writers use, cost more at the first
 * message than reading most files.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { limits } from '../../errors/limits.ts';
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  OperatorSetIdProto,
  StringStringEntryProto,
  TensorProto,
  TensorShapeProto,
  TensorShapeProto_Dimension,
  TypeProto,
  TypeProto_Optional,
  TypeProto_Sequence,
  TypeProto_Tensor,
  ValueInfoProto,
} from './onnx_pb.ts';

/** Reads the value of field `no` into the message; false when the message has no such field. */
type ReadField<M> = (message: M, wire: Wire, no: number, type: WireType) => boolean;

/** The place in the bytes, and how deep messages are nested there. */
class Wire {
  readonly #reader: BinaryReader;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#reader = new BinaryReader(bytes);
  }

  /** Fields of `length` bytes; unknown ones are skipped. What the message holds stays: lists grow, single values change. */
  fields<M>(message: M, read: ReadField<M>, length: number): M {
    const reader = this.#reader;
    const most = limits.onnxDepth.value;
    if (++this.#depth > most) throw new Error(`messages are nested more than ${most} deep`);
    const end = reader.pos + length;
    while (reader.pos < end) {
      const [no, type] = reader.tag();
      if (!read(message, this, no, type)) reader.skip(type, no, most - this.#depth);
    }
    this.#depth--;
    return message;
  }

  message<M>(message: M, read: ReadField<M>): M {
    return this.fields(message, read, this.#reader.uint32());
  }

  string(): string {
    return this.#reader.string(true);
  }

  bytes(): Uint8Array {
    return this.#reader.bytes();
  }

  int32(): number {
    return this.#reader.int32();
  }

  int64(): bigint {
    return BigInt(this.#reader.int64());
  }

  float(): number {
    return this.#reader.float();
  }

  int32s(into: number[], type: WireType): void {
    this.#list(type, () => into.push(this.#reader.int32()));
  }

  int64s(into: bigint[], type: WireType): void {
    this.#list(type, () => into.push(BigInt(this.#reader.int64())));
  }

  uint64s(into: bigint[], type: WireType): void {
    this.#list(type, () => into.push(BigInt(this.#reader.uint64())));
  }

  floats(into: number[], type: WireType): void {
    this.#list(type, () => into.push(this.#reader.float()));
  }

  doubles(into: number[], type: WireType): void {
    this.#list(type, () => into.push(this.#reader.double()));
  }

  /** Numbers are packed or single, whatever the schema says. */
  #list(type: WireType, readOne: () => void): void {
    if (type !== WireType.LengthDelimited) {
      readOne();
      return;
    }
    const length = this.#reader.uint32();
    const end = this.#reader.pos + length;
    while (this.#reader.pos < end) readOne();
  }
}

/**
 * The ModelProto that the bytes hold. Data of bytes stay views of them.
 *
 * @throws {Error} of protobuf, for bytes that are no such message, or are nested too deep
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  const model: ModelProto = {
    $typeName: 'onnx.ModelProto',
    producerName: '',
    producerVersion: '',
    domain: '',
    modelVersion: 0n,
    docString: '',
    opsetImport: [],
    metadataProps: [],
    functions: [],
  };
  return new Wire(bytes).fields(model, modelField, bytes.length);
}

function modelField(m: ModelProto, wire: Wire, no: number): boolean {
  if (no === 1) m.irVersion = wire.int64();
  else if (no === 2) m.producerName = wire.string();
  else if (no === 3) m.producerVersion = wire.string();
  else if (no === 4) m.domain = wire.string();
  else if (no === 5) m.modelVersion = wire.int64();
  else if (no === 6) m.docString = wire.string();
  else if (no === 7) m.graph = wire.message(m.graph ?? newGraph(), graphField);
  else if (no === 8) m.opsetImport.push(readOpset(wire));
  else if (no === 14) m.metadataProps.push(readEntry(wire));
  else if (no === 25) m.functions.push(wire.message(newFunction(), functionField));
  else return false;
  return true;
}

function newFunction(): FunctionProto {
  return {
    $typeName: 'onnx.FunctionProto',
    name: '',
    input: [],
    output: [],
    attribute: [],
    node: [],
    opsetImport: [],
    domain: '',
    attributeProto: [],
    overload: '',
  };
}

function functionField(m: FunctionProto, wire: Wire, no: number): boolean {
  if (no === 1) m.name = wire.string();
  else if (no === 4) m.input.push(wire.string());
  else if (no === 5) m.output.push(wire.string());
  else if (no === 6) m.attribute.push(wire.string());
  else if (no === 7) m.node.push(wire.message(newNode(), nodeField));
  else if (no === 9) m.opsetImport.push(readOpset(wire));
  else if (no === 10) m.domain = wire.string();
  else if (no === 11) m.attributeProto.push(wire.message(newAttribute(), attributeField));
  else if (no === 13) m.overload = wire.string();
  else return false;
  return true;
}

function readOpset(wire: Wire): OperatorSetIdProto {
  const opset: OperatorSetIdProto = { $typeName: 'onnx.OperatorSetIdProto', domain: '', version: 0n };
  return wire.message(opset, (m, w, no) => {
    if (no === 1) m.domain = w.string();
    else if (no === 2) m.version = w.int64();
    else return false;
    return true;
  });
}

function readEntry(wire: Wire): StringStringEntryProto {
  const entry: StringStringEntryProto = { $typeName: 'onnx.StringStringEntryProto', key: '', value: '' };
  return wire.message(entry, (m, w, no) => {
    if (no === 1) m.key = w.string();
    else if (no === 2) m.value = w.string();
    else return false;
    return true;
  });
}

function newGraph(): GraphProto {
  return {
    $typeName: 'onnx.GraphProto',
    node: [],
    name: '',
    initializer: [],
    docString: '',
    input: [],
    output: [],
    sparseInitializer: [],
  };
}

function graphField(m: GraphProto, wire: Wire, no: number): boolean {
  if (no === 1) m.node.push(wire.message(newNode(), nodeField));
  else if (no === 2) m.name = wire.string();
  else if (no === 5) m.initializer.push(wire.message(newTensor(), tensorField));
  else if (no === 10) m.docString = wire.string();
  else if (no === 11) m.input.push(readValueInfo(wire));
  else if (no === 12) m.output.push(readValueInfo(wire));
  else if (no === 15) m.sparseInitializer.push(wire.bytes());
  else return false;
  return true;
}

function newNode(): NodeProto {
  return {
    $typeName: 'onnx.NodeProto',
    input: [],
    output: [],
    name: '',
    opType: '',
    attribute: [],
    docString: '',
    domain: '',
  };
}

function nodeField(m: NodeProto, wire: Wire, no: number): boolean {
  if (no === 1) m.input.push(wire.string());
  else if (no === 2) m.output.push(wire.string());
  else if (no === 3) m.name = wire.string();
  else if (no === 4) m.opType = wire.string();
  else if (no === 5) m.attribute.push(wire.message(newAttribute(), attributeField));
  else if (no === 6) m.docString = wire.string();
  else if (no === 7) m.domain = wire.string();
  else return false;
  return true;
}

function newAttribute(): AttributeProto {
  return {
    $typeName: 'onnx.AttributeProto',
    name: '',
    floats: [],
    ints: [],
    strings: [],
    type: 0,
    refAttrName: '',
  };
}

function attributeField(m: AttributeProto, wire: Wire, no: number, type: WireType): boolean {
  if (no === 1) m.name = wire.string();
  else if (no === 2) m.f = wire.float();
  else if (no === 3) m.i = wire.int64();
  else if (no === 4) m.s = wire.bytes();
  else if (no === 5) m.t = wire.message(m.t ?? newTensor(), tensorField);
  else if (no === 6) m.g = wire.message(m.g ?? newGraph(), graphField);
  else if (no === 7) wire.floats(m.floats, type);
  else if (no === 8) wire.int64s(m.ints, type);
  else if (no === 9) m.strings.push(wire.bytes());
  else if (no === 20) m.type = wire.int32();
  else if (no === 21) m.refAttrName = wire.string();
  else return false;
  return true;
}

function newTensor(): TensorProto {
  return {
    $typeName: 'onnx.TensorProto',
    dims: [],
    dataType: 0,
    floatData: [],
    int32Data: [],
    stringData: [],
    int64Data: [],
    name: '',
    doubleData: [],
    uint64Data: [],
    externalData: [],
    dataLocation: 0,
  };
}

function tensorField(m: TensorProto, wire: Wire, no: number, type: WireType): boolean {
  if (no === 1) wire.int64s(m.dims, type);
  else if (no === 2) m.dataType = wire.int32();
  else if (no === 4) wire.floats(m.floatData, type);
  else if (no === 5) wire.int32s(m.int32Data, type);
  else if (no === 6) m.stringData.push(wire.bytes());
  else if (no === 7) wire.int64s(m.int64Data, type);
  else if (no === 8) m.name = wire.string();
  else if (no === 9) m.rawData = wire.bytes();
  else if (no === 10) wire.doubles(m.doubleData, type);
  else if (no === 11) wire.uint64s(m.uint64Data, type);
  else if (no === 13) m.externalData.push(readEntry(wire));
  else if (no === 14) m.dataLocation = wire.int32();
  else return false;
  return true;
}

function readValueInfo(wire: Wire): ValueInfoProto {
  const info: ValueInfoProto = { $typeName: 'onnx.ValueInfoProto', name: '' };
  return wire.message(info, (m, w, no) => {
    if (no === 1) m.name = w.string();
    else if (no === 2) m.type = readType(w, m.type);
    else return false;
    return true;
  });
}

function readType(wire: Wire, before: TypeProto | undefined): TypeProto {
  const type: TypeProto = before ?? { $typeName: 'onnx.TypeProto' };
  return wire.message(type, (m, w, no) => {
    if (no === 1) m.tensorType = readTensorType(w, m.tensorType);
    else if (no === 4) {
      const sequence: TypeProto_Sequence = m.sequenceType ?? { $typeName: 'onnx.TypeProto.Sequence' };
      m.sequenceType = w.message(sequence, elementTypeField);
    } else if (no === 9) {
      const optional: TypeProto_Optional = m.optionalType ?? { $typeName: 'onnx.TypeProto.Optional' };
      m.optionalType = w.message(optional, elementTypeField);
    } else return false;
    return true;
  });
}

function elementTypeField(m: TypeProto_Sequence | TypeProto_Optional, wire: Wire, no: number): boolean {
  if (no !== 1) return false;
  m.elemType = readType(wire, m.elemType);
  return true;
}

function readTensorType(wire: Wire, before: TypeProto_Tensor | undefined): TypeProto_Tensor {
  const type: TypeProto_Tensor = before ?? { $typeName: 'onnx.TypeProto.Tensor', elemType: 0 };
  return wire.message(type, (m, w, no) => {
    if (no === 1) m.elemType = w.int32();
    else if (no === 2) {
      const shape: TensorShapeProto = m.shape ?? { $typeName: 'onnx.TensorShapeProto', dim: [] };
      m.shape = w.message(shape, shapeField);
    } else return false;
    return true;
  });
}

function shapeField(m: TensorShapeProto, wire: Wire, no: number): boolean {
  if (no !== 1) return false;
  const dimension: TensorShapeProto_Dimension = {
    $typeName: 'onnx.TensorShapeProto.Dimension',
    value: { case: undefined },
  };
  m.dim.push(wire.message(dimension, dimensionField));
  return true;
}

function dimensionField(m: TensorShapeProto_Dimension, wire: Wire, no: number): boolean {
  if (no === 1) m.value = { case: 'dimValue', value: wire.int64() };
  else if (no === 2) m.value = { case: 'dimParam', value: wire.string() };
  else return false;
  return true;
}
