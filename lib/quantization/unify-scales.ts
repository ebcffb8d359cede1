// Quantizers that must share one range, because an operation puts their values side by side.
import type { Node, OutputPort } from '../graph/node.ts';
import { isFloat } from '../tensor/element-type.ts';
import type { Shape } from '../tensor/shape.ts';
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

/**
 * The groups of all quantizers of a model, sorted by name: what operations with one scale for all inputs bring together,
 * then what operations with pairs of ports do.
 */
export function findScaleGroups(quantizers: readonly Node[], roles: Roles): ScaleGroup[] {
  const visited = new Set<Node>();
  const groups: ScaleGroup[] = [];
  for (const start of quantizers) {
    if (visited.has(start) || isConstant(start.source(0))) continue;
    const group = flood(start, roles, visited);
    const isUnified = group.bridges.some((bridge) => unifiesInputs(bridge, roles));
    if (isUnified && group.quantizers.length > 1) groups.push(group);
  }
  for (const group of portGroups(quantizers, roles)) addGroup(groups, group);
  return groups.sort((a, b) => byName(a.quantizers[0]!, b.quantizers[0]!));
}

/** Adds a group; those that have a member in common become one with it. */
function addGroup(groups: ScaleGroup[], group: ScaleGroup): void {
  const common = groups.filter((g) => g.quantizers.some((q) => group.quantizers.includes(q)));
  for (const g of common) groups.splice(groups.indexOf(g), 1);
  const all = [group, ...common];
  groups.push({
    quantizers: [...new Set(all.flatMap((g) => g.quantizers))].sort(byName),
    bridges: [...new Set(all.flatMap((g) => g.bridges))].sort(byName),
  });
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
    const isQuant = isQuantizer(node);
    if (isQuant && !isConstant(node.source(0))) quantizers.push(node);
    else if (isBridge(node, roles)) bridges.push(node);
    if (isQuant || roles.isAgnostic(node)) {
      for (const { node: below } of consumersOf(node)) {
        if (unifiesInputs(below, roles) || movesThrough(below, roles)) push(below);
      }
    }
    if (isQuant) continue;
    for (const { source } of node.inputs) {
      if (!source || !isFloat(source.fact.type)) continue;
      if (isQuantizer(source.node) || movesThrough(source.node, roles)) push(source.node);
    }
  }
  return { quantizers: quantizers.sort(byName), bridges: bridges.sort(byName) };
}

/** An operation that brings computed values together. */
function isBridge(node: Node, roles: Roles): boolean {
  const joins = traitsOf(node).unifiesScales === true || unifiesInputs(node, roles);
  return joins && !node.inputs.some((i) => isConstant(i.source));
}

/** For each listed group of ports, the quantizers of computed values above them, when there are several. */
function portGroups(quantizers: readonly Node[], roles: Roles): ScaleGroup[] {
  const readers = new Set(quantizers.flatMap((q) => decidingConsumers(q, roles).map((c) => c.node)));
  return [...readers].flatMap((node) => {
    const { unify } = roles.row(node) ?? {};
    if (unify === undefined || unify === 'all') return [];
    return unify.flatMap((ports) => {
      const above = new Set(ports.flatMap((port) => quantizersAbove(node.source(port), roles)));
      const isComputed = [...above].every((q) => !isConstant(q.source(0)));
      return above.size > 1 && isComputed ? [{ quantizers: [...above].sort(byName), bridges: [node] }] : [];
    });
  });
}

/** The quantizers met on the way up through operations that move values. */
function quantizersAbove(source: OutputPort | undefined, roles: Roles): Node[] {
  const found = new Set<Node>();
  const visited = new Set<Node>();
  const stack = source ? [source.node] : [];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (isQuantizer(node)) found.add(node);
    if (isQuantizer(node) || visited.has(node) || !roles.isAgnostic(node)) continue;
    visited.add(node);
    for (const input of node.inputs) if (input.source) stack.push(input.source.node);
  }
  return [...found];
}

function byName(a: Node, b: Node): number {
  return a.name < b.name ? -1 : 1;
}

function movesThrough(node: Node, roles: Roles): boolean {
  return roles.isAgnostic(node) && isFloat(node.outputs[0]?.fact.type ?? 'i64');
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

/**
 * Values of one channel each may not share a scale unless there is one for the whole tensor: behind a join, when values
 * differ in their first two axes, and when an operation repeats one of its inputs.
 */
export function needsPerTensor(group: ScaleGroup): boolean {
  if (group.bridges.some((b) => traitsOf(b).unifiesScales)) return true;
  const inputs = group.bridges.flatMap((b) => b.inputs.flatMap((i) => (i.source ? [i.source.fact.shape] : [])));
  return differ(group.quantizers.map((q) => quantizedSource(q).fact.shape)) || differ(inputs);
}

function differ(shapes: readonly Shape[]): boolean {
  const [first] = shapes;
  if (!first) return false;
  return shapes.some((s) => s.length < 2 || s.length !== first.length || s[0] !== first[0] || s[1] !== first[1]);
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
