// ConvolutionBackpropData: transposed convolution ("deconvolution").
import type { Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { defineOp } from '../define-op.ts';
import { commonType, type Facts, factsOf, inputFact, knownIntegers, requireRank } from '../fact.ts';
import type { Window } from '../window.ts';
import { scatter } from './accumulate.ts';
import { type BackpropAttributes, backpropAttributes, backpropWindow } from './backprop-window.ts';
import { requireChannels } from './convolution.ts';
import { windowTaps } from './geometry.ts';
import { backpropRuntime, canLowerBackprop, lowerBackprop } from './lower-backprop.ts';

function windowOf(a: BackpropAttributes, inputs: Facts): Window {
  const [x, w] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  requireRank(x.shape, 3, 5);
  requireRank(w.shape, x.shape.length, x.shape.length, 'the weights');
  const spatial = x.shape.slice(2);
  const wanted = inputs[2] && (knownIntegers(inputs[2]) ?? spatial.map(() => -1));
  return backpropWindow(a, wanted?.includes(-1) ? spatial.map(() => -1) : spatial, w.shape.slice(2), wanted);
}

function nodeWindow(a: BackpropAttributes, node: Node): Window {
  return windowOf(
    a,
    node.inputs.map((i) => i.source?.fact),
  );
}

function infer(a: BackpropAttributes, inputs: Facts) {
  const [x, w] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  const type = commonType(x, w);
  requireChannels(x.shape[1]!, w.shape[0]!);
  return [{ type, shape: [x.shape[0]!, w.shape[1]!, ...windowOf(a, inputs).output] }];
}

/**
 * `y[n, o, i · stride − pad + k · dilation] += w[c, o, k] · x[n, c, i]`.
 *
 * Inputs: x `[N, I, spatial…]`, w `[I, O, kernel…]`, optional output_shape `[spatial rank]`; output `[N, O, …]`.
 */
export const convolutionBackpropData = defineOp({
  type: 'ConvolutionBackpropData',
  opset: 'opset1',
  attributes: backpropAttributes,
  inputs: [2, 3],
  infer,
  evaluate: (a, [x, w, wanted]) => {
    const facts = factsOf([x, w, wanted]);
    const { shape } = infer(a, facts)[0]!;
    const channels = { batch: x!.shape[0]!, groups: 1, inputs: w!.shape[0]!, outputs: w!.shape[1]! };
    const taps = windowTaps(windowOf(a, facts), 'backward');
    return [fromFloat64(scatter(toFloat64(x!), toFloat64(w!), channels, taps), shape, x!.type)];
  },
  lower: (a, node, context) => lowerBackprop(node, context, nodeWindow(a, node)),
  canLower: (a, node) => canLowerBackprop(node, nodeWindow(a, node)),
  runtime: backpropRuntime,
  quantization: {
    quantizedPorts: [0, 1],
    weights: { port: 1, outputChannelAxis: () => 1, inputChannelAxis: 0 },
    biasAxis: 1,
  },
});
