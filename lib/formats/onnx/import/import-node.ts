/** One ONNX node while it is imported: its inputs and attributes, and the means to add operations for it. */
import { LowpError } from '../../../errors/lowp-error.ts';
import { addConstant } from '../../../graph/edit.ts';
import type { Model } from '../../../graph/model.ts';
import type { Fact, OutputPort } from '../../../graph/node.ts';
import { createNode, inferFacts, parseAttributes } from '../../../ops/create-node.ts';
import type { Grid } from '../../../ops/quantization/moved-grid.ts';
import { getOp } from '../../../ops/registry.ts';
import { toFloat64, toIntegers } from '../../../tensor/convert.ts';
import type { ElementType } from '../../../tensor/element-type.ts';
import { reshapedTensor } from '../../../tensor/lazy.ts';
import { elementCount, isStatic, type Shape, sameShape, spannedElements } from '../../../tensor/shape.ts';
import { type Tensor, tensor } from '../../../tensor/tensor.ts';
import type { Attributes } from '../attributes.ts';
import type { GraphProto } from '../onnx_pb.ts';
import { describe, isTensor, type Value } from './values.ts';

/** Turns one ONNX node into operations; returns the ports of its outputs, undefined for one that is not computed. */
export type Importer = (n: ImportNode) => readonly (OutputPort | undefined)[];

/** Importers by ONNX operator name. */
export type ImporterTable = Readonly<Record<string, Importer>>;

/** An importer whose outputs may be sequences or optionals. */
export type ValueImporter = (n: ImportNode) => readonly (Value | undefined)[];

export type ValueImporterTable = Readonly<Record<string, ValueImporter>>;

/** What was quantized by a QuantizeLinear, so that the DequantizeLinear behind it can undo it. */
export interface QuantizedValue {
  readonly source: OutputPort;
  readonly scale: Tensor;
  readonly zeroPoint: Tensor;
  readonly axis: number;
  /** The FakeQuantize that stands for the pair, once one was needed. */
  fakeQuantize?: OutputPort;
}

/** What is known of some values. */
export interface PortNotes<V> {
  get(port: OutputPort): V | undefined;
  set(port: OutputPort, value: V): void;
}

/** What all nodes of one graph share. */
export interface ImportState {
  readonly model: Model;
  readonly opset: number;
  readonly quantized: PortNotes<QuantizedValue>;
  /** Values that lie on a grid of the whole tensor. */
  readonly grids: PortNotes<Grid>;
  /** Sums of whole numbers, and the same numbers rounded to f32. */
  readonly reals: PortNotes<OutputPort>;
}

/** A body as a model of its own. */
export interface ReadBody {
  readonly model: Model;
  /** What the outputs of the body are, in its model; results are not added yet. */
  readonly outputs: readonly Value[];
  /** Values from outside that it reads, and the parameters that stand for them. */
  readonly captures: readonly { readonly outside: OutputPort; readonly parameter: OutputPort }[];
}

/** How a body is read: for the shapes that values from outside have, or for any shapes. */
export type CapturedShapes = 'known' | 'any';

/** Reads the graphs that one node holds as attributes. */
export interface BodyReader {
  /** Adds the nodes of a body to the model of the node, once more with each call; returns the outputs of the body. */
  inline(graph: GraphProto, inputs: readonly Value[], prefix: string): readonly Value[];
  /** Reads a body as a model of its own; `inputs` adds what the body is given to that model. */
  separate(graph: GraphProto, inputs: (model: Model) => readonly Value[], shapes?: CapturedShapes): ReadBody;
  /** True when the body reads a value from outside that is no tensor. */
  readsStructures(graph: GraphProto): boolean;
}

export interface AddOptions {
  /** Name of an operation that is not the last one of the node: `<node>/<suffix>`. */
  readonly suffix?: string;
  /** False keeps the operation even when its inputs are constant: compressed weights stay small. */
  readonly fold?: boolean;
  /** Revision of the operation, `opset1`; the latest by default. */
  readonly opset?: string;
  readonly rtInfo?: readonly Readonly<Record<string, string>>[];
}

/** Constants up to this many elements are folded whatever their inputs; larger ones may not outgrow their inputs. */
const foldLimit = 2 ** 16;

export class ImportNode {
  readonly name: string;
  readonly opType: string;
  readonly attributes: Attributes;
  readonly state: ImportState;
  readonly inputCount: number;
  /** ONNX names of the outputs, '' for one that nobody wants. */
  readonly outputNames: readonly string[];
  readonly bodies: BodyReader;
  readonly #inputs: readonly (Value | undefined)[];

  constructor(
    state: ImportState,
    node: {
      readonly name: string;
      readonly opType: string;
      readonly attributes: Attributes;
      readonly inputs: readonly (Value | undefined)[];
      readonly outputNames: readonly string[];
      readonly bodies: BodyReader;
    },
  ) {
    this.state = state;
    this.name = node.name;
    this.opType = node.opType;
    this.attributes = node.attributes;
    this.outputNames = node.outputNames;
    this.bodies = node.bodies;
    this.inputCount = node.inputs.length;
    this.#inputs = node.inputs;
  }

  /** The same node with other inputs: what an operator is for values that this node made first. */
  derive(
    inputs: readonly (OutputPort | undefined)[],
    as: { readonly opType?: string; readonly opset?: number } = {},
  ): ImportNode {
    const { name, attributes, outputNames, bodies } = this;
    const { opType = this.opType, opset = this.opset } = as;
    return new ImportNode({ ...this.state, opset }, { name, opType, attributes, inputs, outputNames, bodies });
  }

  get opset(): number {
    return this.state.opset;
  }

  /** @throws {LowpError} `ERR_OP_INPUTS` when the input is absent, `ERR_ONNX_UNSUPPORTED` when it is no tensor */
  input(index: number): OutputPort {
    return this.optional(index) ?? this.#missing(index);
  }

  optional(index: number): OutputPort | undefined {
    const value = this.#inputs[index];
    if (value === undefined || isTensor(value)) return value;
    return this.unsupported(`its input ${index} is ${describe(value)}, it reads tensors only`);
  }

  /** An input of any structure. */
  value(index: number): Value {
    return this.#inputs[index] ?? this.#missing(index);
  }

  optionalValue(index: number): Value | undefined {
    return this.#inputs[index];
  }

  /** All inputs, none of them absent. */
  allInputs(): OutputPort[] {
    return this.#inputs.map((_, i) => this.input(i));
  }

  /** All inputs, undefined for those that are absent. */
  all(): (OutputPort | undefined)[] {
    return this.#inputs.map((_, i) => this.optional(i));
  }

  rank(index: number): number {
    return this.input(index).fact.shape.length;
  }

  /**
   * The value of an input that has to be known now; undefined when the input is absent.
   *
   * @throws {LowpError} `ERR_ONNX_UNSUPPORTED` when it is computed from the inputs of the model
   */
  known(index: number, what: string): Tensor | undefined {
    const port = this.optional(index);
    if (!port || port.fact.value) return port?.fact.value;
    return this.unsupported(
      `the value of its ${what} depends on the inputs of the model; only constants are supported`,
    );
  }

  /** {@link known} as integers. */
  knownInts(index: number, what: string): number[] | undefined {
    const value = this.known(index, what);
    return value && toIntegers(value);
  }

  /** {@link known} as one number. */
  knownNumber(index: number, what: string): number | undefined {
    const value = this.known(index, what);
    if (!value) return undefined;
    const numbers = toFloat64(value);
    if (numbers.length !== 1) this.invalid(`its ${what} has ${numbers.length} elements, expected one`);
    return numbers[0];
  }

  /** A list that is an attribute up to some opset, and an input from then on. */
  intsFrom(attribute: string, input: number): number[] | undefined {
    return this.attributes.ints(attribute) ?? this.knownInts(input, attribute);
  }

  /** Adds an operation and returns its first output. Without `suffix` it carries the name of the node. */
  add(
    type: string,
    attributes: Readonly<Record<string, unknown>>,
    inputs: readonly (OutputPort | undefined)[],
    options: AddOptions = {},
  ): OutputPort {
    const first = this.addAll(type, attributes, inputs, options)[0];
    return first ?? this.invalid(`${type} has no output`);
  }

  /** Adds an operation and returns all its outputs; operations on constants are evaluated right away. */
  addAll(
    type: string,
    attributes: Readonly<Record<string, unknown>>,
    inputs: readonly (OutputPort | undefined)[],
    options: AddOptions = {},
  ): readonly OutputPort[] {
    const name = options.suffix === undefined ? this.name : `${this.name}/${options.suffix}`;
    const folded = options.fold === false ? undefined : this.#fold(type, attributes, inputs, name, options.opset);
    if (folded) return folded;
    const { opset, rtInfo } = options;
    const notes = { ...(opset === undefined ? {} : { opset }), ...(rtInfo === undefined ? {} : { rtInfo }) };
    return createNode(this.state.model, { type, name, attributes, inputs, notes }).outputs;
  }

  /** Adds an operation whose first output is an intermediate value; it is called after its type. */
  step(
    type: string,
    inputs: readonly (OutputPort | undefined)[],
    attributes: Readonly<Record<string, unknown>> = {},
    options: AddOptions = {},
  ): OutputPort {
    return this.add(type, attributes, inputs, { suffix: type, ...options });
  }

  /** The sizes of a value as a 1-D tensor of i64: a constant where all are static. */
  shapeOf(port: OutputPort): OutputPort {
    const { shape } = port.fact;
    return isStatic(shape) ? this.indices(shape, 'shape') : this.step('ShapeOf', [port], { output_type: 'i64' });
  }

  /** One size of a value as a scalar of i64. */
  sizeOf(port: OutputPort, axis: number): OutputPort {
    const size = port.fact.shape[axis]!;
    if (size >= 0) return this.scalar('i64', size, 'size');
    const index = this.scalar('i64', axis, 'axis');
    return this.step('Gather', [this.shapeOf(port), index, this.scalar('i64', 0, 'axis')], { batch_dims: 0 });
  }

  /** 0, 1, … below a scalar, in its element type. */
  countTo(size: OutputPort): OutputPort {
    const { type } = size.fact;
    const limits = [this.scalar(type, 0, 'start'), size, this.scalar(type, 1, 'step')];
    return this.step('Range', limits, { output_type: type });
  }

  /** A value in another element type; itself when it has that type. */
  converted(port: OutputPort, type: ElementType, options: AddOptions = {}): OutputPort {
    return port.fact.type === type ? port : this.step('Convert', [port], { destination_type: type }, options);
  }

  /** `f(port, constant)` with a scalar of the port's type. */
  with(type: string, port: OutputPort, value: number, options: AddOptions = {}): OutputPort {
    return this.step(type, [port, this.scalar(port.fact.type, value, 'value')], {}, options);
  }

  /** The value of an input when it is known now, as integers; undefined when it is absent or computed. */
  ints(index: number): number[] | undefined {
    const value = this.optional(index)?.fact.value;
    return value && toIntegers(value);
  }

  constant(value: Tensor, suffix?: string): OutputPort {
    return addConstant(this.state.model, suffix === undefined ? this.name : `${this.name}/${suffix}`, value).output;
  }

  /** A 1-D constant of i64, for axes, sizes and orders. */
  indices(values: readonly number[], suffix: string): OutputPort {
    return this.constant(tensor('i64', [values.length], values), suffix);
  }

  scalar(type: ElementType, value: number, suffix: string): OutputPort {
    return this.constant(tensor(type, [], [value]), suffix);
  }

  /** The same elements in another shape: a constant shares its data, anything else gets a Reshape. */
  reshaped(port: OutputPort, shape: Shape, suffix: string): OutputPort {
    if (sameShape(port.fact.shape, shape)) return port;
    const value = port.node.type === 'Constant' ? port.fact.value : undefined;
    if (value) return this.constant(reshapedTensor(value, shape), suffix);
    const target = this.indices(shape, `${suffix}/shape`);
    return this.add('Reshape', { special_zero: false }, [port, target], { suffix });
  }

  /** @throws {LowpError} `ERR_ONNX_UNSUPPORTED`, always */
  unsupported(text: string): never {
    throw new LowpError('ERR_ONNX_UNSUPPORTED', `${this.opType} '${this.name}': ${text}`, { node: this.name });
  }

  /** @throws {LowpError} `ERR_ONNX_GRAPH`, always */
  invalid(text: string): never {
    throw new LowpError('ERR_ONNX_GRAPH', `${this.opType} '${this.name}': ${text}`, { node: this.name });
  }

  #missing(index: number): never {
    throw new LowpError('ERR_OP_INPUTS', `${this.opType} '${this.name}' has no input ${index}`, { node: this.name });
  }

  #fold(
    type: string,
    raw: Readonly<Record<string, unknown>>,
    inputs: readonly (OutputPort | undefined)[],
    name: string,
    opset: string | undefined,
  ): OutputPort[] | undefined {
    if (inputs.length === 0 || inputs.some((port) => port && port.node.type !== 'Constant')) return undefined;
    const values = inputs.map((port) => port?.fact.value);
    const definition = getOp(type, opset, name);
    if (!definition.evaluate || definition.stateful || definition.control) return undefined;
    const attributes = parseAttributes(definition, raw, name);
    const facts = inferFacts(
      definition,
      attributes,
      inputs.map((port) => port?.fact),
      name,
    );
    if (!mayFold(facts, values)) return undefined;
    const present = values.filter((v) => v !== undefined);
    const results = definition.evaluate(attributes, present, values);
    return results.map((value, i) => {
      const constantName = i === 0 ? name : `${name}.${i}`;
      return addConstant(this.state.model, constantName, value).output;
    });
  }
}

function mayFold(facts: readonly Fact[], values: readonly (Tensor | undefined)[]): boolean {
  if (!facts.every((f) => isStatic(f.shape))) return false;
  const size = facts.reduce((sum, f) => sum + spannedElements(f.shape), 0);
  const given = values.reduce((sum, v) => sum + (v ? elementCount(v.shape) : 0), 0);
  return size <= Math.max(foldLimit, 2 * given);
}
