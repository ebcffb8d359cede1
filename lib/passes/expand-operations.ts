// Expand operations: those that have no kernel of their own become the operations that their definitions name.
import { expandNode } from '../ops/expand-node.ts';
import { definePass } from './pass.ts';

/** Counts the operations that were replaced. What an expansion adds is expanded in turn. */
export const expandOperations = definePass({
  name: 'expand-operations',
  run(model) {
    let total = 0;
    for (;;) {
      const count = model.nodes().filter((node) => expandNode(model, node)).length;
      if (count === 0) return total;
      total += count;
    }
  },
});
