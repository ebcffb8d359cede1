// Expand operations: those that have no kernel of their own become the operations that their definitions name.
import { removeNode } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { Expansion } from '../ops/expansion.ts';
import { getOp } from '../ops/registry.ts';
import { definePass } from './pass.ts';
import { takeOver } from './take-over.ts';

/** Counts the operations that were replaced. What an expansion adds is expanded in turn. */
export const expandOperations = definePass({
  name: 'expand-operations',
  run(model) {
    let total = 0;
    for (;;) {
      const count = model.nodes().filter((node) => expand(model, node)).length;
      if (count === 0) return total;
      total += count;
    }
  },
});

function expand(model: Model, node: Node): boolean {
  const definition = getOp(node.type, node.notes.opset, node.name);
  const ports = definition.expand?.(node.attributes, node, new Expansion(model, node));
  if (!ports) return false;
  for (const [i, port] of ports.entries()) takeOver(node.outputs[i]!, port);
  removeNode(model, node);
  return true;
}
