// Finds the same operations in two models that were converted at different times, whose generated names differ.
import type { Model } from '../../lib/graph/model.ts';
import type { Node, OutputPort } from '../../lib/graph/node.ts';
import { isQuantizer } from '../../lib/quantization/roles.ts';

/** Nodes whose values depend on an input of the model. */
export function computedNodes(model: Model): Set<Node> {
  const computed = new Set<Node>(model.parameters());
  for (const node of model.nodes()) {
    if (node.inputs.some((i) => i.source && computed.has(i.source.node))) computed.add(node);
  }
  return computed;
}

/**
 * For each operation of a quantized model the name of the same operation in its original.
 *
 * Two operations are the same when they have one type and read the same values through the same ports, quantizers left
 * out. Among several such, equal names go together, then the order decides. An operation that the original does not have,
 * such as an added bias, stands for what it reads.
 */
export function alignNames(quantized: Model, original: Model): Map<string, string> {
  const candidates = new Map<string, Node[]>();
  const computed = computedNodes(original);
  for (const node of original.nodes().filter((n) => computed.has(n))) {
    const key = keyOf(node, (source) =>
      computed.has(source.node) ? portName(source.node.name, source.index) : undefined,
    );
    candidates.set(key, [...(candidates.get(key) ?? []), node]);
  }
  const names = new Map<string, string>();
  const ports = new Map<OutputPort, string>();
  const theirs = computedNodes(quantized);
  for (const node of quantized.nodes().filter((n) => theirs.has(n))) {
    const same = isQuantizer(node)
      ? undefined
      : take(
          candidates,
          keyOf(node, (source) => ports.get(source)),
          node.name,
        );
    if (same) names.set(node.name, same.name);
    const through = node.inputs.map((i) => i.source && ports.get(i.source)).find((p) => p !== undefined);
    for (const out of node.outputs) {
      const own = same ? portName(same.name, out.index) : through;
      if (own !== undefined) ports.set(out, own);
    }
  }
  return names;
}

function portName(node: string, index: number): string {
  return `${node}.${index}`;
}

/** Type and computed inputs. An input of the model is known by its name. */
function keyOf(node: Node, nameOf: (source: OutputPort) => string | undefined): string {
  if (node.type === 'Parameter') return 'Parameter';
  const inputs = node.inputs.map((i) => (i.source && nameOf(i.source)) ?? '');
  return [node.type, ...inputs].join('|').replace(/\|+$/, '');
}

function take(candidates: Map<string, Node[]>, key: string, name: string): Node | undefined {
  const list = candidates.get(key) ?? [];
  const at = Math.max(
    0,
    list.findIndex((n) => n.name === name),
  );
  return list.splice(at, 1)[0];
}
