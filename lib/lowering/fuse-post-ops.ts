// Gathers behind each node what its kernel can do before it stores: bias, clamp, rounding, residual sum.
import type { Node, OutputPort } from '../graph/node.ts';
import type { PostOp } from '../ops/define-op.ts';
import type { QuantFormat } from '../ops/lower-context.ts';
import { getOp, runtimeOf } from '../ops/registry.ts';
import { epilogueGrammar } from './epilogue-grammar.ts';
import type { PrecisionPlan } from './plan.ts';

/** Rounding to bytes inside an epilogue. */
export interface QuantizePostOp {
  readonly kind: 'quantize';
  readonly format: QuantFormat;
}

/** What an epilogue does with the value, one thing after the other. */
export type ChainStep = PostOp | QuantizePostOp;

/** A node whose kernel runs, the steps fused behind it, and the port whose value the kernel stores. */
export interface Chain {
  readonly anchor: Node;
  readonly steps: readonly ChainStep[];
  readonly port: OutputPort;
  /** The fused nodes, in order. */
  readonly absorbed: readonly Node[];
  /** A quantizer of `port` whose bytes are stored beside the floats. */
  readonly beside?: { readonly node: Node; readonly format: QuantFormat };
}

/** What was decided for a segment: the chain of each anchor, and for each absorbed node its anchor. */
export interface Chains {
  readonly byAnchor: ReadonlyMap<Node, Chain>;
  readonly absorbedBy: ReadonlyMap<Node, Chain>;
}

/**
 * Walks forward from each node while the value has one reader and the reader fits the epilogue. As nothing else sees
 * these values, the other operand of a fused sum cannot depend on them.
 *
 * @param nodes     topological order
 * @param exposed   ports whose values must exist as they are: outputs, observed or read from elsewhere
 */
export function gatherChains(nodes: readonly Node[], plan: PrecisionPlan, exposed: ReadonlySet<OutputPort>): Chains {
  const inside = new Set(nodes);
  const absorbedBy = new Map<Node, Chain>();
  const byAnchor = new Map<Node, Chain>();
  for (const anchor of nodes) {
    if (absorbedBy.has(anchor)) continue;
    const { quantization } = getOp(anchor.type, anchor.notes.opset);
    const runtime = runtimeOf(anchor);
    const epilogue = runtime?.epilogue ?? 'none';
    if (epilogue === 'none') continue;
    const bytes = plan.precision.get(anchor)!.bytes || (runtime?.storesBytes ?? false);
    const hasChannels = [1, 1 - anchor.output.fact.shape.length].includes(quantization?.biasAxis ?? 1);
    const grammar = epilogueGrammar(epilogue, { bytes, acceptsChannels: epilogue === 'product' && hasChannels });
    const steps: ChainStep[] = [];
    const absorbed: Node[] = [];
    let port = anchor.output;
    for (;;) {
      const reader = port.consumers.size === 1 && !exposed.has(port) ? [...port.consumers][0]! : undefined;
      if (!reader || !inside.has(reader.node) || absorbedBy.has(reader.node)) break;
      const step = stepOf(reader.node, reader.index, plan, anchor);
      if (!step || !grammar.take(step)) break;
      steps.push(step);
      absorbed.push(reader.node);
      port = reader.node.output;
    }
    const isStored = steps.at(-1)?.kind === 'quantize';
    const beside = runtime?.storesBoth && !isStored ? quantizerBeside(port, inside, absorbedBy, plan) : undefined;
    const chain: Chain = { anchor, steps, port, absorbed, ...(beside ? { beside } : {}) };
    byAnchor.set(anchor, chain);
    for (const node of beside ? [...absorbed, beside.node] : absorbed) absorbedBy.set(node, chain);
  }
  return { byAnchor, absorbedBy };
}

/** The one quantizer with one scale that reads the port. */
function quantizerBeside(
  port: OutputPort,
  inside: ReadonlySet<Node>,
  absorbedBy: ReadonlyMap<Node, Chain>,
  plan: PrecisionPlan,
): Chain['beside'] {
  const found = [...port.consumers].flatMap((reader) => {
    const step =
      inside.has(reader.node) && !absorbedBy.has(reader.node)
        ? stepOf(reader.node, reader.index, plan, port.node)
        : undefined;
    return step?.kind === 'quantize' && step.format.scale.length === 1
      ? [{ node: reader.node, format: step.format }]
      : [];
  });
  return found.length === 1 ? found[0] : undefined;
}

function stepOf(node: Node, port: number, plan: PrecisionPlan, owner: Node): ChainStep | undefined {
  if (node.type === 'FakeQuantize') {
    const format = plan.format.get(node.output);
    return port === 0 && format && plan.precision.get(node)!.bytes ? { kind: 'quantize', format } : undefined;
  }
  return getOp(node.type, node.notes.opset).asPostOp?.(node.attributes, node, port, owner);
}
