// Says for each operation of a quantized model whether it is quantized, and if not, why.
import type { Model } from '../graph/model.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import { byteLengthOf, isFloat } from '../tensor/element-type.ts';
import { elementCount } from '../tensor/shape.ts';
import type { IgnoredNodes } from './ignored-scope.ts';
import { quantizedInputs } from './insert.ts';
import { consumersOf, isConstant, isQuantizer, type Roles, traitsOf } from './roles.ts';

/** One operation in a report. */
export interface NodeReport {
  readonly name: string;
  readonly type: string;
  readonly quantized: boolean;
  /** One sentence without a subject, for people who do not know the rules. */
  readonly reason: string;
}

const unlisted = new Set(['Constant', 'Parameter', 'Result', 'FakeQuantize']);

/** All operations, producers first. */
export function explainNodes(model: Model, roles: Roles, ignored: IgnoredNodes): NodeReport[] {
  const nodes = model.nodes().filter((n) => !unlisted.has(n.type));
  return nodes.map((node) => ({ name: node.name, type: node.type, ...verdict(node, roles, ignored) }));
}

function verdict(node: Node, roles: Roles, ignored: IgnoredNodes): Pick<NodeReport, 'quantized' | 'reason'> {
  const float = (reason: string) => ({ quantized: false, reason });
  const excluded = ignored.reasons.get(node);
  if (excluded !== undefined) return float(excluded);
  if (node.outputs[0] && !isFloat(node.outputs[0].fact.type)) return float('it computes whole numbers');
  const row = roles.row(node);
  if (!row)
    return float(
      `${node.type} has no 8-bit form on ${roles.target.name}; it runs in floating point, where possible within the operation before it`,
    );
  if (row.agnostic) {
    if (dataInputs(node).every((source) => carriesBytes(source, roles)))
      return { quantized: true, reason: 'it passes 8-bit values on' };
    return float('it moves values that are not quantized, because some reader needs them in floating point');
  }
  if (!roles.isQuantizable(node)) return float(`${node.type} is not quantized`);
  const inputs = quantizedInputs(node);
  if (inputs.length > 0 && inputs.every((i) => carriesBytes(i.source!, roles))) {
    return { quantized: true, reason: 'its inputs are rounded to the grid of 8-bit values' };
  }
  return float('one of its inputs cannot be quantized');
}

function dataInputs(node: Node): OutputPort[] {
  const sources = node.inputs.flatMap((i) => (i.source ? [i.source] : []));
  const ascend = traitsOf(node).ascend ?? 'first';
  if (ascend === 'first') return sources.slice(0, 1);
  return ascend === 'all' ? sources : sources.filter((s) => !isConstant(s));
}

/** A quantizer, or an operation that passes quantized values on. */
function carriesBytes(source: OutputPort, roles: Roles): boolean {
  const visited = new Set<Node>();
  const stack = [source.node];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (isQuantizer(node) || visited.has(node)) continue;
    visited.add(node);
    if (!roles.isAgnostic(node)) return false;
    stack.push(...dataInputs(node).map((s) => s.node));
  }
  return true;
}

/**
 * Bytes that the constants of a model take when it is saved: quantized weights as integers with one f32 scale for each
 * channel, other constants as they are stored.
 */
export function storedBytes(model: Model): number {
  let bytes = 0;
  for (const node of model.nodeById.values()) {
    const value = node.type === 'Constant' ? node.output.fact.value : undefined;
    if (!value) continue;
    const readers = consumersOf(node);
    const [first] = readers;
    if (first && readers.every((r) => isQuantizer(r.node) && r.index > 0 && isConstant(r.node.source(0)))) continue;
    const levels = first && isQuantizer(first.node) && first.index === 0 ? Number(first.node.attributes.levels) : 0;
    const count = elementCount(value.shape);
    if (first && levels > 2 && levels <= 256) {
      const scales = elementCount(first.node.source(4)?.fact.shape ?? []);
      bytes += byteLengthOf(levels <= 16 ? 'i4' : 'i8', count) + 4 * scales;
    } else bytes += byteLengthOf(node.notes.storedAs ?? value.type, count);
  }
  return bytes;
}
