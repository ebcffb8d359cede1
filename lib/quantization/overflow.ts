// Half-range weights for processors that add pairs of byte products in 16 bits.
import { addConstant, connect } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import type { TargetDescription } from '../targets/target.ts';
import { fromFloat64, toFloat64 } from '../tensor/convert.ts';
import type { Limits } from './params.ts';
import { consumersOf, isConstant, isQuantizer, traitsOf } from './roles.ts';

/**
 * Which weights use half of their range.
 *
 * Processors without 8-bit dot products may saturate when two products of a byte and a weight are added in 16 bits;
 * weights of 7 bits cannot. The runtime of lowp adds exactly on every processor, so nothing has to be halved for it:
 * `no` loses no precision. `first_layer` and `all` are for models that another runtime will execute on such processors.
 */
export type SaturationFix = 'no' | 'first_layer' | 'all';

export const saturationFixes = ['no', 'first_layer', 'all'] as const satisfies readonly SaturationFix[];

/** The weight quantizers to halve; empty when the device cannot saturate. */
export function quantizersToHalve(model: Model, target: TargetDescription, fix: SaturationFix): Set<Node> {
  const found = new Set<Node>();
  if (fix === 'no' || !target.mayOverflow) return found;
  const nodes = fix === 'all' ? model.nodes() : firstConvolutions(model);
  for (const node of nodes) {
    const traits = traitsOf(node);
    const quantizer = traits.weights && node.source(traits.weights.port)?.node;
    if (quantizer && isQuantizer(quantizer) && isConstant(quantizer.source(0))) found.add(quantizer);
  }
  return found;
}

/** The first operations with spatial weights on every path from an input of the model. */
function firstConvolutions(model: Model): Node[] {
  const found: Node[] = [];
  const visited = new Set<Node>();
  const stack = [...model.parameters()];
  while (stack.length > 0) {
    for (const { node } of consumersOf(stack.pop()!)) {
      if (visited.has(node)) continue;
      visited.add(node);
      const traits = traitsOf(node);
      if (traits.weights && traits.biasAxis === 1) found.push(node);
      else stack.push(node);
    }
  }
  return found;
}

/** Stores half of the weights behind a quantizer; others that read the same constant keep theirs. */
export function halveWeights(model: Model, quantizer: Node): void {
  const source = quantizer.source(0)!;
  const value = source.fact.value!;
  const half = fromFloat64(
    toFloat64(value).map((v) => v / 2),
    value.shape,
    value.type,
  );
  connect(quantizer.inputs[0]!, addConstant(model, `${source.node.name}/half`, half, source.node.notes).output);
}

/** Output limits that give halved weights their size back. */
export function doubledLimits(limits: Limits): Limits {
  return { low: limits.low.map((v) => 2 * v), high: limits.high.map((v) => 2 * v) };
}
