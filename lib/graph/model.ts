// A network.
import { LowpError } from '../errors/lowp-error.ts';
import { editCount } from './edit-count.ts';
import { InputPort, Node, OutputPort } from './node.ts';
import { SubGraph } from './sub-graph.ts';
import { topologicalOrder } from './topological.ts';

/** Model-level text of a file format, kept and written back: an IR `<rt_info>` tree or ONNX metadata. */
export interface MetaElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly MetaElement[];
  readonly text?: string;
}

/**
 * A network: nodes connected through ports, with `Parameter` nodes as inputs and `Result` nodes as outputs.
 * Read freely; change only through `edit.ts`.
 */
export class Model {
  name: string;
  /** The file the model came from, for messages. */
  path?: string;
  /** IR version it was read from, 11 otherwise. */
  irVersion: 10 | 11 = 11;
  meta: readonly MetaElement[] = [];
  /** Everything below is written by `edit.ts` only. */
  readonly nodeById = new Map<number, Node>();
  readonly parameterList: Node[] = [];
  readonly resultList: Node[] = [];
  nextId = 0;
  /** The order of the nodes, and {@link editCount} when it was found. */
  private order: { readonly nodes: readonly Node[]; readonly edits: number } | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Inputs, in the order of the model. */
  parameters(): readonly Node[] {
    return this.parameterList;
  }

  /** Outputs, in the order of the model. */
  results(): readonly Node[] {
    return this.resultList;
  }

  /**
   * All nodes, producers before consumers, otherwise in order of creation.
   *
   * @throws {LowpError} `ERR_GRAPH_CYCLE`
   */
  nodes(): readonly Node[] {
    const edits = editCount();
    if (this.order?.edits !== edits) this.order = { nodes: topologicalOrder(this.nodeById.values()), edits };
    return this.order.nodes;
  }

  /**
   * The node of that name.
   *
   * @throws {LowpError} `ERR_GRAPH_NAME`
   */
  node(name: string): Node {
    for (const node of this.nodeById.values()) if (node.name === name) return node;
    throw new LowpError('ERR_GRAPH_NAME', `the model '${this.name}' has no node named '${name}'`);
  }

  /** A copy that shares tensors and attributes but no nodes, ports or bodies. */
  clone(): Model {
    const copy = new Model(this.name);
    if (this.path !== undefined) copy.path = this.path;
    copy.irVersion = this.irVersion;
    copy.meta = this.meta;
    copy.nextId = this.nextId;
    const ports = new Map<OutputPort, OutputPort>();
    for (const node of this.nodeById.values()) {
      const twin = new Node(node.id, node.name, node.type, withOwnBodies(node.attributes), node.notes);
      for (const out of node.outputs) {
        const port = new OutputPort(twin, out.index, out.fact, out.names);
        twin.outputs.push(port);
        ports.set(out, port);
      }
      copy.nodeById.set(twin.id, twin);
    }
    for (const node of this.nodeById.values()) {
      const twin = copy.nodeById.get(node.id)!;
      for (const input of node.inputs) {
        const port = new InputPort(twin, input.index);
        port.source = input.source && ports.get(input.source)!;
        port.source?.consumers.add(port);
        twin.inputs.push(port);
      }
    }
    for (const node of this.parameterList) copy.parameterList.push(copy.nodeById.get(node.id)!);
    for (const node of this.resultList) copy.resultList.push(copy.nodeById.get(node.id)!);
    return copy;
  }
}

/** The attributes with copies of the bodies among them. */
export function withOwnBodies(attributes: Node['attributes']): Node['attributes'] {
  for (const name in attributes) {
    if (!(attributes[name] instanceof SubGraph)) continue;
    const entries = Object.entries(attributes);
    return Object.fromEntries(entries.map(([key, value]) => [key, value instanceof SubGraph ? value.clone() : value]));
  }
  return attributes;
}

/** The name by which users feed a `Parameter`: its first tensor name, else its node name. */
export function inputName(parameter: Node): string {
  return parameter.output.names[0] ?? parameter.name;
}

/** The name by which users read a `Result`: the first tensor name of its source, else the source node's name. */
export function outputName(result: Node): string {
  const source = result.source(0);
  if (!source) return result.name;
  const suffix = source.node.outputs.length > 1 ? `.${source.index}` : '';
  return result.outputs[0]?.names[0] ?? source.names[0] ?? `${source.node.name}${suffix}`;
}
