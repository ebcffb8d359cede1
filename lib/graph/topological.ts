// Orders in which producers come before consumers.
import { LowpError } from '../errors/lowp-error.ts';
import type { Node } from './node.ts';

/**
 * Producers before consumers; where both orders are right, the given order is kept.
 *
 * @throws {LowpError} `ERR_GRAPH_CYCLE`, naming the nodes of one cycle
 */
export function topologicalOrder(nodes: Iterable<Node>): Node[] {
  return orderByProducers(
    nodes,
    (node) => node.inputs.map((i) => i.source?.node),
    (node) => node.name,
  );
}

/**
 * The items and everything they depend on, producers first, otherwise in the given order. Iterative, so that a chain of
 * a million items does not exhaust the stack.
 *
 * @throws {LowpError} `ERR_GRAPH_CYCLE`, naming the items of one cycle
 */
export function orderByProducers<T>(
  items: Iterable<T>,
  producersOf: (item: T) => readonly (T | undefined)[],
  nameOf: (item: T) => string,
): T[] {
  const state = new Map<T, 'open' | 'done'>();
  const order: T[] = [];
  const isReady = (producer: T | undefined): boolean => producer === undefined || state.get(producer) === 'done';
  for (const root of items) {
    if (state.has(root)) continue;
    const rootProducers = producersOf(root);
    if (rootProducers.every(isReady)) {
      state.set(root, 'done');
      order.push(root);
      continue;
    }
    const stack: { item: T; producers: readonly (T | undefined)[]; next: number }[] = [];
    const open = (item: T): void => {
      state.set(item, 'open');
      stack.push({ item, producers: producersOf(item), next: 0 });
    };
    open(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      if (top.next === top.producers.length) {
        state.set(top.item, 'done');
        order.push(top.item);
        stack.pop();
        continue;
      }
      const producer = top.producers[top.next++];
      if (producer === undefined || state.get(producer) === 'done') continue;
      if (state.get(producer) === 'open') {
        const path = stack.map((s) => s.item);
        throw cycleError(path.slice(path.indexOf(producer)).map(nameOf));
      }
      open(producer);
    }
  }
  return order;
}

function cycleError(cycle: readonly string[]): LowpError {
  const names = cycle.map((n) => `'${n}'`);
  const shown = names.length > 8 ? [...names.slice(0, 8), `… ${names.length - 8} more`] : names;
  return new LowpError('ERR_GRAPH_CYCLE', `nodes depend on each other in a cycle: ${shown.join(' ← ')}`, {
    node: cycle[0] ?? '',
  });
}
