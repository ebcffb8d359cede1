// Part of a model as a model of its own, from values that are known to values that are wanted.
import { addNode } from '../../graph/edit.ts';
import { Model } from '../../graph/model.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { createNode } from '../../ops/create-node.ts';

/** The part; `port` gives where a value of the whole model is computed in it. */
export interface Segment {
  readonly model: Model;
  port(of: OutputPort): OutputPort;
}

/** The name of the input that stands for the i-th known value. */
export function inputOf(index: number): string {
  return `known ${index}`;
}

/** A model whose inputs are `from`, in this order, and that computes `wanted`. */
export function segmentOf(from: readonly OutputPort[], wanted: readonly OutputPort[]): Segment {
  const model = new Model('bias correction');
  const ports = new Map<OutputPort, OutputPort>();
  for (const [i, port] of from.entries()) {
    const attributes = { element_type: port.fact.type, shape: [...port.fact.shape] };
    ports.set(port, createNode(model, { type: 'Parameter', name: inputOf(i), attributes, inputs: [] }).output);
  }
  for (const node of nodesBetween(from, wanted)) {
    const copy = addNode(model, {
      type: node.type,
      name: node.name,
      attributes: node.attributes,
      inputs: node.inputs.map((input) => input.source && ports.get(input.source)),
      outputs: node.outputs.map((o) => o.fact),
      notes: node.notes,
    });
    for (const [i, output] of node.outputs.entries()) if (!ports.has(output)) ports.set(output, copy.outputs[i]!);
  }
  return { model, port: (of) => ports.get(of)! };
}

/** Producers first. */
function nodesBetween(from: readonly OutputPort[], wanted: readonly OutputPort[]): Node[] {
  const known = new Set(from);
  const order: Node[] = [];
  const visited = new Set<Node>();
  // Depth first, with a marker behind the inputs of each node: models may be deeper than the stack of calls.
  const stack: { readonly node: Node; readonly isDone: boolean }[] = [];
  const push = (port: OutputPort | undefined): void => {
    if (port && !known.has(port)) stack.push({ node: port.node, isDone: false });
  };
  for (const port of wanted) push(port);
  while (stack.length > 0) {
    const { node, isDone } = stack.pop()!;
    if (isDone) order.push(node);
    else if (!visited.has(node)) {
      visited.add(node);
      stack.push({ node, isDone: true });
      for (const input of node.inputs) push(input.source);
    }
  }
  return order;
}
