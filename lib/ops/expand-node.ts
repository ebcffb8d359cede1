// Puts the operations that its definition names in the place of a node.
import { withinMemory } from '../errors/refused-memory.ts';
import { removeNode } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { takeOver } from '../graph/take-over.ts';
import { Expansion } from './expansion.ts';
import { findOp, hasRanks } from './registry.ts';

/**
 * True when the node was replaced; false for an operation, or a form of it, that stays as it is.
 *
 * @throws {LowpError} `ERR_LIMIT_SIZE` when a constant that the operations read cannot have its memory
 */
export function expandNode(model: Model, node: Node): boolean {
  if (!hasRanks(node)) return false;
  const definition = findOp(node.type, node.notes.opset);
  const ports = withinMemory(() => definition?.expand?.(node.attributes, node, new Expansion(model, node)));
  if (!ports) return false;
  for (const [i, port] of ports.entries()) takeOver(node.outputs[i]!, port);
  removeNode(model, node);
  return true;
}
