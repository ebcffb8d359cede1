// What a quantizer makes of the constant in front of it.
import type { Node } from '../graph/node.ts';
import { evaluateNode } from '../ops/evaluate-node.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * A constant as its quantizer rounds it with the limits that it has now. The fact of the quantizer's output does not
 * serve: a small known value in it is that of the last inference.
 */
export function roundedConstant(quantizer: Node): Tensor {
  const inputs = quantizer.inputs.map((i) => i.source!.fact.value!);
  return evaluateNode(quantizer, inputs)![0]!;
}
