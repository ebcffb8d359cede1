// Small patterns over a model, written from their last node upwards, and their matches.
import type { Node } from '../graph/node.ts';
import { isConstant } from './roles.ts';

/** A node of a pattern. */
export interface PatternNode {
  readonly kind: 'node';
  readonly types: readonly string[];
  /** Producers that must be found at distinct inputs, in any order. */
  readonly inputs: readonly Pattern[];
  /** One further input must be a constant. */
  readonly withConstant: boolean;
  /** The node belongs to the pattern but is not marked. */
  readonly isBorder: boolean;
  /** Lets another place of the pattern ask for the same node. */
  readonly label?: string;
}

/** A node of a pattern, or the same node as another place of it. */
export type Pattern = PatternNode | { readonly kind: 'same'; readonly label: string };

export interface PatternOptions {
  readonly constant?: boolean;
  readonly border?: boolean;
  readonly label?: string;
}

/** A node of one of some types (given as words between bars) whose inputs match. */
export function op(types: string, inputs: readonly Pattern[] = [], options: PatternOptions = {}): PatternNode {
  return {
    kind: 'node',
    types: types.split('|'),
    inputs,
    withConstant: options.constant ?? false,
    isBorder: options.border ?? false,
    ...(options.label === undefined ? {} : { label: options.label }),
  };
}

/** A node with one constant input besides the given ones. */
export function withConstant(
  types: string,
  inputs: readonly Pattern[] = [],
  options: PatternOptions = {},
): PatternNode {
  return op(types, inputs, { ...options, constant: true });
}

/** The node that `label` names elsewhere in the pattern. */
export function same(label: string): Pattern {
  return { kind: 'same', label };
}

/** The nodes of a match, each with the place it took. */
export type Match = ReadonlyMap<PatternNode, Node>;

/** The first way in which the pattern fits with `root` as its last node. */
export function matchAt(pattern: PatternNode, root: Node): Match | undefined {
  const bound = new Map<PatternNode, Node>();
  return matchNode(pattern, root, bound, () => true) ? bound : undefined;
}

type Bound = Map<PatternNode, Node>;

function matchNode(pattern: Pattern, node: Node, bound: Bound, rest: () => boolean): boolean {
  if (pattern.kind === 'same') {
    for (const [place, found] of bound) if (place.label === pattern.label) return found === node && rest();
    return false;
  }
  if (!pattern.types.includes(node.type)) return false;
  bound.set(pattern, node);
  if (matchInputs(pattern, node, 0, new Set(), bound, rest)) return true;
  bound.delete(pattern);
  return false;
}

function matchInputs(
  pattern: PatternNode,
  node: Node,
  next: number,
  used: Set<number>,
  bound: Bound,
  rest: () => boolean,
): boolean {
  const wanted = pattern.inputs[next];
  if (!wanted) {
    const hasConstant = node.inputs.some((i) => !used.has(i.index) && isConstant(i.source));
    return (!pattern.withConstant || hasConstant) && rest();
  }
  for (const input of node.inputs) {
    if (!input.source || used.has(input.index)) continue;
    used.add(input.index);
    const onward = (): boolean => matchInputs(pattern, node, next + 1, used, bound, rest);
    if (matchNode(wanted, input.source.node, bound, onward)) return true;
    used.delete(input.index);
  }
  return false;
}
