// Sums that a device adds inside a product: one of their two inputs stays in floating point.
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { elementCount } from '../tensor/shape.ts';
import { quantizedSource } from './insert.ts';
import { removeQuantizer } from './remove.ts';
import { consumersOf, isConstant, isQuantizer, traitsOf } from './roles.ts';

/**
 * Takes one of the two quantizers in front of every sum of two computed values. The one with a single reader goes when the
 * other has more and its value comes from an operation with constant operands; otherwise the larger value goes, when both
 * come from a product on a single path.
 */
export function freeSums(model: Model): void {
  for (const sum of model.nodes()) {
    if (sum.type !== 'Add' || sum.inputs.some((i) => isConstant(i.source) || !i.source || !isQuantizer(i.source.node)))
      continue;
    const [a, b] = sum.inputs
      .map((i) => i.source!.node)
      .sort((x, y) => consumersOf(y).length - consumersOf(x).length) as [Node, Node];
    const chosen = choose(a, b);
    if (chosen) removeQuantizer(model, chosen);
  }
}

function choose(a: Node, b: Node): Node | undefined {
  if (a === b) return undefined;
  if (consumersOf(a).length > 1 && consumersOf(b).length === 1 && hasConstantOperand(b)) return b;
  if (!comesFromProduct(a) || !comesFromProduct(b)) return undefined;
  return elementsOf(a) >= elementsOf(b) ? a : b;
}

/** Input 1 of the producer is constant: it is a product with weights, or adds a bias. */
function hasConstantOperand(quantizer: Node): boolean {
  const operand = quantizedSource(quantizer).node.source(1);
  return isConstant(operand && isQuantizer(operand.node) ? operand.node.source(0) : operand);
}

/** Up through operations with one computed input each, a product is met. */
function comesFromProduct(quantizer: Node): boolean {
  const visited = new Set<Node>();
  for (let node = quantizer; !visited.has(node); ) {
    visited.add(node);
    const sources = node.inputs.flatMap((i) => (i.source && !isConstant(i.source) ? [i.source.node] : []));
    const [only] = sources;
    if (!only || sources.length > 1) return false;
    if (traitsOf(only).weights) return true;
    node = only;
  }
  return false;
}

function elementsOf(quantizer: Node): number {
  return Math.abs(elementCount(quantizedSource(quantizer).fact.shape));
}
