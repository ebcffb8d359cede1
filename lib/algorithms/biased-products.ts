// The operations whose bias can be corrected, products with constant weights and a constant bias behind them, and how.
import { giveConstant } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { InputPort, Node } from '../graph/node.ts';
import { isConstant, isQuantizer, traitsOf } from '../quantization/roles.ts';
import { roundedConstant } from '../quantization/rounded.ts';
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

/** What a correction does when a bias would change a lot. */
export interface BelievedChange {
  /** Largest magnitude of each channel of the output. */
  readonly outputMax: Float32Array;
  /** Largest change that is believed, relative to the old bias or the largest output, whichever is larger. */
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
  { outputMax, threshold }: BelievedChange,
): boolean {
  const old = biasPerChannel(product);
  if (!old) {
    context.warn(`the bias of '${product.node.name}' was not corrected: it is not one number for each channel`);
    return false;
  }
  let largest = 0;
  for (let c = 0; c < old.length; c++) {
    const size = Math.max(Math.abs(old[c]!), outputMax[c]!);
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
