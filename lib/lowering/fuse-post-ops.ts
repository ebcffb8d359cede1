// Gathers behind each node what its kernel can do before it stores: bias, clamp, rounding, residual sum.
import type { Node, OutputPort } from '../graph/node.ts';
import type { PostOp } from '../ops/define-op.ts';
import type { QuantFormat } from '../ops/lower-context.ts';
import { getOp } from '../ops/registry.ts';
import { isPerChannel } from './format.ts';
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
    const { runtime, quantization } = getOp(anchor.type, anchor.notes.opset);
    const epilogue = runtime?.epilogue ?? 'none';
    if (epilogue === 'none') continue;
    const bytes = plan.precision.get(anchor)!.bytes;
    const hasChannels = [1, 1 - anchor.output.fact.shape.length].includes(quantization?.biasAxis ?? 1);
    const grammar = epilogueGrammar(epilogue, bytes, epilogue === 'product' && hasChannels);
    const steps: ChainStep[] = [];
    const absorbed: Node[] = [];
    let port = anchor.output;
    for (;;) {
      const reader = port.consumers.size === 1 && !exposed.has(port) ? [...port.consumers][0]! : undefined;
      if (!reader || !inside.has(reader.node) || absorbedBy.has(reader.node)) break;
      const step = stepOf(reader.node, reader.index, plan);
      if (!step || !grammar.take(step)) break;
      steps.push(step);
      absorbed.push(reader.node);
      port = reader.node.output;
    }
    const chain: Chain = { anchor, steps, port, absorbed };
    byAnchor.set(anchor, chain);
    for (const node of chain.absorbed) absorbedBy.set(node, chain);
  }
  return { byAnchor, absorbedBy };
}

function stepOf(node: Node, port: number, plan: PrecisionPlan): ChainStep | undefined {
  if (node.type === 'FakeQuantize') {
    const format = plan.format.get(node.output);
    return port === 0 && format && plan.precision.get(node)!.bytes ? { kind: 'quantize', format } : undefined;
  }
  return getOp(node.type, node.notes.opset).asPostOp?.(node.attributes, node, port);
}

/**
 * Steps that an epilogue accepts, in order:
 * - product on bytes: bias? clamp? (quantize, then add)? add? clamp? quantize?
 * - product on floats: bias? (add)? clamp?
 * - clamp: clamp? quantize? (bytes only)
 * - round: quantize? (bytes only)
 *
 * A clamp in front of an add is accepted only when a quantize stands between them. Scales for each index of axis 1 need
 * a product whose channels are that axis, and no sum.
 */
function epilogueGrammar(
  epilogue: 'product' | 'clamp' | 'round',
  bytes: boolean,
  acceptsChannels: boolean,
): { take(step: ChainStep): boolean } {
  const seen = { bias: false, clamp: false, quantize: false, channels: false, add: false };
  return {
    take(step) {
      if (step.kind === 'bias') {
        if (epilogue !== 'product' || seen.bias || seen.clamp || seen.quantize || seen.add) return false;
        seen.bias = true;
      } else if (step.kind === 'clamp') {
        if (epilogue === 'round' || seen.clamp || seen.quantize) return false;
        seen.clamp = true;
      } else if (step.kind === 'quantize') {
        if (!bytes || seen.quantize) return false;
        if (isPerChannel(step.format) && (!acceptsChannels || seen.add)) return false;
        if (epilogue === 'round' && step.format.high !== 255) return false;
        seen.quantize = true;
        seen.channels = isPerChannel(step.format);
      } else {
        if (epilogue !== 'product' || seen.add || seen.channels || (seen.clamp && !seen.quantize)) return false;
        seen.add = true;
        seen.clamp = false;
        seen.quantize = false;
      }
      return true;
    },
  };
}
