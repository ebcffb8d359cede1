/** MatMul: as Gemm for matrices with transposes or a constant bias, else with Transpose nodes. */
import { biasInput, biasOf, productScales } from './bias.ts';
import { bigints, type ExporterTable, type ExportNode } from './export-node.ts';
import { dequantizedTranspose } from './stored-weights.ts';

export const linearExporters: ExporterTable = { MatMul: matMul };

function matMul(e: ExportNode): void {
  const transposes = [e.flag('transpose_a'), e.flag('transpose_b')];
  const ranks = [e.shape(0).length, e.shape(1).length];
  const needed = transposes.map((t, i) => t && ranks[i]! > 1);
  const fused = ranks.every((r) => r === 2) ? biasOf(e.node, 1) : undefined;
  if (!fused && !needed.some(Boolean)) {
    e.finish('MatMul', e.inputs());
    return;
  }
  if (ranks.every((r) => r === 2)) {
    const attributes = { transA: needed[0] ? 1n : 0n, transB: needed[1] ? 1n : 0n };
    const bias = fused ? [biasInput(e, fused.bias, productScales(e, e.shape(1), needed[1] ? 0 : 1))] : [];
    e.finish('Gemm', [...e.inputs(), ...bias], attributes, [(fused?.add ?? e.node).output]);
    return;
  }
  const operands = needed.map((t, i) => (t ? transposed(e, i, ranks[i]!) : e.input(i)));
  e.finish('MatMul', operands);
}

function transposed(e: ExportNode, index: number, rank: number): string {
  const stored = dequantizedTranspose(e, e.port(index).node);
  if (stored !== undefined) return stored;
  const order = Array.from({ length: rank }, (_, i) => i);
  [order[rank - 2], order[rank - 1]] = [rank - 1, rank - 2];
  return e.step('Transpose', [e.input(index)], index === 0 ? 'a' : 'b', { perm: bigints(order) });
}
