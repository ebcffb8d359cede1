// In which order products are corrected, and which values are kept between the steps.
import type { Model } from '../../graph/model.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { byteLengthOf } from '../../tensor/element-type.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { BiasedProduct } from '../biased-products.ts';

/** Products whose inputs depend on no other product that is left: they are computed together. */
export interface Step {
  readonly products: readonly BiasedProduct[];
  /** Values of earlier steps, or inputs of the model, that this step starts from. */
  readonly from: readonly OutputPort[];
  /** Values of this step that later ones need: outputs of products without their biases, and their data. */
  readonly keep: readonly OutputPort[];
  /** Values that no later step needs. */
  readonly drop: readonly OutputPort[];
}

/**
 * Steps such that every product is computed once for each sample, from values that are kept since an earlier step.
 *
 * @param products  of that model, producers first
 */
export function scheduleOf(model: Model, products: readonly BiasedProduct[]): Step[] {
  const known = new Set<OutputPort>(model.parameters().map((p) => p.output));
  const steps: Step[] = [];
  let left = [...products];
  while (left.length > 0) {
    const waiting = new Set(left.map((p) => p.node));
    const isReady = (p: BiasedProduct): boolean => !dependsOn(p, waiting, known);
    const ready = left.filter(isReady);
    const from = [
      ...frontier(
        ready.map((p) => p.node),
        known,
      ),
    ];
    left = left.filter((p) => !ready.includes(p));
    const computed = ready.flatMap((p) => [p.node.output, p.node.source(0)!]);
    const before = new Set(known);
    for (const port of computed) if (!port.fact.value) known.add(port);
    const needed = frontier(
      left.map((p) => p.node),
      known,
    );
    const keep = computed.filter((port, i) => needed.has(port) && !before.has(port) && computed.indexOf(port) === i);
    const drop = [...before].filter((port) => !needed.has(port));
    for (const port of known) if (!needed.has(port)) known.delete(port);
    steps.push({ products: ready, from, keep, drop });
  }
  return steps;
}

function dependsOn(product: BiasedProduct, waiting: ReadonlySet<Node>, known: ReadonlySet<OutputPort>): boolean {
  const visited = new Set<Node>();
  const stack = sources(product.node);
  while (stack.length > 0) {
    const port = stack.pop()!;
    if (known.has(port) || visited.has(port.node)) continue;
    if (waiting.has(port.node)) return true;
    visited.add(port.node);
    stack.push(...sources(port.node));
  }
  return false;
}

/** The known values that some nodes are computed from. */
function frontier(nodes: readonly Node[], known: ReadonlySet<OutputPort>): Set<OutputPort> {
  const found = new Set<OutputPort>();
  const visited = new Set<Node>();
  const stack = nodes.flatMap(sources);
  while (stack.length > 0) {
    const port = stack.pop()!;
    if (known.has(port)) found.add(port);
    else if (!visited.has(port.node)) {
      visited.add(port.node);
      stack.push(...sources(port.node));
    }
  }
  return found;
}

function sources(node: Node): OutputPort[] {
  return node.inputs.flatMap((input) => (input.source ? [input.source] : []));
}

/** Most bytes that are kept for one sample at a time. Shapes must be static. */
export function peakBytes(model: Model, steps: readonly Step[]): number {
  const bytesOf = (ports: readonly OutputPort[]): number =>
    ports.reduce((sum, { fact }) => sum + byteLengthOf(fact.type, elementCount(fact.shape)), 0);
  let held = bytesOf(model.parameters().map((p) => p.output));
  let peak = held;
  for (const step of steps) {
    held += bytesOf(step.keep);
    peak = Math.max(peak, held);
    held -= bytesOf(step.drop);
  }
  return peak;
}
