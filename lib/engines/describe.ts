// How each node of a compiled model runs: precision, kernel, and why it stays in FP32.
import type { Node } from '../graph/node.ts';
import type { CompiledStep, NativeModelExecutable } from './native-engine.ts';

/** How one node runs. */
export interface NodeDescription {
  readonly name: string;
  readonly type: string;
  readonly precision: 'INT8' | 'FP32' | 'host';
  /** The kernel row that computes it. */
  readonly row?: string;
  /** The node whose kernel does its work. */
  readonly fusedInto?: string;
  /** Why it is not INT8, for people. */
  readonly reason?: string;
}

/** Every node that computes something at run time, in order of execution. */
export function describeExecution(executable: NativeModelExecutable): NodeDescription[] {
  return executable.steps.flatMap((step) =>
    step.kind === 'host' ? [describeHost(step.node, step.reason)] : describeSegment(step),
  );
}

function describeHost(node: Node, reason: string): NodeDescription {
  return { name: node.name, type: node.type, precision: 'host', reason };
}

function describeSegment(step: Extract<CompiledStep, { kind: 'native' }>): NodeDescription[] {
  const rows = new Map<string, string>();
  // Conversions of a value are named after its node and come behind the node's own call.
  for (const call of step.executable.info.calls) if (!rows.has(call.name)) rows.set(call.name, call.row);
  const { plan, chains } = step.lowered;
  return step.nodes.map((node) => {
    const anchor = chains.absorbedBy.get(node)?.anchor;
    const state = plan.precision.get(anchor ?? node)!;
    const row = rows.get(node.name);
    return {
      name: node.name,
      type: node.type,
      precision: state.bytes ? 'INT8' : 'FP32',
      ...(anchor ? { fusedInto: `in ${anchor.name}` } : row ? { row } : {}),
      ...(state.bytes || state.reason === undefined ? {} : { reason: state.reason }),
    };
  });
}
