// Loops of few known iterations as the operations of their bodies, one iteration after the other.
import type { Model } from '../../graph/model.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import type { SubGraph } from '../../graph/sub-graph.ts';
import { isStatic, normalizeAxis } from '../../tensor/shape.ts';
import type { Expansion } from '../expansion.ts';
import { isSliced, pieceCount } from './slicing.ts';

/** Most nodes that are written out. */
const mostNodes = 20_000;

/** True when the iterations can be written out: at least one, not too many nodes, and all shapes known. */
export function canUnroll(sub: SubGraph, iterations: number): boolean {
  if (!(iterations > 0 && iterations * sub.body.nodeById.size <= mostNodes)) return false;
  return [...sub.body.nodeById.values()].every((n) => n.outputs.every((o) => isStatic(o.fact.shape)));
}

/** The iterations one after the other; the ports take the place of the outputs of the loop. */
export function unroll(sub: SubGraph, node: Node, e: Expansion, iterations: number): readonly OutputPort[] {
  const pieces = new Map(
    sub.inputs.filter(isSliced).map((m) => [m, cut(e, node.source(m.external)!, m, iterations)] as const),
  );
  const constants = new Map<OutputPort, OutputPort>();
  const carried = new Map<number, OutputPort>();
  const kept = new Map(sub.outputs.filter(isSliced).map((m) => [m, [] as OutputPort[]]));
  let last: readonly OutputPort[] = [];
  for (let i = 0; i < iterations; i++) {
    const feeds: OutputPort[] = [];
    for (const m of sub.inputs) {
      const { type, shape } = sub.body.parameters()[m.internal]!.output.fact;
      if (m.external < 0) feeds[m.internal] = e.constant(type, shape, [i], `${i}/iteration`);
      else feeds[m.internal] = pieces.get(m as never)?.[i] ?? carried.get(m.internal) ?? node.source(m.external)!;
    }
    last = inline(sub.body, feeds, e, `${i}`, constants);
    for (const { from, to } of sub.backEdges) carried.set(to, last[from]!);
    for (const [m, ports] of kept) ports.push(last[m.internal]!);
  }
  const outputs: OutputPort[] = [];
  for (const m of sub.outputs) {
    if (m.external < 0) continue;
    const ports = isSliced(m) ? kept.get(m)! : undefined;
    const ordered = m.slicing && m.slicing.stride < 0 ? ports?.toReversed() : ports;
    const axis = m.slicing && normalizeAxis(m.slicing.axis, last[m.internal]!.fact.shape.length);
    const value = ordered ? e.concat(ordered, axis!, `joined/${m.external}`) : last[m.internal]!;
    outputs[m.external] = own(value, e, m.external);
  }
  return outputs;
}

/** An output must be the output of a node of its own: it takes over names and readers. */
export function own(port: OutputPort, e: Expansion, output: number): OutputPort {
  return e.reshape(port, port.fact.shape, `output/${output}`);
}

/** The pieces of a sliced input, in the order of iterations. */
function cut(
  e: Expansion,
  port: OutputPort,
  mapping: Parameters<typeof isSliced>[0] & { slicing: NonNullable<SubGraph['inputs'][number]['slicing']> },
  iterations: number,
): readonly OutputPort[] {
  const { slicing, internal } = mapping;
  const { shape } = port.fact;
  const axis = normalizeAxis(slicing.axis, shape.length);
  const size = shape[axis]!;
  const total = pieceCount(slicing, size) * slicing.partSize;
  const [start, end] = [slicing.start, slicing.end].map((i) => (i < 0 ? i + size : i)) as [number, number];
  const from = Math.min(start, end);
  const whole = total === size ? [port] : e.parts(port, axis, [from, total, size - from - total], `range/${internal}`);
  const pieces = e.split(whole[total === size ? 0 : 1]!, axis, total / slicing.partSize, `pieces/${internal}`);
  return (slicing.stride < 0 ? pieces.toReversed() : pieces).slice(0, iterations);
}

/** Copies the nodes of a body with its parameters replaced; returns the values of its results. */
export function inline(
  body: Model,
  feeds: readonly OutputPort[],
  e: Expansion,
  prefix: string,
  constants = new Map<OutputPort, OutputPort>(),
): OutputPort[] {
  const ports = new Map<OutputPort, OutputPort>(body.parameters().map((p, i) => [p.output, feeds[i]!]));
  for (const node of body.nodes()) {
    if (node.type === 'Parameter' || node.type === 'Result') continue;
    if (node.type === 'Constant') {
      const known = constants.get(node.output) ?? e.copy(node, [], node.name)[0]!;
      constants.set(node.output, known);
      ports.set(node.output, known);
      continue;
    }
    const inputs = node.inputs.map((i) => i.source && ports.get(i.source)!);
    for (const [i, port] of e.copy(node, inputs, `${prefix}/${node.name}`).entries()) ports.set(node.outputs[i]!, port);
  }
  return body.results().map((r) => ports.get(r.source(0)!)!);
}
