// The operations whose bias can be corrected, products with constant weights and a constant bias behind them, and how.
import { giveConstant } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { InputPort, Node, OutputPort } from '../graph/node.ts';
import { getOp } from '../ops/registry.ts';
import { isConstant, isQuantizer, traitsOf } from '../quantization/roles.ts';
import { roundedConstant } from '../quantization/rounded.ts';
import type { StatisticRequest } from '../statistics/request.ts';
import { fromFloat64 } from '../tensor/convert.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A product with constant weights and a bias. */
export interface BiasedProduct {
  readonly node: Node;
  /** The input with the weights. */
  readonly weights: InputPort;
  /** The quantizer of the weights; undefined when they are not quantized. */
  readonly quantizer: Node | undefined;
  /** The sum with the bias, and its input that reads the bias. */
  readonly sum: Node;
  readonly bias: InputPort;
  /** Axis of the channels in the data and in the output. */
  readonly channelAxis: number;
  readonly channels: number;
}

/** Those with quantized weights (`quantized`), or all of them; producers first. */
export function biasedProducts(model: Model, which: 'quantized' | 'all' = 'quantized'): BiasedProduct[] {
  return model.nodes().flatMap((node) => {
    const { weights, biasAxis } = traitsOf(node);
    const input = weights && node.inputs[weights.port];
    if (!input?.source || biasAxis === undefined) return [];
    const quantizer = isQuantizer(input.source.node) ? input.source.node : undefined;
    if (!isConstant(quantizer ? quantizer.source(0) : input.source) || (which === 'quantized' && !quantizer)) return [];
    const bias = biasBehind(node);
    const channels = node.output.fact.shape.at(biasAxis) ?? -1;
    if (!bias || channels < 0 || !channelsAreInner(node)) return [];
    return [{ node, weights: input, quantizer, sum: bias.node, bias, channelAxis: biasAxis, channels }];
  });
}

/** The weights as the product reads them: after their quantizer. */
export function effectiveWeights({ weights, quantizer }: BiasedProduct): Tensor {
  return quantizer ? roundedConstant(quantizer) : weights.source!.fact.value!;
}

/** The constant input of the only sum that reads the output. */
export function biasBehind(node: Node): InputPort | undefined {
  const [reader, ...others] = node.output.consumers;
  if (!reader || others.length > 0 || reader.node.type !== 'Add') return undefined;
  const bias = reader.node.inputs[1 - reader.index];
  return bias && isConstant(bias.source) ? bias : undefined;
}

/** The channels of the data lie on the axis that is summed over: not so for a transposed first matrix. */
function channelsAreInner(node: Node): boolean {
  return node.attributes.transpose_a !== true && (node.source(0)?.fact.shape.length ?? 0) >= 2;
}

/** The bias as one number for each channel; undefined when it varies along another axis. */
export function biasPerChannel(product: BiasedProduct): Float64Array | undefined {
  const value: Tensor = product.bias.source!.fact.value!;
  const rank = product.sum.output.fact.shape.length;
  const padded = [...new Array<number>(Math.max(0, rank - value.shape.length)).fill(1), ...value.shape];
  const axis = product.channelAxis < 0 ? product.channelAxis + rank : product.channelAxis;
  const isPlain = padded.every((d, i) => d === 1 || (i === axis && d === product.channels));
  if (!isPlain) return undefined;
  const data = Float64Array.from(value.data, Number);
  return data.length === product.channels ? data : new Float64Array(product.channels).fill(data[0]!);
}

/** Stores a bias of the old shape, or with the channels on their axis when the old one was a single number. */
export function writeBias(model: Model, product: BiasedProduct, values: Float64Array): void {
  const { type, shape, value } = product.bias.source!.fact;
  const rank = product.sum.output.fact.shape.length;
  const axis = product.channelAxis < 0 ? product.channelAxis + rank : product.channelAxis;
  const isSingle = value!.data.length !== values.length;
  const full = Array.from({ length: rank }, (_, i) => (i === axis ? values.length : 1));
  giveConstant(model, product.bias, fromFloat64(values, isSingle ? full : shape, type));
}

/**
 * The request for the largest magnitude of each channel of an output, as its readers see it: behind the clamp that is its only
 * reader, where it is observed anyway and costs no pass of its own.
 *
 * @param sum  the output with its bias, of the model whose samples run
 */
export function outputMaxOf(sum: OutputPort, channelAxis: number): StatisticRequest {
  const port = behindClamp(sum) ?? sum;
  return { port, granularity: 'perChannel', channelAxis, statistic: { kind: 'absMax' }, aggregator: 'max' };
}

/** Least size of a channel behind a clamp, as a share of the widest one: what is let through says little of the rest. */
const leastShareBehindClamp = 0.1;

/** How large the channels of an output are by the answer to {@link outputMaxOf}: what a change of their biases is held against. */
export function outputSizes(sum: OutputPort, outputMax: Float32Array): Float32Array {
  if (!behindClamp(sum)) return outputMax;
  const least = leastShareBehindClamp * outputMax.reduce((a, b) => Math.max(a, b), 0);
  return outputMax.map((v) => Math.max(v, least));
}

function behindClamp(port: OutputPort): OutputPort | undefined {
  const [reader, ...others] = port.consumers;
  if (!reader || others.length > 0) return undefined;
  const { node, index } = reader;
  const step = getOp(node.type, node.notes.opset).asPostOp?.(node.attributes, node, index, port.node);
  return step?.kind === 'clamp' ? node.output : undefined;
}

/** What a correction does when a bias would change a lot. */
export interface BelievedChange {
  /** How large each channel of the output is. */
  readonly outputSizes: Float32Array;
  /** Largest change that is believed, relative to the old bias or the size of the output, whichever is larger. */
  readonly threshold: number;
}

/**
 * Writes new biases, unless one of them changes by `threshold` times its size or more: then nothing is written and the
 * caller is told. Returns whether it was written.
 */
export function correctBias(
  context: { readonly work: Model; warn(message: string): void },
  product: BiasedProduct,
  change: ArrayLike<number>,
  { outputSizes, threshold }: BelievedChange,
): boolean {
  const old = biasPerChannel(product);
  if (!old) {
    context.warn(`the bias of '${product.node.name}' was not corrected: it is not one number for each channel`);
    return false;
  }
  let largest = 0;
  for (let c = 0; c < old.length; c++) {
    const size = Math.max(Math.abs(old[c]!), outputSizes[c]!);
    if (change[c] !== 0) largest = Math.max(largest, Math.abs(change[c]!) / size);
  }
  if (largest < threshold || largest === 0) {
    writeBias(
      context.work,
      product,
      old.map((b, c) => b + change[c]!),
    );
    return true;
  }
  const times = largest.toFixed(1);
  context.warn(`the bias of '${product.node.name}' was not corrected: it would change by ${times} times its output`);
  return false;
}
