// Evaluation of single nodes, and inference of a whole model after something in it has changed.
import type { Model } from '../graph/model.ts';
import type { Fact, Node } from '../graph/node.ts';
import { isStatic, sameShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { inferFacts } from './create-node.ts';
import { getOp } from './registry.ts';

/**
 * The outputs of a node for given inputs, by its reference evaluation; undefined when the operation has none.
 *
 * @param inputs  one entry per input, undefined for an absent optional one
 * @throws {LowpError} what the evaluation throws
 */
export function evaluateNode(node: Node, inputs: readonly (Tensor | undefined)[]): Tensor[] | undefined {
  const definition = getOp(node.type, node.notes.opset, node.name);
  const present = inputs.filter((t) => t !== undefined);
  return definition.evaluate?.(node.attributes, present, inputs);
}

/**
 * Infers types, shapes and small known values of every node again, producers first. Inputs and constants keep theirs.
 * Returns how many outputs changed their type or shape.
 *
 * @throws {LowpError} what the inference of an operation throws
 */
export function inferModel(model: Model): number {
  let changed = 0;
  for (const node of model.nodes()) {
    if (node.type === 'Parameter' || node.type === 'Constant') continue;
    const definition = getOp(node.type, node.notes.opset, node.name);
    const inputs = node.inputs.map((i) => i.source?.fact);
    const facts = inferFacts(definition, node.attributes, inputs, node.name);
    for (const out of node.outputs) {
      const fact = facts[out.index];
      if (!fact) continue;
      if (!sameKind(out.fact, fact)) changed++;
      out.fact = fact;
    }
  }
  return changed;
}

function sameKind(a: Fact, b: Fact): boolean {
  return a.type === b.type && sameShape(a.shape, b.shape);
}

/** True when every output has a shape without dynamic dimensions. */
export function isStaticNode(node: Node): boolean {
  return node.outputs.every((o) => isStatic(o.fact.shape));
}
