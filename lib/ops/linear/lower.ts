// MatMul as native kernel calls: by constant weights, or of two computed operands.
import { isComputedFromConstants } from '../../graph/constant-tree.ts';
import type { Node } from '../../graph/node.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { LowerContext } from '../lower-context.ts';

interface Transposes {
  readonly transpose_a: boolean;
  readonly transpose_b: boolean;
}

/** A matrix of constant weights on the right, rows on the left as they are. */
function hasWeights(node: Node): boolean {
  const weights = node.source(1)!;
  return (
    node.attributes.transpose_a !== true &&
    node.source(0)!.fact.shape.length >= 2 &&
    weights.fact.shape.length === 2 &&
    isComputedFromConstants(weights)
  );
}

/** Byte products of two activations take both with one scale each. */
export function matMulRuntime(node: Node): RuntimeTraits {
  return hasWeights(node)
    ? { bytes: 'product', epilogue: 'product', readsPlain: true }
    : { bytes: 'multiply', epilogue: 'multiply', storesBytes: true, readsPlain: true };
}

/** Emits the product of all rows of input 0 by one matrix, or of two stacks of matrices. */
export function lowerMatMul(a: Transposes, node: Node, context: LowerContext): void {
  if (!hasWeights(node)) {
    context.multiplyComputed(node, { a: a.transpose_a, b: a.transpose_b });
    return;
  }
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
