// The model without quantizers, with parts of the quantized one beside it in the same model: both run on the same inputs.
import { addNode } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import { isConstant, isQuantizer, type Roles } from '../quantization/roles.ts';
import type { AlgorithmContext } from './algorithm.ts';

/** Whether a node is copied for one that reads it; without a reader it is asked for itself. */
export type CopyRule = (node: Node, reader: Node | undefined) => boolean;

/** The way from quantizers to what reads them: a quantizer, and operations that only move values behind it. */
export function roundingPath(roles: Roles): CopyRule {
  return (node, reader) => !(reader && isQuantizer(reader)) && (isQuantizer(node) || roles.isAgnostic(node));
}

/**
 * A copy of `original`, with copies of what `ports` of `work` are computed from. The copies go upward from each port as long
 * as `isCopied` holds, and read the unquantized value from there on.
 *
 * @returns the model, and where each of `ports` is in it
 */
export function besideOriginal(
  ports: readonly OutputPort[],
  { original }: Pick<AlgorithmContext, 'original'>,
  isCopied: CopyRule,
): { readonly model: Model; readonly ports: readonly OutputPort[] } {
  const model = original.clone();
  const copies = new Map<Node, Node>();
  // Constants are copied always: those of `work` may have other values. Nodes that were added to `work` have ids that the
  // copy may give to others.
  const mustCopy = (port: OutputPort, reader?: Node): boolean => {
    if (isConstant(port) || !original.nodeById.has(port.node.id)) return true;
    return port.node.type !== 'Parameter' && isCopied(port.node, reader);
  };
  const twin = (port: OutputPort, reader?: Node): OutputPort => {
    const node = mustCopy(port, reader) ? copies.get(port.node) : model.nodeById.get(port.node.id);
    return node!.outputs[port.index]!;
  };
  const stack = ports.filter((port) => mustCopy(port)).map(({ node }) => ({ node, isReady: false }));
  while (stack.length > 0) {
    const { node, isReady } = stack.pop()!;
    if (copies.has(node)) continue;
    if (isReady) {
      copies.set(node, copyNode(model, node, twin));
      continue;
    }
    stack.push({ node, isReady: true });
    for (const { source } of node.inputs) {
      if (source && mustCopy(source, node)) stack.push({ node: source.node, isReady: false });
    }
  }
  return { model, ports: ports.map((port) => twin(port)) };
}

function copyNode(model: Model, node: Node, twin: (port: OutputPort, reader: Node) => OutputPort): Node {
  return addNode(model, {
    type: node.type,
    name: `${node.name}/rounded`,
    attributes: node.attributes,
    inputs: node.inputs.map((input) => input.source && twin(input.source, node)),
    outputs: node.outputs.map((o) => o.fact),
    notes: node.notes,
  });
}
