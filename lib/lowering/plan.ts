// Decides which nodes run on bytes and which values exist as bytes, before anything is emitted.
import type { Node, OutputPort } from '../graph/node.ts';
import type { OpDef, RuntimeTraits } from '../ops/define-op.ts';
import type { QuantFormat } from '../ops/lower-context.ts';
import { movedInputs } from '../ops/quantization/moved-grid.ts';
import { getOp, runtimeOf } from '../ops/registry.ts';
import { formatOfFakeQuantize, isPerChannel, joinedFormat, sameFormat } from './format.ts';
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
}

/**
 * Plans a list of nodes in topological order.
 *
 * @param simulate  nothing runs on bytes: quantizers round floats
 */
export function planPrecision(nodes: readonly Node[], simulate = false): PrecisionPlan {
  const precision = new Map<Node, NodePrecision>();
  const format = new Map<OutputPort, QuantFormat>();
  const weights = new Map<Node, QuantizedWeights>();
  if (simulate) {
    for (const node of nodes) precision.set(node, { bytes: false, reason: 'quantizers are simulated in FP32' });
    return { precision, format, weights };
  }
  for (const node of nodes) {
    const definition = getOp(node.type, node.notes.opset);
    const state =
      node.type === 'FakeQuantize'
        ? quantizer(node, format)
        : operation(node, definition, { precision, format, weights });
    precision.set(node, state);
  }
  dropUnread(nodes, precision, format);
  return { precision, format, weights };
}

/** Sends quantizers and moving operations in front of nothing that reads bytes back to floats. */
function dropUnread(
  nodes: readonly Node[],
  precision: Map<Node, NodePrecision>,
  format: ReadonlyMap<OutputPort, QuantFormat>,
): void {
  const wanted = new Set<OutputPort>();
  for (const node of nodes.toReversed()) {
    if (!precision.get(node)!.bytes) continue;
    const definition = getOp(node.type, node.notes.opset);
    const isSource = node.type === 'FakeQuantize';
    const passesOn = isSource || runtimeOf(node)?.bytes === 'move';
    if (passesOn && !node.outputs.some((o) => wanted.has(o))) {
      precision.set(node, { bytes: false, reason: 'nothing behind it reads bytes' });
      continue;
    }
    if (!isSource) for (const port of byteSources(node, definition)) if (format.has(port)) wanted.add(port);
  }
}

/** The inputs that a node reads as bytes when it runs on bytes. */
function byteSources(node: Node, definition: OpDef): readonly OutputPort[] {
  const all = node.inputs.flatMap((i) => (i.source ? [i.source] : []));
  const first = node.source(0) ? [node.source(0)!] : [];
  const { quantization } = definition;
  const { bytes } = runtimeOf(node) ?? {};
  if (bytes === 'move') return movedInputs(node).map((i) => node.source(i)!);
  if (bytes !== 'combine' && bytes !== 'multiply') return first;
  const ports = quantization?.quantizedPorts ?? 'all';
  return ports === 'all' ? all : ports.flatMap((i) => node.source(i) ?? []);
}

function quantizer(node: Node, format: Map<OutputPort, QuantFormat>): NodePrecision {
  const found = formatOfFakeQuantize(node);
  if ('reason' in found) return { bytes: false, reason: found.reason };
  format.set(node.output, found.format);
  return { bytes: true };
}

/** What is decided so far. */
interface Decided {
  readonly precision: Map<Node, NodePrecision>;
  readonly format: Map<OutputPort, QuantFormat>;
  readonly weights: Map<Node, QuantizedWeights>;
}

const notQuantized = 'its input is not quantized';

function operation(node: Node, definition: OpDef, { precision, format, weights }: Decided): NodePrecision {
  const runtime = runtimeOf(node);
  if (!runtime || runtime.bytes === 'never') return { bytes: false, reason: `${node.type} runs in FP32` };
  const sources = byteSources(node, definition);
  const first = sources[0] && format.get(sources[0]);
  if (!first) return { bytes: false, reason: floatReason(node, definition, sources[0], precision) };
  const reason = inputReason(node, runtime, sources, format) ?? runtime.refuses?.(node, first);
  if (reason !== undefined) return { bytes: false, reason };
  if (runtime.bytes === 'product') return product(node, definition, weights);
  if (runtime.bytes === 'move') {
    const parts = sources.map((port) => ({ format: format.get(port)!, channels: port.fact.shape[1] ?? 1 }));
    const moved = joinsChannels(node, runtime) ? joinedFormat(parts) : first;
    for (const out of node.outputs) format.set(out, moved);
  }
  return { bytes: true };
}

/** Puts images side by side along the channels, each of which may have a scale of its own. */
function joinsChannels(node: Node, runtime: RuntimeTraits): boolean {
  return runtime.joins?.(node) === 1 && node.output.fact.shape.length >= 3;
}

/** Why the first input is not bytes: what its quantizer, or the operation that should have passed bytes on, says. */
function floatReason(
  node: Node,
  definition: OpDef,
  source: OutputPort | undefined,
  precision: ReadonlyMap<Node, NodePrecision>,
): string {
  let from = source?.node;
  while (from && precision.get(from)?.reason === notQuantized && runtimeOf(from)?.bytes === 'move')
    from = from.source(0)?.node;
  const reason = from && precision.get(from)?.reason;
  if (from?.type === 'FakeQuantize' && reason) return `the quantizer of its input stays in FP32: ${reason}`;
  if (from && reason && runtimeOf(from)?.bytes === 'move') return `${from.type} '${from.name}' in front: ${reason}`;
  const { weights } = definition.quantization ?? {};
  const stored = weights && node.source(weights.port);
  if (runtimeOf(node)?.bytes === 'product' && stored?.node.type === 'Constant')
    return 'the model quantizes neither its input nor its weights';
  return notQuantized;
}

/** Why the inputs of a node do not let it run on bytes. */
function inputReason(
  node: Node,
  runtime: RuntimeTraits,
  sources: readonly OutputPort[],
  format: ReadonlyMap<OutputPort, QuantFormat>,
): string | undefined {
  const acceptsChannels =
    typeof runtime.perChannel === 'function' ? runtime.perChannel(node) : (runtime.perChannel ?? false);
  const first = format.get(sources[0]!)!;
  const joins = joinsChannels(node, runtime);
  for (const source of sources) {
    const own = format.get(source);
    if (!own) return source.fact.value ? 'one of its inputs is constant' : 'one of its inputs is not quantized';
    if (isPerChannel(own) && !acceptsChannels && !joins) return 'its input has one scale per channel';
    const isAlike = joins ? own.low === first.low && own.high === first.high : sameFormat(first, own);
    if (runtime.bytes === 'move' && !isAlike) return 'its inputs have different scales';
    if (runtime.bytes === 'multiply' && own.zero.some((z, i) => z !== own.zeroPoint[i]))
      return 'zero is a little beside the grid of one of its inputs';
  }
  return undefined;
}

/** A product runs on bytes when its weights can be stored as bytes. */
function product(node: Node, definition: OpDef, weights: Map<Node, QuantizedWeights>): NodePrecision {
  const traits = definition.quantization?.weights;
  const port = traits && node.source(traits.port);
  if (!traits || !port) return { bytes: false, reason: 'it has no weights' };
  const axis = traits.outputChannelAxis(node.attributes as never, port.fact.shape);
  const found = quantizedWeights(port, axis, outputChannels(node, definition));
  if ('reason' in found) return { bytes: false, reason: found.reason };
  weights.set(node, found.weights);
  return { bytes: true };
}

/** Size of the bias axis of the output. */
function outputChannels(node: Node, definition: OpDef): number {
  const shape = node.output.fact.shape;
  return shape.at(definition.quantization?.biasAxis ?? 1) ?? 1;
}
