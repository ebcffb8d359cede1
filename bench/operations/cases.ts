// Single operations as they occur in networks: each becomes a model of its own.
import { randomTensor } from '../../lib/data/synthetic.ts';
import { addConstant, isComputedFromConstants, Model, type Node, type OutputPort } from '../../lib/graph/index.ts';
import { evaluatePort } from '../../lib/lowering/int8/weights.ts';
import { createNode } from '../../lib/ops/create-node.ts';
import { elementCount, isStatic } from '../../lib/tensor/shape.ts';
import { type Tensor, zeros } from '../../lib/tensor/tensor.ts';

export interface Occurrence {
  readonly type: string;
  /** `[1, 64, 56, 56] × [64, 64, 3, 3]` */
  readonly shapes: string;
  readonly node: Node;
  /** How often it occurs, in all networks together. */
  count: number;
}

/** One operation as a model, and values for its inputs. */
export interface OperationCase {
  readonly model: Model;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** What has no work of its own, or that of other operations. */
const left = new Set([
  'Parameter',
  'Result',
  'Constant',
  'ShapeOf',
  'If',
  'Loop',
  'TensorIterator',
  'ReadValue',
  'Assign',
]);

/** Constants of so many elements count with their values: sizes, axes and the like decide what the work is. */
const smallConstant = 16;

/** Elements of an input or output: a free dimension that was set makes some networks unlike any that is run. */
const mostElements = 1 << 24;

/**
 * Adds the operations of a network to `cases`, by what distinguishes them: type, attributes, types and shapes of inputs.
 * Those with dynamic or huge shapes, and those whose result is a constant, are left out.
 */
export function collectCases(network: Model, cases: Map<string, Occurrence>): void {
  for (const node of network.nodes()) {
    if (left.has(node.type) || isComputedFromConstants(node.outputs[0])) continue;
    const key = keyOf(node);
    const found = cases.get(key);
    if (found) found.count++;
    else if (isStaticNode(node)) cases.set(key, { type: node.type, shapes: shapesOf(node), node, count: 1 });
  }
}

const sourcesOf = (node: Node): (OutputPort | undefined)[] => node.inputs.map((i) => i.source);

function isStaticNode(node: Node): boolean {
  return [...sourcesOf(node), ...node.outputs].every((p) => {
    const shape = p?.fact.shape ?? [];
    return isStatic(shape) && elementCount(shape) <= mostElements;
  });
}

function keyOf(node: Node): string {
  const inputs = sourcesOf(node).map((p) => {
    if (!p) return 'none';
    const { type, shape, value } = p.fact;
    const values = value && value.data.length <= smallConstant ? `=${value.data.join(',')}` : '';
    return `${type}${shape.join('x')}${isComputedFromConstants(p) ? 'constant' : ''}${values}`;
  });
  const attributes = JSON.stringify(node.attributes, (_, v) => (typeof v === 'bigint' ? `${v}` : v));
  return `${node.type} ${attributes} ${inputs.join(' ')}`;
}

/** Floats are random, everything else is zero: the one index that is valid everywhere. */
export function caseOf(node: Node): OperationCase {
  const model = new Model(node.type);
  const feeds: Record<string, Tensor> = {};
  const made = new Map<OutputPort, OutputPort>();
  const inputs = sourcesOf(node).map((port, i) => {
    if (!port) return undefined;
    if (!made.has(port)) {
      const { type, shape } = port.fact;
      const value = isComputedFromConstants(port) ? evaluatePort(port) : undefined;
      const name = `input${i}`;
      if (!value) feeds[name] = type === 'f32' ? randomTensor({ name, type, shape }, i) : zeros(type, shape);
      const attributes = { element_type: type, shape };
      const source = value
        ? addConstant(model, name, value)
        : createNode(model, { type: 'Parameter', name, attributes, inputs: [] });
      made.set(port, source.outputs[0]!);
    }
    return made.get(port)!;
  });
  const { type, attributes, notes } = node;
  const copy = createNode(model, { type, name: 'operation', attributes, inputs, notes });
  for (const [i, output] of node.outputs.entries())
    if (output.consumers.size > 0)
      createNode(model, { type: 'Result', name: `output${i}`, attributes: {}, inputs: [copy.outputs[i]!] });
  return { model, feeds };
}

function shapesOf(node: Node): string {
  const shapes = sourcesOf(node).flatMap((p) => (p && elementCount(p.fact.shape) > 1 ? [p.fact.shape] : []));
  return shapes.map((shape) => `[${shape.join(', ')}]`).join(' × ');
}
