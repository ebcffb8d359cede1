// One node evaluated on the host, whose errors name it.
import { LowpError } from '../errors/lowp-error.ts';
import type { Node } from '../graph/node.ts';
import { evaluateNode } from '../ops/evaluate-node.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The outputs of a node whose operation has a reference evaluation. */
export function evaluateNamed(node: Node, inputs: readonly (Tensor | undefined)[]): Tensor[] {
  try {
    return evaluateNode(node, inputs)!;
  } catch (error) {
    if (!(error instanceof LowpError) || error.node !== undefined) throw error;
    const shapes = inputs.filter((t) => t !== undefined).map((t) => `${t.type}${formatShape(t.shape)}`);
    throw new LowpError(
      error.code,
      `${node.type} '${node.name}': ${error.message}; its inputs are ${shapes.join(', ')}`,
      {
        node: node.name,
        cause: error,
      },
    );
  }
}
