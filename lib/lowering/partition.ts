// Cuts a model into segments for the native runtime and single nodes for the host.
import type { Model } from '../graph/model.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import type { PortTypes } from '../ops/define-op.ts';
import { getOp, runtimeOf } from '../ops/registry.ts';
import type { ElementType } from '../tensor/element-type.ts';
import { isStatic } from '../tensor/shape.ts';

/** A run of native nodes, or one node that is evaluated on the host. */
export type Step =
  | {
      readonly kind: 'native';
      readonly nodes: readonly Node[];
      readonly inputs: readonly OutputPort[];
      readonly outputs: readonly OutputPort[];
    }
  | { readonly kind: 'host'; readonly node: Node; readonly reason: string };

/**
 * Steps in an order that can be executed. As many nodes as possible share a segment: all ready native nodes are taken
 * before a host node.
 *
 * @param wanted    ports whose values must be available at the end: outputs, taps
 * @param observed  ports that must be computed, but need not be available
 */
export function partition(model: Model, wanted: readonly OutputPort[], observed: readonly OutputPort[] = []): Step[] {
  const constants = constantNodes(model);
  const needed = [...wanted, ...observed];
  const live = liveNodes(model, needed, constants);
  const done = new Set<Node>();
  const pending = new Set(live);
  const ready = (node: Node): boolean =>
    node.inputs.every((i) => !i.source || !pending.has(i.source.node) || done.has(i.source.node));
  const groups: ({ kind: 'native'; nodes: Node[] } | { kind: 'host'; node: Node; reason: string })[] = [];
  while (pending.size > 0) {
    const segment: Node[] = [];
    const hosts: { node: Node; reason: string }[] = [];
    for (const node of live) {
      if (!pending.has(node) || !ready(node)) continue;
      const reason = hostReason(node, constants, needed);
      if (reason === undefined) {
        segment.push(node);
        done.add(node);
      } else hosts.push({ node, reason });
    }
    for (const node of segment) pending.delete(node);
    if (segment.length > 0) groups.push({ kind: 'native', nodes: segment });
    for (const { node, reason } of hosts) {
      groups.push({ kind: 'host', node, reason });
      pending.delete(node);
      done.add(node);
    }
  }
  return groups.map((group) => (group.kind === 'host' ? group : withPorts(group.nodes, wanted, constants)));
}

/**
 * Why a node cannot run natively; undefined when it can.
 *
 * @param needed  ports that are read although the model may have no reader of them
 */
export function hostReason(
  node: Node,
  constants: ReadonlySet<Node>,
  needed: readonly OutputPort[] = [],
): string | undefined {
  const definition = getOp(node.type, node.notes.opset);
  if (definition.variable) return 'variables are kept on the host';
  if (definition.control) return 'its bodies run natively, one after the other';
  if (!definition.lower) return `${node.type} has no native kernel yet`;
  const touched = [...node.inputs.flatMap((i) => i.source ?? []), ...node.outputs];
  if (touched.some((p) => !isStatic(p.fact.shape))) return 'a shape is known only when its values are';
  if (definition.canLower && !definition.canLower(node.attributes, node))
    return `this form of ${node.type} has no native kernel yet`;
  const computed = node.inputs.flatMap((i) => (i.source && !isConstant(i.source, constants) ? [i.source] : []));
  const read = node.outputs.filter((o) => o.consumers.size > 0 || needed.includes(o));
  const types = runtimeOf(node)?.types ?? floats;
  const input = node.inputs.find(
    (i) => i.source && computed.includes(i.source) && !takes(types.inputs, i.index, i.source),
  );
  const output = read.find((port) => !takes(types.outputs, port.index, port));
  if (input) return `its input has type ${input.source!.fact.type}`;
  if (output) return `its output has type ${output.fact.type}`;
  if ([...computed, ...read].some((p) => p.fact.shape.includes(0))) return 'a tensor without elements';
  return undefined;
}

const floats: PortTypes = { inputs: [['f32']], outputs: [['f32']] };

/** True when a port takes the type of a value. */
function takes(types: readonly (readonly ElementType[])[], index: number, port: OutputPort): boolean {
  return (types[index] ?? types.at(-1)!).includes(port.fact.type);
}

function withPorts(nodes: readonly Node[], wanted: readonly OutputPort[], constants: ReadonlySet<Node>): Step {
  const inside = new Set(nodes);
  const inputs = new Set<OutputPort>();
  const outputs = new Set<OutputPort>();
  const isWanted = new Set(wanted);
  for (const node of nodes) {
    for (const input of node.inputs) {
      const source = input.source;
      if (source && !inside.has(source.node) && !isConstant(source, constants)) inputs.add(source);
    }
    for (const out of node.outputs) {
      if (isWanted.has(out) || [...out.consumers].some((c) => !inside.has(c.node) && c.node.type !== 'Result'))
        outputs.add(out);
    }
  }
  return { kind: 'native', nodes, inputs: [...inputs], outputs: [...outputs] };
}

/** Nodes that compute something at run time for the wanted ports and for variables, producers first. */
function liveNodes(model: Model, wanted: readonly OutputPort[], constants: ReadonlySet<Node>): Node[] {
  const live = new Set<Node>();
  const writers = model.nodes().filter((n) => getOp(n.type, n.notes.opset).variable?.access === 'write');
  const stack = [...wanted.map((p) => p.node), ...writers];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (live.has(node) || node.type === 'Parameter' || node.outputs.every((o) => isConstant(o, constants))) continue;
    live.add(node);
    for (const input of node.inputs) if (input.source) stack.push(input.source.node);
  }
  return model.nodes().filter((n) => live.has(n));
}

/** Nodes whose value no input of the model can change. */
export function constantNodes(model: Model): ReadonlySet<Node> {
  const constants = new Set<Node>();
  for (const node of model.nodes()) {
    if (getOp(node.type, node.notes.opset).stateful) continue;
    const fed =
      node.type !== 'Constant' &&
      (node.inputs.length === 0 || node.inputs.some((i) => i.source && !isConstant(i.source, constants)));
    if (!fed && node.type !== 'Parameter') constants.add(node);
  }
  return constants;
}

function isConstant(port: OutputPort, constants: ReadonlySet<Node>): boolean {
  return port.fact.value !== undefined || constants.has(port.node);
}
