// Where output channels lie: in the output of a product, in its weights, and whether a constant varies along them only.
import type { Node } from '../graph/node.ts';
import { expandTensor } from '../ops/broadcast.ts';
import { elementCount, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Axes of the weights that together count the output channels, for weights of that rank. */
type ChannelAxes = (attributes: Readonly<Record<string, unknown>>, rank: number) => readonly number[];

interface Product {
  readonly weightAxes: ChannelAxes;
  /** Axis of the channels in the output, for an output of that rank. */
  outputAxis(rank: number): number;
}

const second = (): number => 1;

/** Operations that multiply by weights at input 1. */
const products: Readonly<Record<string, Product>> = {
  Convolution: { weightAxes: () => [0], outputAxis: second },
  GroupConvolution: { weightAxes: () => [0, 1], outputAxis: second },
  ConvolutionBackpropData: { weightAxes: () => [1], outputAxis: second },
  GroupConvolutionBackpropData: { weightAxes: () => [0, 2], outputAxis: second },
  MatMul: {
    weightAxes: (a, rank) => (rank < 2 ? [] : [a.transpose_b ? rank - 2 : rank - 1]),
    outputAxis: (rank) => rank - 1,
  },
};

export const productTypes = Object.keys(products);

/** A product whose weights are a plain constant of f32, so that they can be changed. */
export function hasPlainWeights(node: Node): boolean {
  const weights = node.source(1);
  if (!Object.hasOwn(products, node.type) || weights?.node.type !== 'Constant') return false;
  return weights.fact.type === 'f32' && node.output.fact.type === 'f32' && channelsOf(node) !== undefined;
}

/** A convolution of one group, neither transposed nor a matrix product, whose weights can be changed. */
export function isDenseConvolution(node: Node): boolean {
  return node.type === 'Convolution' && hasPlainWeights(node);
}

/** Number of output channels of a product with static weights. */
export function channelsOf(node: Node): number | undefined {
  const shape = node.source(1)?.fact.shape ?? [];
  const axes = products[node.type]?.weightAxes(node.attributes, shape.length) ?? [];
  if (axes.length === 0 || axes.some((a) => (shape[a] ?? -1) < 0)) return undefined;
  return axes.reduce((count, a) => count * shape[a]!, 1);
}

/** The shape in which one number per output channel expands to the weights of the product. */
export function weightChannelShape(node: Node, weights: Shape): number[] {
  const axes = products[node.type]!.weightAxes(node.attributes, weights.length);
  return weights.map((d, i) => (axes.includes(i) ? d : 1));
}

/**
 * A constant operand as one number for each output channel of the product `node`; undefined when it varies along
 * another axis or would expand the output.
 */
export function perChannel(node: Node, operand: Tensor): Float64Array | undefined {
  const channels = channelsOf(node);
  const rank = node.output.fact.shape.length;
  const axis = products[node.type]!.outputAxis(rank);
  const shift = rank - operand.shape.length;
  if (channels === undefined || axis < 0 || shift < 0) return undefined;
  const fits = operand.shape.every((d, i) => d === 1 || (i + shift === axis && d === channels));
  return fits && elementCount(operand.shape) > 0 ? expandTensor(operand, operandShape(operand, channels)) : undefined;
}

function operandShape(operand: Tensor, channels: number): number[] {
  return elementCount(operand.shape) === channels ? [...operand.shape] : [...operand.shape.slice(0, -1), channels];
}
