// An operation written as other operations: what its definition uses to build them.
import { addConstant } from '../graph/edit.ts';
import { type Model, withOwnBodies } from '../graph/model.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import type { ElementType } from '../tensor/element-type.ts';
import type { Shape } from '../tensor/shape.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { createNode } from './create-node.ts';

/** Adds the operations that take the place of one node; their names start with the node's. */
export class Expansion {
  readonly model: Model;
  private readonly prefix: string;

  constructor(model: Model, node: { readonly name: string }) {
    this.model = model;
    this.prefix = node.name;
  }

  /** All outputs of a new operation. */
  all(
    type: string,
    inputs: readonly (OutputPort | undefined)[],
    attributes: Readonly<Record<string, unknown>>,
    name: string,
  ): readonly OutputPort[] {
    return createNode(this.model, { type, name: `${this.prefix}/${name}`, attributes, inputs }).outputs;
  }

  /** The first output of a new operation. */
  add(
    type: string,
    inputs: readonly (OutputPort | undefined)[],
    attributes: Readonly<Record<string, unknown>>,
    name: string,
  ): OutputPort {
    return this.all(type, inputs, attributes, name)[0]!;
  }

  /** A copy of a node, with other inputs and bodies of its own; its facts are inferred again. */
  copy(node: Node, inputs: readonly (OutputPort | undefined)[], name: string): readonly OutputPort[] {
    const full = `${this.prefix}/${name}`;
    if (node.type === 'Constant') return addConstant(this.model, full, node.output.fact.value!, node.notes).outputs;
    const { type, attributes, notes } = node;
    return createNode(this.model, { type, name: full, attributes: withOwnBodies(attributes), inputs, notes }).outputs;
  }

  constant(type: ElementType, shape: Shape, values: readonly number[], name: string): OutputPort {
    return this.tensor(tensor(type, shape, values), name);
  }

  tensor(value: Tensor, name: string): OutputPort {
    return addConstant(this.model, `${this.prefix}/${name}`, value).output;
  }

  reshape(port: OutputPort, shape: Shape, name: string): OutputPort {
    const target = this.constant('i64', [shape.length], shape, `${name}/shape`);
    return this.add('Reshape', [port, target], { special_zero: false }, name);
  }

  /** Output axis `i` is axis `order[i]`; the port itself where that is the order that it has. */
  transpose(port: OutputPort, order: readonly number[], name: string): OutputPort {
    if (order.every((from, axis) => from === axis)) return port;
    return this.add('Transpose', [port, this.constant('i64', [order.length], order, `${name}/order`)], {}, name);
  }

  /** `count` equal parts along an axis. */
  split(port: OutputPort, axis: number, count: number, name: string): readonly OutputPort[] {
    if (count === 1) return [port];
    return this.all('Split', [port, this.constant('i64', [], [axis], `${name}/axis`)], { num_splits: count }, name);
  }

  /** Parts of given lengths along an axis. */
  parts(port: OutputPort, axis: number, lengths: readonly number[], name: string): readonly OutputPort[] {
    const at = this.constant('i64', [], [axis], `${name}/axis`);
    const sizes = this.constant('i64', [lengths.length], lengths, `${name}/lengths`);
    return this.all('VariadicSplit', [port, at, sizes], {}, name);
  }

  concat(ports: readonly OutputPort[], axis: number, name: string): OutputPort {
    return ports.length === 1 ? ports[0]! : this.add('Concat', ports, { axis }, name);
  }
}
