// Evaluation of a single node by its reference definition.
import { withinMemory } from '../errors/refused-memory.ts';
import type { Node } from '../graph/node.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { getOp } from './registry.ts';

/**
 * The outputs of a node for given inputs; undefined when the operation has no reference evaluation.
 *
 * @param inputs  one entry per input, undefined for an absent optional one
 * @throws {LowpError} what the evaluation throws, `ERR_LIMIT_SIZE` when it cannot have its memory
 */
export function evaluateNode(node: Node, inputs: readonly (Tensor | undefined)[]): Tensor[] | undefined {
  const definition = getOp(node.type, node.notes.opset, node.name);
  const present = inputs.filter((t) => t !== undefined);
  return withinMemory(() => definition.evaluate?.(node.attributes, present, inputs));
}
