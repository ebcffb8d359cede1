// What has to give more channels when some channels of a value are to be repeated.
import type { InputPort, Node, OutputPort } from '../../graph/node.ts';
import { constantOf } from '../../graph/node.ts';
import { channelsOf, hasPlainWeights } from '../../passes/channels.ts';
import { isConstant, traitsOf } from '../../quantization/roles.ts';
import { toIntegers } from '../../tensor/convert.ts';

/** A constant that gets the repeated entries along an axis. */
export interface RepeatedConstant {
  readonly input: InputPort;
  readonly axis: number;
}

/** Operations that compute each channel of axis 1 from the same channel of their inputs. */
const channelwise = new Set([
  ...['Add', 'Subtract', 'Multiply', 'Divide', 'Power', 'Maximum', 'Minimum', 'SquaredDifference'],
  ...['ReLU', 'PReLU', 'Clamp', 'Elu', 'Sigmoid', 'Tanh', 'Swish', 'HSwish', 'HSigmoid', 'Gelu', 'Mish', 'SoftPlus'],
  ...['Abs', 'Negative', 'Exp', 'Sqrt', 'MaxPool', 'AvgPool', 'Interpolate', 'ReduceMean'],
]);

/**
 * The constants that must be extended so that channels of the value at `port` can be repeated; undefined when some
 * producer cannot repeat channels, or when another reader would see them.
 */
export function repeatableProducers(port: OutputPort, channels: number): RepeatedConstant[] | undefined {
  const found: RepeatedConstant[] = [];
  const visited = new Set<Node>();
  const stack = [port];
  while (stack.length > 0) {
    const current = stack.pop()!;
    const { node } = current;
    if (current.consumers.size > 1) return undefined;
    if (visited.has(node)) continue;
    visited.add(node);
    if (current.fact.shape[1] !== channels || node.outputs.length !== 1) return undefined;
    const weights = traitsOf(node).weights?.port;
    if (weights !== undefined) {
      const own = productConstants(node, weights, channels);
      if (!own) return undefined;
      found.push(...own.constants);
      if (own.through) stack.push(own.through);
      continue;
    }
    if (!channelwise.has(node.type) || !keepsChannels(node)) return undefined;
    for (const input of node.inputs) {
      if (!input.source) continue;
      if (!isConstant(input.source)) stack.push(input.source);
      else if (isPerChannel(input, channels)) found.push(repeated(input, current.fact.shape.length));
    }
  }
  return found;
}

/** A dense convolution ends the walk; a depthwise one is walked through. */
function productConstants(
  node: Node,
  weights: number,
  channels: number,
): { readonly constants: RepeatedConstant[]; readonly through?: OutputPort } | undefined {
  if (traitsOf(node).biasAxis !== 1 || !hasPlainWeights(node) || channelsOf(node) !== channels) return undefined;
  const input = node.inputs[weights]!;
  const { shape } = input.source!.fact;
  if (input.source!.consumers.size > 1) return undefined;
  const isDepthwise = shape.length > node.output.fact.shape.length && shape[0] === channels && shape[2] === 1;
  const isDense = shape.length === node.output.fact.shape.length && shape[0] === channels;
  const isPlainlyDense = isDense && traitsOf(node).weights!.outputChannelAxis(node.attributes as never, shape) === 0;
  const constants = [{ input, axis: 0 }];
  if (isDepthwise && shape[1] === 1) return { constants, through: node.source(0)! };
  return isPlainlyDense ? { constants } : undefined;
}

/** A reduction must leave the channels and the rank alone; a resize the channels. */
function keepsChannels(node: Node): boolean {
  const [from, to] = [node.source(0)?.fact.shape ?? [], node.output.fact.shape];
  if (node.type !== 'ReduceMean') return from.length <= to.length;
  const axes = constantOf(node.source(1));
  if (!axes || node.attributes.keep_dims !== true) return false;
  return toIntegers(axes).every((a) => a !== 1 && a + from.length !== 1);
}

/** A constant operand that has the channels on axis 1 of the result, or a slope with one number for each. */
function isPerChannel(input: InputPort, channels: number): boolean {
  const { node } = input;
  const value = input.source!.fact.value;
  if (!value || (node.type !== 'PReLU' && node.inputs.length !== 2)) return false;
  const { shape } = value;
  const axis = shape.length - (node.output.fact.shape.length - 1);
  if (node.type === 'PReLU' && shape.length === 1) return shape[0] === channels;
  return node.type !== 'ReduceMean' && node.type !== 'Interpolate' && shape[axis] === channels && channels > 1;
}

function repeated(input: InputPort, rank: number): RepeatedConstant {
  const { shape } = input.source!.fact;
  const isSlope = input.node.type === 'PReLU' && shape.length === 1;
  return { input, axis: isSlope ? 0 : shape.length - (rank - 1) };
}
