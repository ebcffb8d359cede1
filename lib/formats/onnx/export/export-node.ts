/** One operation while it is exported: its inputs and attributes, and the means to add ONNX nodes for it. */
import { LowpError } from '../../../errors/lowp-error.ts';
import type { Model } from '../../../graph/model.ts';
import type { Node, OutputPort } from '../../../graph/node.ts';
import { fromFloat64, toFloat64, toIntegers } from '../../../tensor/convert.ts';
import type { ElementType } from '../../../tensor/element-type.ts';
import { normalizeAxis, type Shape } from '../../../tensor/shape.ts';
import { type Tensor, tensor } from '../../../tensor/tensor.ts';
import type { AttributeValue } from '../build.ts';
import { onnxTypeOf } from '../data-types.ts';
import type { GraphWriter } from './graph-writer.ts';
import type { WrittenGrids } from './written-grids.ts';

/** Adds the ONNX nodes of one operation. */
export type Exporter = (e: ExportNode) => void;

/** Exporters by operation type. */
export type ExporterTable = Readonly<Record<string, Exporter>>;

type OnnxAttributes = Readonly<Record<string, AttributeValue>>;

export class ExportNode {
  readonly node: Node;
  readonly writer: GraphWriter;
  readonly activations: WrittenGrids;
  /** Adds the operations of a body to a graph of its own, whose inputs are named already. */
  readonly exportBody: (body: Model, writer: GraphWriter) => void;

  constructor(
    node: Node,
    writer: GraphWriter,
    activations: WrittenGrids,
    exportBody: (body: Model, writer: GraphWriter) => void,
  ) {
    this.node = node;
    this.writer = writer;
    this.activations = activations;
    this.exportBody = exportBody;
  }

  /** Name of the value of an input, '' when it is absent. */
  input(index: number): string {
    const source = this.node.source(index);
    return source ? this.writer.nameOf(source) : '';
  }

  inputs(): string[] {
    return this.node.inputs.map((_, i) => this.input(i));
  }

  port(index: number): OutputPort {
    return this.node.source(index) ?? this.unsupported(`it has no input ${index}`);
  }

  shape(index: number): Shape {
    return this.port(index).fact.shape;
  }

  type(index = 0): ElementType {
    return this.port(index).fact.type;
  }

  known(index: number): Tensor | undefined {
    return this.node.source(index)?.fact.value;
  }

  /** Integers of an input that ONNX wants as an attribute. */
  knownInts(index: number, what: string): number[] {
    const value = this.known(index);
    return value ? toIntegers(value) : this.unsupported(`its ${what} must be constant`);
  }

  /** The axis of the first input that an input names, counted from the front; ONNX wants it as an attribute. */
  knownAxis(index: number): number {
    return normalizeAxis(this.knownInts(index, 'axis')[0]!, this.shape(0).length);
  }

  /** An input as i64, which ONNX asks for in shapes, axes and repeats. */
  int64(index: number, suffix: string): string {
    const value = this.known(index);
    if (value) {
      if (value.type === 'i64' && this.port(index).node.type === 'Constant') return this.input(index);
      if (value.type === 'i64') return this.constant(value, suffix);
      return this.constant(fromFloat64(toFloat64(value), value.shape, 'i64'), suffix);
    }
    return this.cast(this.input(index), this.type(index), 'i64', suffix);
  }

  /** An input that counts elements: ONNX takes i32 and i64. */
  indices(index: number, suffix: string): string {
    return this.type(index) === 'i32' ? this.input(index) : this.int64(index, suffix);
  }

  /** The value in another element type. */
  cast(value: string, from: ElementType, to: ElementType, suffix: string): string {
    if (from === to) return value;
    return this.step('Cast', [value], suffix, { to: BigInt(onnxTypeOf(to)) });
  }

  number(name: string): number {
    const value = this.node.attributes[name];
    return typeof value === 'number' ? value : this.unsupported(`its attribute '${name}' is not a number`);
  }

  flag(name: string): boolean {
    return this.node.attributes[name] === true;
  }

  text(name: string): string {
    return String(this.node.attributes[name] ?? '');
  }

  ints(name: string): number[] {
    const value = this.node.attributes[name];
    return Array.isArray(value) ? value.map(Number) : [];
  }

  constant(value: Tensor, suffix: string): string {
    return this.writer.constant(value, `${this.node.name}/${suffix}`);
  }

  int64s(values: readonly number[], suffix: string): string {
    return this.constant(tensor('i64', [values.length], values), suffix);
  }

  scalar(type: ElementType, value: number, suffix: string): string {
    return this.constant(fromFloat64(Float64Array.of(value), [], type), suffix);
  }

  /** Adds a node in front of the last one; returns the name of its value. */
  step(opType: string, inputs: readonly string[], suffix: string, attributes: OnnxAttributes = {}): string {
    const name = `${this.node.name}/${suffix}`;
    const output = this.writer.unique(name);
    this.writer.node(opType, inputs, [output], attributes, name);
    return output;
  }

  /** Adds the node that gives the outputs; `of` are ports of another operation that it gives as well, which is then done. */
  finish(
    opType: string,
    inputs: readonly string[],
    attributes: OnnxAttributes = {},
    of: readonly OutputPort[] = this.node.outputs,
  ): void {
    const outputs = of.map((port) => this.writer.nameOf(port));
    for (const port of of) if (port.node !== this.node) this.writer.absorb(port.node);
    this.writer.node(opType, inputs, outputs, attributes, (of[0]?.node ?? this.node).name);
  }

  /** @throws {LowpError} `ERR_FORMAT_UNSUPPORTED`, always */
  unsupported(text: string): never {
    const { name, type } = this.node;
    throw new LowpError('ERR_FORMAT_UNSUPPORTED', `${type} '${name}' cannot be written as ONNX: ${text}`, {
      node: name,
      help: 'Write an OpenVINO IR (.xml) instead.',
    });
  }
}

/** Integers as the attribute type of ONNX. */
export function bigints(values: readonly number[]): bigint[] {
  return values.map(BigInt);
}
