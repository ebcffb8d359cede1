// Convolution and GroupConvolution as native kernel calls: dense, grouped and depthwise, on one or two spatial axes.
import { isComputedFromConstants } from '../../graph/constant-tree.ts';
import type { Node } from '../../graph/node.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { LowerContext } from '../lower-context.ts';
import { resolveWindow } from '../window.ts';
import type { ConvolutionAttributes } from './geometry.ts';

/** Groups, and channels in and out of all groups together, from weights `[O, I, k…]` or `[G, O, I, k…]`. */
interface WeightSizes {
  readonly groups: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: Shape;
}

function weightSizes(node: Node): WeightSizes {
  const shape = node.source(1)!.fact.shape;
  const spatial = node.source(0)!.fact.shape.length - 2;
  const kernel = shape.slice(-spatial);
  if (shape.length === spatial + 2) return { groups: 1, inputs: shape[1]!, outputs: shape[0]!, kernel };
  const [groups, outputs, inputs] = shape as [number, number, number];
  return { groups, inputs: groups * inputs, outputs: groups * outputs, kernel };
}

function isDepthwiseNode(node: Node): boolean {
  const { groups, inputs, outputs } = weightSizes(node);
  return groups > 1 && groups === inputs && groups === outputs;
}

/** One or two spatial axes, constant weights, no negative padding. */
export function canLowerConvolution(a: ConvolutionAttributes, node: Node): boolean {
  const rank = node.source(0)!.fact.shape.length;
  return (
    (rank === 3 || rank === 4) &&
    isComputedFromConstants(node.source(1)) &&
    [...a.pads_begin, ...a.pads_end].every((p) => p >= 0)
  );
}

export function lowerConvolution(a: ConvolutionAttributes, node: Node, context: LowerContext): void {
  const x = node.source(0)!.fact.shape;
  const { groups, inputs, outputs, kernel } = weightSizes(node);
  const window = resolveWindow(a, x.slice(2), kernel);
  const two = (values: readonly number[], fill: number): [number, number] =>
    values.length === 1 ? [fill, values[0]!] : [values[0]!, values[1]!];
  const [inH, inW] = two(window.input, 1);
  const [outH, outW] = two(window.output, 1);
  const [kernelH, kernelW] = two(kernel, 1);
  const [strideH, strideW] = two(window.strides, 1);
  const [dilationH, dilationW] = two(window.dilations, 1);
  const [padTop, padLeft] = two(window.padsBegin, 0);
  context.multiplyAccumulate(node, {
    kernel: isDepthwiseNode(node) ? 'depthwise' : 'convolution',
    params: {
      batch: x[0]!,
      inH,
      inW,
      inC: inputs,
      outH,
      outW,
      outC: outputs,
      kernelH,
      kernelW,
      strideH,
      strideW,
      dilationH,
      dilationW,
      padTop,
      padLeft,
      groups,
    },
    channels: outputs,
    inputChannels: inputs,
    layout: 'channelsLast',
  });
}

export const convolutionRuntime: RuntimeTraits = { bytes: 'product', epilogue: 'product', perChannel: isDepthwiseNode };
