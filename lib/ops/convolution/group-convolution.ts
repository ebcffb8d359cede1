// GroupConvolution: independent convolutions of groups of channels; depthwise when each group has one.
import type { Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import type { Shape } from '../../tensor/shape.ts';
import { defineOp } from '../define-op.ts';
import { commonType, type Facts, inputFact, requireRank } from '../fact.ts';
import { resolveWindow } from '../window.ts';
import { correlate } from './accumulate.ts';
import { requireChannels } from './convolution.ts';
import { type ConvolutionAttributes, convolutionAttributes, windowTaps } from './geometry.ts';
import { canLowerConvolution, convolutionRuntime, lowerConvolution } from './lower.ts';

function windowOf(a: ConvolutionAttributes, x: Shape, w: Shape) {
  requireRank(x, 3, 5);
  requireRank(w, x.length + 1, x.length + 1, 'the weights');
  return resolveWindow(a, x.slice(2), w.slice(3));
}

function infer(a: ConvolutionAttributes, inputs: Facts) {
  const [x, w] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  const type = commonType(x, w);
  const window = windowOf(a, x.shape, w.shape);
  const [groups, outputs, perGroup] = w.shape;
  requireChannels(x.shape[1]!, groups! * perGroup!);
  return [{ type, shape: [x.shape[0]!, groups! * outputs!, ...window.output] }];
}

/** True when the weights `[G, O, I, …]` connect one input channel to one output channel each. */
export function isDepthwise(weights: Shape): boolean {
  return weights[1] === 1 && weights[2] === 1;
}

/**
 * A convolution for each group: x `[N, G·I, spatial…]`, w `[G, O, I, kernel…]`; output `[N, G·O, …]`,
 * channel `g · O + o`.
 */
export const groupConvolution = defineOp({
  type: 'GroupConvolution',
  opset: 'opset1',
  attributes: convolutionAttributes,
  inputs: [2, 2],
  infer,
  evaluate: (a, [x, w]) => {
    const { shape } = infer(a, [x, w])[0]!;
    const [groups, outputs, perGroup] = w!.shape;
    const channels = { batch: x!.shape[0]!, groups: groups!, inputs: perGroup!, outputs: outputs! };
    const taps = windowTaps(windowOf(a, x!.shape, w!.shape), 'forward');
    return [fromFloat64(correlate(toFloat64(x!), toFloat64(w!), channels, taps), shape, x!.type)];
  },
  lower: lowerConvolution,
  canLower: canLowerConvolution,
  runtime: convolutionRuntime,
  quantization: {
    quantizedPorts: [0, 1],
    weights: { port: 1, outputChannelAxis: (_: ConvolutionAttributes, w) => (w[1] === 1 ? 0 : 1) },
    biasAxis: 1,
    hardwareType: (node: Node) =>
      isDepthwise(node.source(1)?.fact.shape ?? []) ? 'DepthWiseConvolution' : 'Convolution',
  },
});
