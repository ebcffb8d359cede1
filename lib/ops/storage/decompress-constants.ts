// Half-precision constants behind a Convert as plain f32 constants, and back.
import { addConstant, removeNode, rename, replaceOutput } from '../../graph/edit.ts';
import type { Model } from '../../graph/model.ts';
import type { Node } from '../../graph/node.ts';
import { convert } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { createNode } from '../create-node.ts';

/**
 * Replaces every `Const(f16 or bf16) → Convert(f32)` by a Const of f32, which takes the name and the tensor names of the
 * Convert. `notes.storedAs` of the new constant holds the type that it had. Returns how many were replaced.
 */
export function decompressConstants(model: Model): number {
  const values = new Map<Node, Tensor>();
  let count = 0;
  for (const node of model.nodes()) {
    const stored = node.type === 'Convert' ? node.source(0)?.node : undefined;
    const value = stored?.type === 'Constant' ? stored.output.fact.value : undefined;
    if (!stored || !value || node.output.fact.type !== 'f32') continue;
    if (value.type !== 'f16' && value.type !== 'bf16') continue;
    const wide = values.get(stored) ?? convert(value, 'f32');
    values.set(stored, wide);
    const constant = addConstant(model, node.name, wide, { ...stored.notes, storedAs: value.type });
    replaceOutput(node.output, constant.output, { names: true });
    const { name } = node;
    removeNode(model, node);
    if (stored.output.consumers.size === 0) removeNode(model, stored);
    rename(model, constant, name);
    count++;
  }
  return count;
}

/**
 * The inverse: every f32 constant with `notes.storedAs` becomes a constant of that type with a Convert behind it that is
 * marked as decompression. Returns how many.
 */
export function restoreStoredTypes(model: Model): number {
  let count = 0;
  for (const node of [...model.nodeById.values()]) {
    const { storedAs, ...notes } = node.notes;
    const value = node.type === 'Constant' ? node.output.fact.value : undefined;
    if (!storedAs || value?.type !== 'f32') continue;
    const { name } = node;
    rename(model, node, `${name}_compressed`);
    const narrow = addConstant(model, `${name}_stored`, convert(value, storedAs), notes);
    const wide = createNode(model, {
      type: 'Convert',
      name,
      attributes: { destination_type: 'f32' },
      inputs: [narrow.output],
      notes: { opset: 'opset1', rtInfo: [{ name: 'decompression', version: '0' }] },
    });
    replaceOutput(node.output, wide.output, { names: true });
    const compressed = node.name;
    removeNode(model, node);
    rename(model, narrow, compressed);
    count++;
  }
  return count;
}
