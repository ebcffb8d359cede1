/** Inputs of a graph: tensors as parameters, and sequences and optionals whose structure the caller states. */
import { LowpError } from '../../errors/lowp-error.ts';
import type { Model } from '../../graph/model.ts';
import type { OutputPort } from '../../graph/node.ts';
import { createNode } from '../../ops/index.ts';
import { formatShape, type Shape, unknownRank } from '../../tensor/shape.ts';
import { ownValue } from '../../util/own-value.ts';
import { computeType, elementTypeOf } from './data-types.ts';
import { OptionalValue, SequenceValue, type Value } from './import/values.ts';
import type { TypeProto, TypeProto_Tensor, ValueInfoProto } from './onnx_pb.ts';
import { maxRank } from './tensor-proto.ts';

/** What a file leaves open about its inputs, by their names. */
export interface InputShapes {
  /** Shapes of tensors that are declared without one. */
  readonly shapes: Readonly<Record<string, Shape>>;
  /** Shapes of the tensors of a sequence or of an optional; null when the optional is absent. */
  readonly elements: Readonly<Record<string, readonly Shape[] | null>>;
}

/**
 * Adds the parameters of an input. Those of a sequence are called after it, with a dot and the position behind.
 *
 * @throws {LowpError} `ERR_ONNX_GRAPH`, `ERR_ONNX_UNSUPPORTED`, `ERR_TYPE_UNSUPPORTED`, `ERR_SHAPE_RANK`,
 *   `ERR_CONFIG_INVALID` for shapes that do not fit the declaration
 */
export function addInput(model: Model, info: ValueInfoProto, given: InputShapes): Value {
  const { name, type } = info;
  if (name === '') throw new LowpError('ERR_ONNX_GRAPH', 'an input has no name');
  const where = `the input '${name}'`;
  if (type?.tensorType) {
    // What does not fit is a matter of reshaping the model that was read.
    const stated = ownValue(given.shapes, name);
    const isTaken = stated && fits(declaredShape(type.tensorType), stated);
    return addTensorInput(model, name, type, isTaken ? stated : undefined);
  }
  if (!type?.sequenceType && !type?.optionalType) {
    throw new LowpError(
      'ERR_TYPE_UNSUPPORTED',
      `${where} is not declared as a tensor, or as a sequence or an optional of tensors; lowp reads no other types`,
    );
  }
  const elements = ownValue(given.elements, name);
  const content = type.optionalType ? type.optionalType.elemType : type;
  const isSequence = content?.sequenceType !== undefined;
  if (elements === undefined) {
    const kind = type.optionalType ? 'optional' : 'a sequence of tensors';
    throw new LowpError('ERR_ONNX_UNSUPPORTED', `${where} is ${kind}; lowp reads values whose parts are known`, {
      help: `State the shapes of its tensors, ${type.optionalType ? 'or null when it is absent, ' : ''}with the option 'elements', for example { elements: { ${JSON.stringify(name)}: [[1, 3]] } }.`,
    });
  }
  if (elements === null) {
    if (type.optionalType) return new OptionalValue(undefined);
    throw new LowpError('ERR_CONFIG_INVALID', `elements: ${where} is a sequence, which cannot be absent`);
  }
  const value = isSequence
    ? sequence(model, name, content.sequenceType?.elemType, elements)
    : single(model, name, content, elements);
  return type.optionalType ? new OptionalValue(value) : value;
}

function sequence(model: Model, name: string, type: TypeProto | undefined, shapes: readonly Shape[]): SequenceValue {
  return new SequenceValue(shapes.map((shape, i) => addTensorInput(model, `${name}.${i}`, type, shape)));
}

function single(model: Model, name: string, type: TypeProto | undefined, shapes: readonly Shape[]): OutputPort {
  if (shapes.length === 1) return addTensorInput(model, name, type, shapes[0]);
  throw new LowpError('ERR_CONFIG_INVALID', `elements: the input '${name}' is one tensor, ${shapes.length} are given`);
}

/** A parameter. A stated shape takes the place of a declared one that it fits. */
function addTensorInput(model: Model, name: string, type: TypeProto | undefined, stated?: Shape): OutputPort {
  const where = `the input '${name}'`;
  const tensorType = type?.tensorType;
  if (!tensorType)
    throw new LowpError('ERR_TYPE_UNSUPPORTED', `${where} is no tensor; lowp reads parts that are tensors`);
  const elementType = computeType(elementTypeOf(tensorType.elemType, where));
  const declared = declaredShape(tensorType);
  const shape = stated ?? declared ?? unknownRank;
  if (shape.length > maxRank) {
    throw new LowpError('ERR_SHAPE_RANK', `${where} has rank ${shape.length}; lowp reads up to rank ${maxRank}`);
  }
  if (declared && !fits(declared, shape)) {
    const shapes = `${formatShape(declared)}, it cannot have the shape ${formatShape(shape)}`;
    throw new LowpError('ERR_CONFIG_INVALID', `${where} is declared as ${shapes}`);
  }
  const attributes = { element_type: elementType, shape: [...shape] };
  return createNode(model, { type: 'Parameter', name, attributes, inputs: [] }).output;
}

function declaredShape(type: TypeProto_Tensor): Shape | undefined {
  return type.shape?.dim.map(({ value }) =>
    value.case === 'dimValue' && value.value >= 0n ? Number(value.value) : -1,
  );
}

function fits(declared: Shape | undefined, shape: Shape): boolean {
  return !declared || (declared.length === shape.length && declared.every((d, i) => d < 0 || d === shape[i]));
}
