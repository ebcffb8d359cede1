// The model without quantizers, with the data of products as their quantizers round it beside it.
import { addNode } from '../../graph/edit.ts';
import type { Model } from '../../graph/model.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { isQuantizer } from '../../quantization/roles.ts';
import type { AlgorithmContext } from '../algorithm.ts';

/**
 * A copy of `original` in which, for each node of `work`, the path from the quantizers to its data input is repeated: a
 * quantizer reads the unquantized value, and operations that only move values follow it. Nothing else reads these values.
 *
 * @returns the model, and the port of each node's rounded data
 */
export function roundedInputs(
  nodes: readonly Node[],
  context: AlgorithmContext,
): { readonly model: Model; readonly ports: readonly OutputPort[] } {
  const model = context.original.clone();
  const copies = new Map<Node, Node>();
  // Nodes that were added to `work` have ids that the copy may give to others.
  const isOriginal = (node: Node): boolean => context.original.nodeById.has(node.id);
  const copyOf = (port: OutputPort): OutputPort => {
    const { node } = port;
    const isPath = isQuantizer(node) || context.roles.isAgnostic(node);
    if (!isPath && isOriginal(node)) return model.nodeById.get(node.id)!.outputs[port.index]!;
    const copy = copies.get(node) ?? copyNode(node);
    copies.set(node, copy);
    return copy.outputs[port.index]!;
  };
  const copyNode = (node: Node): Node =>
    addNode(model, {
      type: node.type,
      name: `${node.name}/rounded`,
      attributes: node.attributes,
      inputs: node.inputs.map((input) => input.source && copyOf(input.source)),
      outputs: node.outputs.map((o) => o.fact),
      notes: node.notes,
    });
  return { model, ports: nodes.map((node) => copyOf(node.source(0)!)) };
}
