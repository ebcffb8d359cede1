// Half-range weights for processors that add pairs of byte products in 16 bits.
import { giveConstant } from '../graph/edit.ts';
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

/**
 * The weight quantizers to halve; none when the device cannot saturate or the model has no convolution.
 *
 * @param aligned  ids of convolutions whose weights were scaled to align channels: some of them became large, so they are
 *   halved too
 */
export function quantizersToHalve(
  model: Model,
  target: TargetDescription,
  fix: SaturationFix,
  aligned: ReadonlySet<number> = new Set(),
): Set<Node> {
  const found = new Set<Node>();
  if (fix === 'no' || !target.mayOverflow || !model.nodes().some(isConvolution)) return found;
  const scaled = model.nodes().filter((node) => aligned.has(node.id));
  const nodes = fix === 'all' ? model.nodes() : [...firstConvolutions(model), ...scaled];
  for (const node of nodes) {
    const traits = traitsOf(node);
    const quantizer = traits.weights && node.source(traits.weights.port)?.node;
    // The quantizer of a product of two activations rounds what is computed: nothing can be halved in advance.
    if (quantizer && isQuantizer(quantizer) && isConstant(quantizer.source(0))) found.add(quantizer);
  }
  return found;
}

function isConvolution(node: Node): boolean {
  const traits = traitsOf(node);
  return traits.weights !== undefined && traits.biasAxis === 1;
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
      if (isConvolution(node)) found.push(node);
      else stack.push(node);
    }
  }
  return found;
}

/** Stores half of the weights behind a quantizer; others that read the same constant keep theirs. */
export function halveWeights(model: Model, quantizer: Node): void {
  const value = quantizer.source(0)!.fact.value!;
  const half = fromFloat64(
    toFloat64(value).map((v) => v / 2),
    value.shape,
    value.type,
  );
  giveConstant(model, quantizer.inputs[0]!, half);
}

/** Output limits that give halved weights their size back. */
export function doubledLimits(limits: Limits): Limits {
  return { low: limits.low.map((v) => 2 * v), high: limits.high.map((v) => 2 * v) };
}
