// Split products over concatenated channels: where the quantizers of a Concat have different scales, one convolution of
// all channels becomes a sum of convolutions, each of the channels that share a scale.
import { addConstant, connect } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import { takeOver } from '../graph/take-over.ts';
import { createNode } from '../ops/create-node.ts';
import { sequence, takeByAxes } from '../ops/movement/take.ts';
import { getOp, runtimeOf } from '../ops/registry.ts';
import { toFloat64 } from '../tensor/convert.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { definePass } from './pass.ts';

/** Neighbouring inputs of a Concat whose quantizers have the same limits. */
interface Part {
  readonly ports: OutputPort[];
  readonly limits: readonly number[];
  /** Channels. */
  readonly size: number;
}

/**
 * `W · [a; b] → W_a · a + W_b · b`, when a and b are quantized with one scale each, the scales differ, and W is stored
 * quantized. Bytes of different scales cannot lie in one tensor without rounding them once more; sums of products can be
 * exact.
 */
export const splitConcatProducts = definePass({
  name: 'split-concat-products',
  run(model) {
    let count = 0;
    for (const node of model.nodes()) if (split(model, node)) count++;
    return count;
  },
});

function split(model: Model, node: Node): boolean {
  const traits = getOp(node.type, node.notes.opset).quantization?.weights;
  const [x, weights] = [node.source(0), traits && node.source(traits.port)];
  const axis = traits?.inputChannelAxis;
  if (axis === undefined || !x || !weights || weights.node.type === 'Constant') return false;
  const parts = partsOf(x.node);
  if (parts.length < 2) return false;
  const slices: OutputPort[] = [];
  let from = 0;
  for (const part of parts) {
    const slice = sliceWeights(model, weights, axis, from, from + part.size);
    if (!slice) return false;
    slices.push(slice);
    from += part.size;
  }
  sumParts(model, node, parts, slices);
  return true;
}

/** The node keeps its bias and the first part; every other part is added behind. */
function sumParts(model: Model, node: Node, parts: readonly Part[], slices: readonly OutputPort[]): void {
  const weightsPort = getOp(node.type, node.notes.opset).quantization!.weights!.port;
  const join = node.source(0)!.node;
  const inputs = parts.map((part) => joined(model, join, part));
  const end = withBias(node);
  const sums: Node[] = [];
  for (let i = 1; i < parts.length; i++) {
    const sources = node.inputs.map((input) => input.source);
    sources[0] = inputs[i];
    sources[weightsPort] = slices[i];
    const { type, attributes, notes } = node;
    const product = createNode(model, { type, name: `${node.name}/part_${i}`, attributes, inputs: sources, notes });
    const before = sums.at(-1)?.output ?? end;
    sums.push(createNode(model, { type: 'Add', name: `${node.name}/sum_${i}`, inputs: [product.output, before] }));
  }
  connect(node.inputs[0]!, inputs[0]!);
  connect(node.inputs[weightsPort]!, slices[0]!);
  takeOver(end, sums.at(-1)!.output);
  connect(sums[0]!.inputs[1]!, end);
}

/** What the product's bias makes of it; its own output when nothing is added to that alone. */
function withBias(node: Node): OutputPort {
  const [reader, ...others] = node.output.consumers;
  if (!reader || others.length > 0) return node.output;
  const step = getOp(reader.node.type, reader.node.notes.opset).asPostOp?.(
    reader.node.attributes,
    reader.node,
    reader.index,
    node,
  );
  return step?.kind === 'bias' ? reader.node.output : node.output;
}

function joined(model: Model, join: Node, part: Part): OutputPort {
  if (part.ports.length === 1) return part.ports[0]!;
  const { type, attributes, notes } = join;
  return createNode(model, { type, name: `${join.name}/part`, attributes, inputs: part.ports, notes }).output;
}

/** The inputs of a Concat of channels by the limits of their quantizers; none when one of them has no single scale. */
function partsOf(join: Node): readonly Part[] {
  if (runtimeOf(join)?.joins?.(join) !== 1) return [];
  const parts: Part[] = [];
  for (const { source } of join.inputs) {
    const limits = source && limitsOf(movedBy(source.node));
    const size = source?.fact.shape[1] ?? -1;
    if (!limits || size < 0) return [];
    const last = parts.at(-1);
    if (last?.limits.every((v, i) => v === limits[i])) {
      parts[parts.length - 1] = { ...last, ports: [...last.ports, source], size: last.size + size };
    } else parts.push({ ports: [source], limits, size });
  }
  return parts;
}

/** What computes the elements that a node, and those in front of it, only move. */
function movedBy(node: Node): Node {
  const { quantization } = getOp(node.type, node.notes.opset);
  const isMove = runtimeOf(node)?.bytes === 'move' && quantization?.ascend === 'first';
  return isMove ? movedBy(node.source(0)!.node) : node;
}

/** Levels and limits of a quantizer that has one scale. */
function limitsOf(node: Node): readonly number[] | undefined {
  if (node.type !== 'FakeQuantize') return undefined;
  const limits = [1, 2, 3, 4].map((i) => node.source(i)?.fact.value);
  const numbers = limits.flatMap((t) => (t ? [...toFloat64(t)] : []));
  return numbers.length === 4 ? [Number(node.attributes.levels), ...numbers] : undefined;
}

/** Part of stored weights along an axis: the same chain on a part of the constant. Undefined for other chains. */
function sliceWeights(model: Model, port: OutputPort, axis: number, from: number, to: number): OutputPort | undefined {
  const { node } = port;
  const { shape } = port.fact;
  if ((shape[axis] ?? 1) === 1) return port;
  if (node.type === 'Constant') {
    const value = takeRange(node.attributes.value as Tensor, axis, from, to);
    return addConstant(model, `${node.name}/part`, value, node.notes).output;
  }
  if (!elementwise.has(node.type)) return undefined;
  const inputs: OutputPort[] = [];
  for (const { source } of node.inputs) {
    // Operands of a lower rank are aligned at the last axes.
    const own = source && axis - (shape.length - source.fact.shape.length);
    const part = source && own !== undefined && own >= 0 ? sliceWeights(model, source, own, from, to) : source;
    if (!part) return undefined;
    inputs.push(part);
  }
  const { type, attributes, notes } = node;
  return createNode(model, { type, name: `${node.name}/part`, attributes, inputs, notes }).output;
}

/** What may stand between stored weights and their product, and works on each element by itself. */
const elementwise = new Set(['Convert', 'Subtract', 'Multiply', 'FakeQuantize']);

function takeRange(t: Tensor, axis: number, from: number, to: number): Tensor {
  return takeByAxes(
    t,
    t.shape.map((d, i) => (i === axis ? sequence(to - from, from) : sequence(d))),
  );
}
