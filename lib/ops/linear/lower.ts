// MatMul by constant weights as a native kernel call.
import { isComputedFromConstants } from '../../graph/constant-tree.ts';
import type { Node } from '../../graph/node.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { LowerContext } from '../lower-context.ts';

interface Transposes {
  readonly transpose_a: boolean;
  readonly transpose_b: boolean;
}

/** A matrix of constant weights on the right, rows on the left as they are. */
export function canLowerMatMul(a: Transposes, node: Node): boolean {
  const weights = node.source(1)!;
  return (
    !a.transpose_a &&
    node.source(0)!.fact.shape.length >= 2 &&
    weights.fact.shape.length === 2 &&
    isComputedFromConstants(weights)
  );
}

/** Emits the product of all rows of input 0 by one matrix. */
export function lowerMatMul(a: Transposes, node: Node, context: LowerContext): void {
  const x = node.source(0)!.fact.shape;
  const weights = node.source(1)!.fact.shape;
  const n = weights[a.transpose_b ? 0 : 1]!;
  const k = x.at(-1)!;
  context.multiplyAccumulate(node, {
    kernel: 'matmul',
    params: { m: elementCount(x.slice(0, -1)), k, n, weightsTransposed: a.transpose_b ? 1 : 0 },
    channels: n,
    inputChannels: k,
    layout: 'plain',
  });
}
