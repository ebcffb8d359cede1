// Convolution and GroupConvolution as native kernel calls: dense, grouped and depthwise, on one or two spatial axes.
import { isComputedFromConstants } from '../../graph/constant-tree.ts';
import type { Node } from '../../graph/node.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { LowerContext } from '../lower-context.ts';
import { fitsPlane, planeGeometry } from '../plane-geometry.ts';
import { resolveWindow, type Window } from '../window.ts';
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
  return (rank === 3 || rank === 4) && isComputedFromConstants(node.source(1)) && fitsPlane(windowOf(a, node));
}

function windowOf(a: ConvolutionAttributes, node: Node): Window {
  return resolveWindow(a, node.source(0)!.fact.shape.slice(2), weightSizes(node).kernel);
}

/** Dense and grouped convolutions share a kernel; depthwise ones have their own. */
export function lowerConvolution(a: ConvolutionAttributes, node: Node, context: LowerContext): void {
  const { groups, inputs, outputs } = weightSizes(node);
  context.multiplyAccumulate(node, {
    kernel: isDepthwiseNode(node) ? 'depthwise' : 'convolution',
    params: {
      ...planeGeometry(windowOf(a, node)),
      batch: node.source(0)!.fact.shape[0]!,
      inC: inputs,
      outC: outputs,
      groups,
    },
    channels: outputs,
    inputChannels: inputs,
    layout: 'channelsLast',
  });
}

/** Runs on bytes; only depthwise convolutions take a scale for each input channel. */
export const convolutionRuntime: RuntimeTraits = { bytes: 'product', epilogue: 'product', perChannel: isDepthwiseNode };
