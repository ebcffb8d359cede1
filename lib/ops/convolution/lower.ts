// Convolution and GroupConvolution as native kernel calls: dense, grouped and depthwise, on one to three spatial axes.
import { isComputedFromConstants } from '../../graph/constant-tree.ts';
import type { Node } from '../../graph/node.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { LowerContext } from '../lower-context.ts';
import { resolveWindow, type Window } from '../window.ts';
import { fitsKernels, planeGeometry, volumeGeometry } from '../window-geometry.ts';
import type { ConvolutionAttributes } from './geometry.ts';
import { winogradCall } from './winograd.ts';

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

/** What the depthwise kernel takes; depthwise volumes are convolutions of many groups. */
function isDepthwisePlane(node: Node): boolean {
  const { groups, inputs, outputs, kernel } = weightSizes(node);
  return groups > 1 && groups === inputs && groups === outputs && kernel.length <= 2;
}

/** Constant weights, no negative padding. */
export function canLowerConvolution(a: ConvolutionAttributes, node: Node): boolean {
  return isComputedFromConstants(node.source(1)) && fitsKernels(windowOf(a, node));
}

function windowOf(a: ConvolutionAttributes, node: Node): Window {
  return resolveWindow(a, node.source(0)!.fact.shape.slice(2), weightSizes(node).kernel);
}

/** Dense and grouped convolutions share a kernel; depthwise ones have their own, as have those of floats by Winograd. */
export function lowerConvolution(a: ConvolutionAttributes, node: Node, context: LowerContext): void {
  const sizes = weightSizes(node);
  const { groups, inputs, outputs } = sizes;
  const window = windowOf(a, node);
  const onFloats = winogradCall(node, window, sizes);
  const isPlane = isDepthwisePlane(node);
  context.multiplyAccumulate(node, {
    kernel: isPlane ? 'depthwise' : 'convolution',
    params: {
      ...(isPlane ? planeGeometry(window) : volumeGeometry(window)),
      batch: node.source(0)!.fact.shape[0]!,
      inC: inputs,
      outC: outputs,
      groups,
    },
    ...(onFloats ? { onFloats } : {}),
    channels: outputs,
    inputChannels: inputs,
    layout: 'channelsLast',
    takesZeroOffset: !isPlane,
  });
}

/** Runs on bytes; only the depthwise kernel takes a scale for each input channel. */
export const convolutionRuntime: RuntimeTraits = {
  bytes: 'product',
  epilogue: 'product',
  perChannel: isDepthwisePlane,
};
