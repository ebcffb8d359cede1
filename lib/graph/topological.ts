import { LowpError } from '../errors/lowp-error.ts';
import type { Node } from './node.ts';

/**
 * Producers before consumers; where both orders are right, the given order is kept. Iterative, so that a chain of a
 * million nodes does not exhaust the stack.
 *
 * @throws {LowpError} `ERR_GRAPH_CYCLE`, naming the nodes of one cycle
 */
export function topologicalOrder(nodes: Iterable<Node>): Node[] {
  const state = new Map<Node, 'open' | 'done'>();
  const order: Node[] = [];
  for (const root of nodes) {
    if (state.has(root)) continue;
    const stack: { node: Node; next: number }[] = [{ node: root, next: 0 }];
    state.set(root, 'open');
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const input = top.node.inputs[top.next++];
      if (!input) {
        state.set(top.node, 'done');
        order.push(top.node);
        stack.pop();
        continue;
      }
      const producer = input.source?.node;
      if (!producer || state.get(producer) === 'done') continue;
      if (state.get(producer) === 'open')
        throw cycleError(
          stack.map((s) => s.node),
          producer,
        );
      state.set(producer, 'open');
      stack.push({ node: producer, next: 0 });
    }
  }
  return order;
}

function cycleError(path: readonly Node[], start: Node): LowpError {
  const names = path.slice(path.indexOf(start)).map((n) => `'${n.name}'`);
  const shown = names.length > 8 ? [...names.slice(0, 8), `… ${names.length - 8} more`] : names;
  return new LowpError('ERR_GRAPH_CYCLE', `nodes depend on each other in a cycle: ${shown.join(' ← ')}`, {
    node: start.name,
  });
}
