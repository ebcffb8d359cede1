// ConvolutionBackpropData and GroupConvolutionBackpropData as native kernel calls, on one to three spatial axes.
import { isComputedFromConstants } from '../../graph/constant-tree.ts';
import type { Node } from '../../graph/node.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { LowerContext } from '../lower-context.ts';
import type { Window } from '../window.ts';
import { fitsKernels, volumeGeometry } from '../window-geometry.ts';

/** Constant weights, no negative padding, an output size that is known. */
export function canLowerBackprop(node: Node, window: Window): boolean {
  return isComputedFromConstants(node.source(1)) && fitsKernels(window) && window.output.every((d) => d > 0);
}

/** Emits a transposed convolution of weights `[I, O, kernel…]` or `[G, I, O, kernel…]`. */
export function lowerBackprop(node: Node, context: LowerContext, window: Window): void {
  const x = node.source(0)!.fact.shape;
  const w = node.source(1)!.fact.shape;
  const groups = w.length > x.length ? w[0]! : 1;
  const channels = node.output.fact.shape[1]!;
  context.multiplyAccumulate(node, {
    kernel: 'transposed_convolution',
    params: { ...volumeGeometry(window), batch: x[0]!, inC: x[1]!, outC: channels, groups },
    channels,
    inputChannels: x[1]!,
    layout: 'channelsLast',
  });
}

export const backpropRuntime: RuntimeTraits = { bytes: 'product', epilogue: 'product' };
