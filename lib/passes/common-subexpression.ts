// Common subexpressions: constants with the same content become one.
import { createHash } from 'node:crypto';
import { removeNode } from '../graph/edit.ts';
import type { Node } from '../graph/node.ts';
import { definePass } from './pass.ts';
import { mergeEqual } from './take-over.ts';

/**
 * Constants of the same type, shape and bytes are read from the first of them. Not for models whose constants are still
 * to be changed one by one.
 */
export const shareConstants = definePass({
  name: 'common-subexpression',
  run(model) {
    const first = new Map<string, Node>();
    let count = 0;
    for (const node of model.nodes()) {
      if (node.type !== 'Constant') continue;
      const key = keyOf(node);
      const other = key === undefined ? undefined : first.get(key);
      if (key !== undefined && !other) first.set(key, node);
      if (!other || !mergeEqual(node.output, other.output)) continue;
      removeNode(model, node);
      count++;
    }
    return count;
  },
});

function keyOf(node: Node): string | undefined {
  const value = node.output.fact.value;
  if (!value) return undefined;
  const { buffer, byteOffset, byteLength } = value.data;
  const digest = createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('base64');
  return `${value.type}:${value.shape.join(',')}:${node.notes.storedAs ?? ''}:${digest}`;
}
