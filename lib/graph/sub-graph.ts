// Bodies of loops and conditions: networks inside a node, and how their ports meet the node's.
import type { Model } from './model.ts';

/** How a value is cut into the pieces of iterations, or put together from them. */
export interface Slicing {
  readonly axis: number;
  /** First and last index of the whole, both inclusive; negative ones count from the end. */
  readonly start: number;
  readonly end: number;
  /** Its sign is the direction in which iterations walk. */
  readonly stride: number;
  /** Elements of one piece on the axis. */
  readonly partSize: number;
}

/** A port of the node beside one of the body. */
export interface PortMapping {
  /** Input or output of the node; -1 for a port that only the loop itself has. */
  readonly external: number;
  /** Position among the parameters (inputs) or results (outputs) of the body. */
  readonly internal: number;
  readonly slicing?: Slicing;
  /** What a port without an external one carries. */
  readonly purpose?: 'current_iteration' | 'execution_condition';
}

/** A result of an iteration that the next one takes as a parameter; positions as in {@link PortMapping}. */
export interface BackEdge {
  readonly from: number;
  readonly to: number;
}

/** A body and its ports. It belongs to one node; a copy of the node has a copy of it. */
export class SubGraph {
  readonly body: Model;
  readonly inputs: readonly PortMapping[];
  readonly outputs: readonly PortMapping[];
  readonly backEdges: readonly BackEdge[];

  constructor(
    body: Model,
    inputs: readonly PortMapping[],
    outputs: readonly PortMapping[],
    backEdges: readonly BackEdge[] = [],
  ) {
    this.body = body;
    this.inputs = inputs;
    this.outputs = outputs;
    this.backEdges = backEdges;
  }

  clone(): SubGraph {
    return new SubGraph(this.body.clone(), this.inputs, this.outputs, this.backEdges);
  }
}

/** The bodies inside a node, in the order of its attributes. */
export function subGraphsOf(node: { readonly attributes: Readonly<Record<string, unknown>> }): SubGraph[] {
  const found: SubGraph[] = [];
  for (const name in node.attributes) {
    const value = node.attributes[name];
    if (value instanceof SubGraph) found.push(value);
  }
  return found;
}

/** The model behind all bodies in it, inner ones first. */
export function withBodies(model: Model): Model[] {
  const models: Model[] = [];
  for (const node of model.nodeById.values())
    for (const { body } of subGraphsOf(node)) for (const inner of withBodies(body)) models.push(inner);
  models.push(model);
  return models;
}
