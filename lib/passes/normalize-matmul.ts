// Normalize MatMul, for quantization: constant weights are stored with one row per output channel. Kernels take either.
import { addConstant, connect, setAttributes } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import { constantOf, type Node } from '../graph/node.ts';
import { getOp } from '../ops/registry.ts';
import { tensor } from '../tensor/tensor.ts';
import { definePass } from './pass.ts';

/**
 * A MatMul with a constant of rank 2 or more at input 1 gets `transpose_b`: the last two axes of the constant are
 * exchanged, so that its output channels are rows (axis 0 of a matrix).
 */
export const normalizeMatMul = definePass({
  name: 'normalize-matmul',
  run: (model) => model.nodes().filter((n) => n.type === 'MatMul' && normalize(model, n)).length,
});

function normalize(model: Model, node: Node): boolean {
  const stored = node.source(1);
  const weights = stored?.node.type === 'Constant' ? constantOf(stored) : undefined;
  const rank = weights?.shape.length ?? 0;
  if (!stored || !weights || rank < 2 || node.attributes.transpose_b === true) return false;
  const order = weights.shape.map((_, i) => i);
  [order[rank - 2], order[rank - 1]] = [rank - 1, rank - 2];
  const transposed = getOp('Transpose').evaluate?.({}, [weights, tensor('i64', [rank], order)])[0];
  if (!transposed) return false;
  const constant = addConstant(model, stored.node.name, transposed, stored.node.notes);
  connect(node.inputs[1]!, constant.output);
  setAttributes(node, { ...node.attributes, transpose_b: true });
  return true;
}
