// Decides which nodes run on bytes and which values exist as bytes, before anything is emitted.
import type { Node, OutputPort } from '../graph/node.ts';
import type { OpDef } from '../ops/define-op.ts';
import type { QuantFormat } from '../ops/lower-context.ts';
import { getOp } from '../ops/registry.ts';
import { formatOfFakeQuantize, isPerChannel, sameFormat } from './format.ts';
import { type QuantizedWeights, quantizedWeights } from './int8/weights.ts';

/** How a node runs, and why when it could be expected on bytes and is not. */
export interface NodePrecision {
  readonly bytes: boolean;
  readonly reason?: string;
}

/** The precision of every node and the format of every value that can be bytes. */
export interface PrecisionPlan {
  readonly precision: ReadonlyMap<Node, NodePrecision>;
  readonly format: ReadonlyMap<OutputPort, QuantFormat>;
  readonly weights: ReadonlyMap<Node, QuantizedWeights>;
  /** Some consumer of the port reads bytes. */
  wantsBytes(port: OutputPort): boolean;
}

/** Plans a list of nodes in topological order. */
export function planPrecision(nodes: readonly Node[]): PrecisionPlan {
  const precision = new Map<Node, NodePrecision>();
  const format = new Map<OutputPort, QuantFormat>();
  const weights = new Map<Node, QuantizedWeights>();
  for (const node of nodes) {
    const definition = getOp(node.type, node.notes.opset);
    const state = node.type === 'FakeQuantize' ? quantizer(node, format) : operation(node, definition, format, weights);
    precision.set(node, state);
  }
  const wanted = new Set<OutputPort>();
  for (const node of nodes.toReversed()) {
    const state = precision.get(node)!;
    if (!state.bytes || node.type === 'FakeQuantize') continue;
    const runtime = getOp(node.type, node.notes.opset).runtime!;
    if (runtime.bytes === 'move' && !node.outputs.some((o) => wanted.has(o))) {
      precision.set(node, { bytes: false, reason: 'nothing behind it reads bytes' });
      continue;
    }
    const ports = runtime.bytes === 'product' ? [node.inputs[0]!] : node.inputs;
    for (const input of ports) if (input.source && format.has(input.source)) wanted.add(input.source);
  }
  for (const node of nodes) {
    if (node.type !== 'FakeQuantize' || !precision.get(node)!.bytes || wanted.has(node.output)) continue;
    precision.set(node, { bytes: false, reason: 'nothing behind it reads bytes' });
  }
  return { precision, format, weights, wantsBytes: (port) => wanted.has(port) };
}

function quantizer(node: Node, format: Map<OutputPort, QuantFormat>): NodePrecision {
  const found = formatOfFakeQuantize(node);
  if ('reason' in found) return { bytes: false, reason: found.reason };
  format.set(node.output, found.format);
  return { bytes: true };
}

function operation(
  node: Node,
  definition: OpDef,
  format: Map<OutputPort, QuantFormat>,
  weights: Map<Node, QuantizedWeights>,
): NodePrecision {
  const runtime = definition.runtime;
  if (!runtime || runtime.bytes === 'never') return { bytes: false, reason: `${node.type} runs in FP32` };
  const sources = activations(node, definition);
  const first = sources[0] && format.get(sources[0]);
  if (!first) return { bytes: false, reason: 'its input is not quantized' };
  const acceptsChannels =
    typeof runtime.perChannel === 'function' ? runtime.perChannel(node) : (runtime.perChannel ?? false);
  if (isPerChannel(first) && !acceptsChannels) return { bytes: false, reason: 'its input has one scale per channel' };
  if (runtime.bytes === 'product') {
    const traits = definition.quantization?.weights;
    const port = traits && node.source(traits.port);
    if (!traits || !port) return { bytes: false, reason: 'it has no weights' };
    const axis = traits.outputChannelAxis(node.attributes as never, port.fact.shape);
    const found = quantizedWeights(port, axis, outputChannels(node, definition));
    if ('reason' in found) return { bytes: false, reason: found.reason };
    weights.set(node, found.weights);
    return { bytes: true };
  }
  if (runtime.bytes === 'combine') {
    for (const source of sources) {
      if (source.fact.value) return { bytes: false, reason: 'one of its inputs is constant' };
      const other = format.get(source);
      if (!other) return { bytes: false, reason: 'one of its inputs is not quantized' };
      if (isPerChannel(other)) return { bytes: false, reason: 'one of its inputs has one scale per channel' };
    }
    return { bytes: true };
  }
  for (const source of definition.quantization?.ascend === 'all' ? sources : sources.slice(0, 1)) {
    const other = format.get(source);
    if (!other) return { bytes: false, reason: 'one of its inputs is not quantized' };
    if (!sameFormat(first, other)) return { bytes: false, reason: 'its inputs have different scales' };
  }
  for (const out of node.outputs) format.set(out, first);
  return { bytes: true };
}

/** The inputs that carry activations: those that quantization looks at, or all of an operation that it passes by. */
function activations(node: Node, definition: OpDef): OutputPort[] {
  const ports = definition.quantization?.quantizedPorts ?? 'all';
  const inputs = ports === 'all' ? node.inputs : ports.flatMap((p) => node.inputs[p] ?? []);
  return inputs.flatMap((i) => (i.source ? [i.source] : []));
}

/** Size of the bias axis of the output. */
export function outputChannels(node: Node, definition: OpDef): number {
  const shape = node.output.fact.shape;
  return shape.at(definition.quantization?.biasAxis ?? 1) ?? 1;
}
