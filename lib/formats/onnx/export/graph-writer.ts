/** Collects the nodes and initializers of an ONNX graph, and keeps its value names unique. */
import { invariant } from '../../../errors/assert.ts';
import type { Node, OutputPort } from '../../../graph/node.ts';
import { asBytes, convert } from '../../../tensor/convert.ts';
import { type ElementType, isInteger } from '../../../tensor/element-type.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { contentText } from '../../../util/content-text.ts';
import { type AttributeValue, nodeProto, tensorProto } from '../build.ts';
import { isWritable } from '../data-types.ts';
import { namesReadBy } from '../names.ts';
import type { NodeProto, TensorProto } from '../onnx_pb.ts';

/** What a graph shares with its bodies: no name may stand for two things. */
interface Shared {
  readonly taken: Set<string>;
  readonly nodeNames: Set<string>;
  constantBytes: number;
  /** How to take back what an attempt adds; undefined while there is none. */
  undo?: (() => void)[] | undefined;
}

export class GraphWriter {
  readonly #shared: Shared;
  readonly #values = new Map<OutputPort, string>();
  readonly #absorbed = new Set<Node>();
  #nodes: NodeProto[] = [];
  #initializers: TensorProto[] = [];

  constructor(shared: Shared = { taken: new Set(), nodeNames: new Set(), constantBytes: 0 }) {
    this.#shared = shared;
  }

  /** The writer of a body. */
  nested(): GraphWriter {
    return new GraphWriter(this.#shared);
  }

  /** Bytes of all initializers, those of bodies included. */
  get constantBytes(): number {
    return this.#shared.constantBytes;
  }

  /** The wanted name, or with a number behind it when it is taken. */
  unique(wanted: string): string {
    return this.#reserve(this.#shared.taken, wanted || 'value');
  }

  /** Gives a port its name. */
  define(port: OutputPort, name: string): void {
    const before = this.#values.get(port);
    this.#shared.undo?.push(() => {
      if (before === undefined) this.#values.delete(port);
      else this.#values.set(port, before);
    });
    this.#values.set(port, name);
  }

  isDefined(port: OutputPort): boolean {
    return this.#values.has(port);
  }

  /** Notes that another operation's node computes this operation too. */
  absorb(node: Node): void {
    if (this.#absorbed.has(node)) return;
    this.#absorbed.add(node);
    this.#shared.undo?.push(() => this.#absorbed.delete(node));
  }

  isAbsorbed(node: Node): boolean {
    return this.#absorbed.has(node);
  }

  /** The name of a port's value; a constant becomes an initializer when it is first read. */
  nameOf(port: OutputPort): string {
    const known = this.#values.get(port);
    if (known !== undefined) return known;
    const { node } = port;
    const suffix = node.outputs.length > 1 ? `.${port.index}` : '';
    const wanted = port.names[0] ?? `${node.name}${suffix}`;
    if (node.type === 'Constant') {
      invariant(port.fact.value, `the constant ${node.name} has no value`);
      const name = this.constant(port.fact.value, wanted);
      this.define(port, name);
      return name;
    }
    const name = this.unique(wanted);
    this.define(port, name);
    return name;
  }

  /** Adds an initializer and returns its name. Types that cannot be written are widened. */
  constant(value: Tensor, wanted: string): string {
    const name = this.unique(wanted);
    const proto = tensorProto(name, widened(value));
    this.#shared.constantBytes += proto.rawData?.length ?? 0;
    this.#initializers.push(proto);
    return name;
  }

  node(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
    name: string,
    domain = '',
  ): void {
    const last = inputs.findLastIndex((i) => i !== '');
    const unique = this.#reserve(this.#shared.nodeNames, name || opType);
    const proto = nodeProto(opType, inputs.slice(0, last + 1), outputs, attributes, unique);
    proto.domain = domain;
    this.#nodes.push(proto);
  }

  /** What `write` adds, as text of its content; afterwards it is as if nothing had been added. */
  attempt(write: () => void): string {
    const shared = this.#shared;
    const { constantBytes, undo: outer } = shared;
    const [nodes, initializers] = [this.#nodes.length, this.#initializers.length];
    const undo: (() => void)[] = [];
    shared.undo = undo;
    try {
      write();
      return contentText([this.#nodes.slice(nodes), this.#initializers.slice(initializers)]);
    } finally {
      shared.undo = outer;
      for (const takeBack of undo.reverse()) takeBack();
      this.#nodes.length = nodes;
      this.#initializers.length = initializers;
      shared.constantBytes = constantBytes;
    }
  }

  /** Nodes and initializers that the outputs need. */
  finish(outputs: readonly string[]): { nodes: NodeProto[]; initializers: TensorProto[] } {
    const needed = new Set(outputs);
    const nodes = this.#nodes
      .reverse()
      .filter((node) => {
        if (!node.output.some((o) => needed.has(o))) return false;
        namesReadBy(node, needed);
        return true;
      })
      .reverse();
    const initializers = this.#initializers.filter((t) => needed.has(t.name));
    this.#nodes = [];
    this.#initializers = [];
    return { nodes, initializers };
  }

  #reserve(taken: Set<string>, wanted: string): string {
    let name = wanted;
    for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
    taken.add(name);
    this.#shared.undo?.push(() => taken.delete(name));
    return name;
  }
}

/** Floats that half precision does not hold exactly. */
const beyondHalf: readonly ElementType[] = ['nf4', 'f8e8m0'];

function widened(value: Tensor): Tensor {
  if (isWritable(value.type)) return value;
  if (isInteger(value.type)) return asBytes(value);
  return convert(value, beyondHalf.includes(value.type) ? 'f32' : 'f16');
}
