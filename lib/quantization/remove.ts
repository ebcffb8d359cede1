// Takes quantizers out again: always whole groups, so that no operation is left with one rounded input.
import { removeNode, replaceOutput } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import { returnOutputName } from './output-names.ts';
import { consumersOf, isComputedConstant, isConstant, isQuantizer, type Roles } from './roles.ts';

/** What belongs together: removing one of the quantizers means removing all. */
export interface QuantizerGroupMembers {
  readonly quantizers: readonly Node[];
  /** Operations that read them and compute. */
  readonly operations: readonly Node[];
}

/**
 * All quantizers that share an operation with this one: found downward through operations that only move values, and
 * upward from the other inputs of every operation met.
 */
export function quantizerGroup(start: Node, roles: Roles): QuantizerGroupMembers {
  const quantizers = new Set<Node>();
  const operations = new Set<Node>();
  const visited = new Set<Node>();
  const stack = [start];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (visited.has(node)) continue;
    visited.add(node);
    if (isQuantizer(node)) {
      quantizers.add(node);
      stack.push(...consumersOf(node).map((c) => c.node));
      continue;
    }
    if (roles.isAgnostic(node)) stack.push(...consumersOf(node).map((c) => c.node));
    else if (roles.isQuantizable(node)) operations.add(node);
    else continue;
    for (const input of node.inputs) if (input.source && leadsUp(input.source, roles)) stack.push(input.source.node);
  }
  return { quantizers: [...quantizers], operations: [...operations] };
}

function leadsUp(source: OutputPort, roles: Roles): boolean {
  if (isConstant(source) || isComputedConstant(source)) return false;
  return isQuantizer(source.node) || roles.isAgnostic(source.node);
}

/** Removes the group of a quantizer. Returns what was removed, and the operations that are in floating point again. */
export function removeQuantizerGroup(model: Model, quantizer: Node, roles: Roles): QuantizerGroupMembers {
  const group = quantizerGroup(quantizer, roles);
  for (const member of group.quantizers) removeQuantizer(model, member);
  return group;
}

/** Removes one quantizer and its limits. */
export function removeQuantizer(model: Model, quantizer: Node): void {
  returnOutputName(model, quantizer);
  const limits = quantizer.inputs.slice(1).flatMap((i) => (i.source ? [i.source.node] : []));
  replaceOutput(quantizer.output, quantizer.source(0)!);
  removeNode(model, quantizer);
  for (const limit of new Set(limits)) if (consumersOf(limit).length === 0) removeNode(model, limit);
}
