/** The graph of a body while it is exported: names for its parameters, then its operations, then its outputs. */
import { create } from '@bufbuild/protobuf';
import type { OutputPort } from '../../../graph/node.ts';
import type { SubGraph } from '../../../graph/sub-graph.ts';
import type { ElementType } from '../../../tensor/element-type.ts';
import type { Shape } from '../../../tensor/shape.ts';
import { valueInfo } from '../build.ts';
import { isWritable } from '../data-types.ts';
import { type GraphProto, GraphProtoSchema, type ValueInfoProto } from '../onnx_pb.ts';
import type { ExportNode } from './export-node.ts';
import type { GraphWriter } from './graph-writer.ts';

export class BodyExport {
  readonly sub: SubGraph;
  readonly writer: GraphWriter;
  readonly #e: ExportNode;
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];

  constructor(e: ExportNode, sub: SubGraph) {
    this.#e = e;
    this.sub = sub;
    this.writer = e.writer.nested();
  }

  parameter(internal: number): OutputPort {
    return this.sub.body.parameters()[internal]!.output;
  }

  result(internal: number): OutputPort {
    return this.sub.body.results()[internal]!.source(0)!;
  }

  /** Declares the next input of the body; returns its name. */
  input(wanted: string, type: ElementType, shape: Shape): string {
    if (!isWritable(type)) this.#e.unsupported(`values of a body of type ${type}`);
    const name = this.writer.unique(wanted);
    this.#inputs.push(this.#declared(name, type, shape));
    return name;
  }

  /** Declares the next input of the body: a parameter as it is. */
  parameterInput(internal: number): void {
    const port = this.parameter(internal);
    this.bind(internal, this.input(port.node.name, port.fact.type, port.fact.shape));
  }

  /** A parameter is a value of that name, of this graph or of one around it. */
  bind(internal: number, name: string): void {
    this.writer.define(this.parameter(internal), name);
  }

  /** Adds a node whose one value has a name of its own. */
  step(...[opType, inputs, suffix, attributes]: Parameters<ExportNode['step']>): string {
    const name = `${this.#e.node.name}/${suffix}`;
    const output = this.writer.unique(name);
    this.writer.node(opType, inputs, [output], attributes ?? {}, name);
    return output;
  }

  /** Adds the operations; all parameters are named by now. */
  operations(): void {
    this.#e.exportBody(this.sub.body, this.writer);
  }

  /** Declares the next output of the body; two outputs cannot be one value, and none can be an input. */
  output(value: string, type: ElementType, shape: Shape): void {
    const name = this.step('Identity', [value], 'output');
    this.#outputs.push(this.#declared(name, type, shape));
  }

  /** Declares the next output of the body: a result as it is. */
  resultOutput(internal: number): void {
    const port = this.result(internal);
    this.output(this.writer.nameOf(port), port.fact.type, port.fact.shape);
  }

  finish(): GraphProto {
    const { nodes, initializers } = this.writer.finish(this.#outputs.map((o) => o.name));
    return create(GraphProtoSchema, {
      name: this.sub.body.name || 'body',
      node: nodes,
      initializer: initializers,
      input: this.#inputs,
      output: this.#outputs,
    });
  }

  #declared(name: string, type: ElementType, shape: Shape): ValueInfoProto {
    return valueInfo(name, type, shape, `${name}_0`);
  }
}
