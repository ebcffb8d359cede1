// Common subexpressions: constants with the same content become one.
import { removeNode } from '../graph/edit.ts';
import type { Node } from '../graph/node.ts';
import { mergeEqual } from '../graph/take-over.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { definePass } from './pass.ts';

/**
 * Constants of the same type, shape and bytes are read from the first of them. Not for models whose constants are still
 * to be changed one by one.
 */
export const shareConstants = definePass({
  name: 'common-subexpression',
  run(model) {
    const seen = new Map<string, Node[]>();
    let count = 0;
    for (const node of model.nodes()) {
      const { value } = node.type === 'Constant' ? node.output.fact : {};
      if (!value) continue;
      const key = `${value.type}:${value.shape.join(',')}:${node.notes.storedAs ?? ''}`;
      const alike = seen.get(key) ?? [];
      const other = alike.find((n) => sameBytes(n.output.fact.value!, value));
      if (!other) seen.set(key, [...alike, node]);
      else if (mergeEqual(node.output, other.output)) {
        removeNode(model, node);
        count++;
      }
    }
    return count;
  },
});

/** Compared rather than hashed: different weights differ within a few bytes, and most have no other of their shape. */
function sameBytes(a: Tensor, b: Tensor): boolean {
  const bytes = ({ data }: Tensor): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return bytes(a).equals(bytes(b));
}
