// How each node of a compiled model runs: precision, kernel, and why it stays in FP32.
import type { Node } from '../graph/node.ts';
import { runtimeOf } from '../ops/registry.ts';
import { elementCount } from '../tensor/shape.ts';
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
  /** Products that are summed in one run: convolutions and matrix products. */
  readonly multiplyAccumulates?: number;
  /** Elements of its outputs; absent where another node's kernel does its work, and where sizes depend on data. */
  readonly elements?: number;
}

/** What the nodes cost that run in one way. */
export interface CostOfPrecision {
  readonly precision: NodeDescription['precision'];
  /** Nodes with a kernel or an evaluation of their own. */
  readonly nodes: number;
  readonly multiplyAccumulates: number;
  readonly elements: number;
}

/** Costs by how nodes run, of those ways that occur. */
export function costByPrecision(nodes: readonly NodeDescription[]): CostOfPrecision[] {
  return (['INT8', 'FP32', 'host'] as const).flatMap((precision) => {
    const own = nodes.filter((n) => n.precision === precision && (n.row !== undefined || precision === 'host'));
    if (own.length === 0) return [];
    const sum = (of: (n: NodeDescription) => number | undefined) => own.reduce((total, n) => total + (of(n) ?? 0), 0);
    return [
      {
        precision,
        nodes: own.length,
        multiplyAccumulates: sum((n) => n.multiplyAccumulates),
        elements: sum((n) => n.elements),
      },
    ];
  });
}

/** Multiply-accumulates of one run, of all native kernels and of those that compute in integers. */
export interface MultiplyAccumulates {
  readonly total: number;
  readonly int8: number;
}

/** The sum over all nodes. */
export function multiplyAccumulates(nodes: readonly NodeDescription[]): MultiplyAccumulates {
  const count = (list: readonly NodeDescription[]) => list.reduce((sum, n) => sum + (n.multiplyAccumulates ?? 0), 0);
  return { total: count(nodes), int8: count(nodes.filter((n) => n.precision === 'INT8')) };
}

/** Every node that computes something at run time, in order of execution. */
export function describeExecution(executable: NativeModelExecutable): NodeDescription[] {
  return executable.steps.flatMap((step) =>
    step.kind === 'host' ? [describeHost(step.node, step.reason)] : describeSegment(step),
  );
}

function describeHost(node: Node, reason: string): NodeDescription {
  return { name: node.name, type: node.type, precision: 'host', reason, ...elementsOf(node) };
}

function elementsOf(node: Node): { readonly elements?: number } {
  const shapes = node.outputs.map((port) => port.fact.shape);
  if (shapes.some((shape) => shape.some((d) => d < 0))) return {};
  return { elements: shapes.reduce((total, shape) => total + elementCount(shape), 0) };
}

function describeSegment(step: Extract<CompiledStep, { kind: 'native' }>): NodeDescription[] {
  const calls = new Map<string, { readonly row: string; readonly operations: number }>();
  // Conversions of a value are named after its node and come behind the node's own call.
  for (const call of step.executable.info.calls) if (!calls.has(call.name)) calls.set(call.name, call);
  const { plan, chains } = step.lower();
  return step.nodes.map((node) => {
    const anchor = chains.absorbedBy.get(node)?.anchor;
    const state = plan.precision.get(anchor ?? node)!;
    const call = calls.get(node.name);
    return {
      name: node.name,
      type: node.type,
      precision: state.bytes ? 'INT8' : 'FP32',
      ...(anchor ? { fusedInto: `in ${anchor.name}` } : call ? { row: call.row, ...elementsOf(node) } : {}),
      ...(call && isProduct(node) ? { multiplyAccumulates: call.operations / 2 } : {}),
      ...(state.bytes || state.reason === undefined ? {} : { reason: state.reason }),
    };
  });
}

/** A kernel that sums products has their epilogue. */
function isProduct(node: Node): boolean {
  const epilogue = runtimeOf(node)?.epilogue;
  return epilogue === 'product' || epilogue === 'multiply';
}
