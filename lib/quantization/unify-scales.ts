// Quantizers that must share one range, because an operation puts their values side by side.
import type { Node, OutputPort } from '../graph/node.ts';
import { isFloat } from '../tensor/element-type.ts';
import type { QuantizerConfiguration } from './configuration.ts';
import { quantizedSource } from './insert.ts';
import type { Limits } from './params.ts';
import { tuneToZero } from './ranges.ts';
import { consumersOf, decidingConsumers, isConstant, isQuantizer, type Roles, traitsOf } from './roles.ts';

/** Quantizers with one range, and the operations that ask for it. */
export interface ScaleGroup {
  readonly quantizers: readonly Node[];
  readonly bridges: readonly Node[];
}

/** The groups of all quantizers of a model, in the order of their first member. */
export function findScaleGroups(quantizers: readonly Node[], roles: Roles): ScaleGroup[] {
  const visited = new Set<Node>();
  const groups: ScaleGroup[] = [];
  for (const start of quantizers) {
    if (visited.has(start) || isConstant(start.source(0))) continue;
    const group = flood(start, roles, visited);
    if (group.bridges.length > 0 && group.quantizers.length > 1) groups.push(group);
  }
  return groups;
}

/** Everything that a quantizer reaches through operations that move values or unify scales, up and down. */
function flood(start: Node, roles: Roles, visited: Set<Node>): ScaleGroup {
  const quantizers: Node[] = [];
  const bridges: Node[] = [];
  const stack = [start];
  visited.add(start);
  const push = (node: Node): void => {
    if (visited.has(node)) return;
    visited.add(node);
    stack.push(node);
  };
  while (stack.length > 0) {
    const node = stack.pop()!;
    const isUnifying = unifiesInputs(node, roles);
    if (isQuantizer(node)) quantizers.push(node);
    else if (isUnifying && !node.inputs.some((i) => isConstant(i.source))) bridges.push(node);
    if (isQuantizer(node) || roles.isAgnostic(node)) {
      for (const { node: below } of consumersOf(node)) {
        if (unifiesInputs(below, roles) || movesThrough(below, roles)) push(below);
      }
    }
    if (isQuantizer(node)) continue;
    for (const { source } of node.inputs) {
      if (!source || !isFloat(source.fact.type)) continue;
      if (isQuantizer(source.node) || movesThrough(source.node, roles) || unifiesInputs(source.node, roles)) {
        push(source.node);
      }
    }
  }
  return { quantizers: quantizers.sort(byName), bridges: bridges.sort(byName) };
}

function byName(a: Node, b: Node): number {
  return a.name < b.name ? -1 : 1;
}

/** Agnostic, and not a join that is judged by its own rule. */
function movesThrough(node: Node, roles: Roles): boolean {
  return roles.isAgnostic(node) && roles.row(node)?.unify !== 'all' && isFloat(node.outputs[0]?.fact.type ?? 'i64');
}

/**
 * The operation needs one scale for all inputs. A join that only moves values needs it when its inputs are quantized, a
 * product with weights reads it, and nothing behind it takes one scale per channel.
 */
function unifiesInputs(node: Node, roles: Roles): boolean {
  if (roles.row(node)?.unify !== 'all') return false;
  if (!traitsOf(node).unifiesScales) return true;
  const isFed = node.inputs.every((i) => !i.source || isConstant(i.source) || meetsQuantizer(i.source, roles));
  if (!isFed) return false;
  const readers = decidingConsumers(node, roles);
  const perChannel = readers.some(({ node: reader }) => {
    const choices = roles.row(reader)?.activations ?? [];
    return choices.length > 0 && choices.every((c) => c.granularity === 'perChannel');
  });
  return !perChannel && readers.some(({ node: reader }) => traitsOf(reader).weights !== undefined);
}

/** Going up through operations that move values, a quantizer or another join is met. */
function meetsQuantizer(source: OutputPort, roles: Roles): boolean {
  const visited = new Set<Node>();
  const stack = [source.node];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (isQuantizer(node) || traitsOf(node).unifiesScales) return true;
    if (visited.has(node) || !roles.isAgnostic(node)) continue;
    visited.add(node);
    for (const input of node.inputs) if (input.source && !isConstant(input.source)) stack.push(input.source.node);
  }
  return false;
}

/** Values of one channel each may not share a scale unless there is one for the whole tensor. */
export function needsPerTensor(group: ScaleGroup): boolean {
  if (group.bridges.some((b) => traitsOf(b).unifiesScales)) return true;
  const shapes = group.quantizers.map((q) => quantizedSource(q).fact.shape);
  const [first] = shapes;
  if (!first || first.length < 2) return true;
  return shapes.some((s) => s.length !== first.length || s[0] !== first[0] || s[1] !== first[1]);
}

/**
 * One range that holds all members: the least low and the greatest high, widened again so that zero stays on the grid
 * (merging `[0, a]` with `[−b, c]` moves it off).
 *
 * @param members  limits of equal length, or of length 1
 */
export function unifyLimits(members: readonly Limits[], configuration: QuantizerConfiguration): Limits {
  const channels = Math.max(...members.map((m) => m.low.length));
  const { levels, mode } = configuration;
  const low = new Float32Array(channels);
  const high = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    let least = Number.POSITIVE_INFINITY;
    let greatest = Number.NEGATIVE_INFINITY;
    for (const member of members) {
      const at = member.low.length === 1 ? 0 : c;
      least = Math.min(least, member.low[at]!);
      greatest = Math.max(greatest, member.high[at]!);
    }
    [low[c], high[c]] = mode === 'symmetric' ? symmetric(least, greatest, levels) : tuneToZero(least, greatest, levels);
  }
  return { low, high };
}

function symmetric(low: number, high: number, levels: number): [number, number] {
  if (low >= 0) return [0, high];
  const widest = Math.max(high, (-low * (levels - 2)) / levels);
  return [-(widest * levels) / (levels - 2), widest];
}
