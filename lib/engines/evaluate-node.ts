// One node evaluated by its operation's own definition.
import { LowpError } from '../errors/lowp-error.ts';
import type { Node } from '../graph/node.ts';
import { getOp } from '../ops/registry.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The outputs of one node; errors name it. */
export function evaluateNode(node: Node, inputs: readonly (Tensor | undefined)[]): Tensor[] {
  const definition = getOp(node.type, node.notes.opset, node.name);
  const present = inputs.filter((t): t is Tensor => t !== undefined);
  try {
    return definition.evaluate!(node.attributes, present, inputs);
  } catch (error) {
    if (!(error instanceof LowpError) || error.node !== undefined) throw error;
    const shapes = present.map((t) => `${t.type}${formatShape(t.shape)}`).join(', ');
    throw new LowpError(error.code, `${node.type} '${node.name}': ${error.message}; its inputs are ${shapes}`, {
      node: node.name,
      cause: error,
    });
  }
}
