// Finds products whose output goes into a convolution with nothing between them but a bias.

import type { Model } from '../../graph/model.ts';
import type { InputPort, Node, OutputPort } from '../../graph/node.ts';
import { channelsOf, hasPlainWeights, isDenseConvolution, perChannel } from '../../passes/channels.ts';
import { isConstant, traitsOf } from '../../quantization/roles.ts';
import { biasBehind } from '../biased-products.ts';

/** A product and the convolution behind it. */
export interface AlignablePair {
  readonly producer: Node;
  readonly consumer: Node;
  /** The value between them: the producer's output with its bias. */
  readonly between: OutputPort;
  readonly channels: number;
  /** The inputs that read the biases; undefined without a constant bias. */
  readonly producerBias: InputPort | undefined;
  readonly consumerBias: InputPort | undefined;
}

/** All pairs, in the order of the consumers' names. */
export function alignablePairs(model: Model): AlignablePair[] {
  const consumers = model.nodes().filter(isAlignable);
  return consumers.sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((node) => pairOf(node) ?? []);
}

/** A dense convolution that sees every element of its input the same way: no padding, stride and dilation 1. */
function isAlignable(node: Node): boolean {
  return isDenseConvolution(node) && hasPlainWindow(node, node.source(1)!.fact.shape);
}

function hasPlainWindow(node: Node, weights: readonly number[]): boolean {
  const { strides, dilations, pads_begin, pads_end, auto_pad } = node.attributes;
  const every = (list: unknown, value: number): boolean =>
    (list as number[] | undefined)?.every((v) => v === value) ?? true;
  const isPointwise = weights.slice(2).every((k) => k === 1);
  const isExplicit = auto_pad === 'explicit' || auto_pad === 'notset' || auto_pad === undefined;
  const hasNoPads = isExplicit ? every(pads_begin, 0) && every(pads_end, 0) : auto_pad === 'valid' || isPointwise;
  return every(strides, 1) && every(dilations, 1) && hasNoPads;
}

function pairOf(consumer: Node): AlignablePair | undefined {
  const between = consumer.source(0);
  if (between?.consumers.size !== 1) return undefined;
  const above = between.node.type === 'Add' ? between.node.inputs.find((i) => !isConstant(i.source)) : undefined;
  const producer = above?.source?.node ?? between.node;
  if (!hasPlainWeights(producer) || traitsOf(producer).biasAxis !== 1) return undefined;
  const channels = channelsOf(producer);
  if (channels === undefined || channels !== consumer.source(0)!.fact.shape[1]) return undefined;
  const producerBias = above && channelBiasBehind(producer);
  if (above && !producerBias) return undefined;
  const consumerBias = channelBiasBehind(consumer);
  return { producer, consumer, between, channels, producerBias, consumerBias };
}

/** The bias behind a product when it is one number for each channel, or one for all. */
function channelBiasBehind(product: Node): InputPort | undefined {
  const bias = biasBehind(product);
  return bias && perChannel(product, bias.source!.fact.value!) ? bias : undefined;
}
