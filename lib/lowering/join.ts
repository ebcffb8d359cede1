// Lets the producers of a channel Concat write side by side, so that the Concat itself does nothing.
import type { Node, OutputPort } from '../graph/node.ts';
import { runtimeOf } from '../ops/registry.ts';
import type { BufferId, ProgramType } from '../program/program.ts';
import type { Chains } from './fuse-post-ops.ts';
import type { PrecisionPlan } from './plan.ts';
import { ownType } from './values.ts';

/** A Concat along the channels. */
export interface JoinGroup {
  readonly node: Node;
  readonly type: ProgramType;
  readonly channels: number;
  /** The joint memory, channels last, once somebody writes into it. */
  buffer?: BufferId;
}

/** A value that may be written straight into a joint buffer. */
export interface JoinSlot {
  readonly group: JoinGroup;
  /** First channel of the value in the joint pixel. */
  readonly offset: number;
}

/** The joint memories of a list of nodes, and the values that go straight into one. */
export interface Joins {
  readonly groups: ReadonlyMap<Node, JoinGroup>;
  readonly slots: ReadonlyMap<OutputPort, JoinSlot>;
}

/**
 * Finds the Concats along axis 1 of images and the inputs that are read by nobody else.
 *
 * @param exposed  ports whose values must exist on their own
 * @param observed  ports that are observed, also where floats of theirs lie among those of others
 */
export function planJoins(
  nodes: readonly Node[],
  plan: PrecisionPlan,
  chains: Chains,
  exposed: ReadonlySet<OutputPort>,
  observed: ReadonlySet<OutputPort>,
): Joins {
  const groups = new Map<Node, JoinGroup>();
  const slots = new Map<OutputPort, JoinSlot>();
  const ends = new Set([...chains.byAnchor.values()].map((c) => c.port));
  for (const node of nodes) {
    const axis = runtimeOf(node)?.joins?.(node);
    const shape = node.output.fact.shape;
    if (axis !== 1 || shape.length < 3) continue;
    const type = plan.precision.get(node)!.bytes ? 'u8' : ownType(node.output);
    const group: JoinGroup = { node, type, channels: shape[1]! };
    groups.set(node, group);
    let offset = 0;
    for (const input of node.inputs) {
      const port = input.source!;
      const isWritable = ends.has(port) || runtimeOf(port.node)?.storesApart === true;
      const isOwn = exposed.has(port) || (type !== 'f32' && observed.has(port));
      if (port.consumers.size === 1 && !isOwn && isWritable) slots.set(port, { group, offset });
      offset += port.fact.shape[1]!;
    }
  }
  return { groups, slots };
}
