// Finds the operations whose bias can be corrected: products with quantized weights and a constant bias behind them.
import type { Model } from '../../graph/model.ts';
import type { InputPort, Node } from '../../graph/node.ts';
import { isConstant, isQuantizer, traitsOf } from '../../quantization/roles.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** A product with weights behind a quantizer and a bias. */
export interface BiasedProduct {
  readonly node: Node;
  /** The input with the weights' quantizer. */
  readonly weights: InputPort;
  readonly quantizer: Node;
  /** The sum with the bias, and its input that reads the bias. */
  readonly sum: Node;
  readonly bias: InputPort;
  /** Axis of the channels in the data and in the output. */
  readonly channelAxis: number;
  readonly channels: number;
}

/** All of them, producers first. */
export function biasedProducts(model: Model): BiasedProduct[] {
  return model.nodes().flatMap((node) => {
    const { weights, biasAxis } = traitsOf(node);
    if (!weights || biasAxis === undefined) return [];
    const input = node.inputs[weights.port];
    const quantizer = input?.source?.node;
    if (!input || !quantizer || !isQuantizer(quantizer) || !isConstant(quantizer.source(0))) return [];
    const bias = biasBehind(node);
    const channels = node.output.fact.shape.at(biasAxis) ?? -1;
    if (!bias || channels < 0 || !channelsAreInner(node)) return [];
    return [{ node, weights: input, quantizer, sum: bias.node, bias, channelAxis: biasAxis, channels }];
  });
}

/** The constant input of the only sum that reads the output. */
function biasBehind(node: Node): InputPort | undefined {
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
