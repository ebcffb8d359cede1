// Convolution: dense cross-correlation over one to three spatial axes.
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import type { Shape } from '../../tensor/shape.ts';
import { defineOp } from '../define-op.ts';
import { commonType, type Facts, inputFact, requireRank } from '../fact.ts';
import { resolveWindow } from '../window.ts';
import { correlate } from './accumulate.ts';
import { type ConvolutionAttributes, convolutionAttributes, windowTaps } from './geometry.ts';
import { canLowerConvolution, convolutionRuntime, lowerConvolution } from './lower.ts';

/** Spatial sizes of the window of a convolution with weights `[O, I, kernel…]`. */
export function convolutionWindow(a: ConvolutionAttributes, x: Shape, w: Shape) {
  requireRank(x, 3, 5);
  requireRank(w, x.length, x.length, 'the weights');
  return resolveWindow(a, x.slice(2), w.slice(2));
}

/** @throws {LowpError} `ERR_SHAPE_MISMATCH` when the numbers of channels differ */
export function requireChannels(input: number, weights: number): void {
  if (input >= 0 && input !== weights) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `the weights take ${weights} input channels, the input has ${input}`);
  }
}

function infer(a: ConvolutionAttributes, inputs: Facts) {
  const [x, w] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  const type = commonType(x, w);
  const window = convolutionWindow(a, x.shape, w.shape);
  requireChannels(x.shape[1]!, w.shape[1]!);
  return [{ type, shape: [x.shape[0]!, w.shape[0]!, ...window.output] }];
}

/**
 * `y[n, o, p] = Σ_c Σ_k w[o, c, k] · x[n, c, p · stride − pad + k · dilation]`, zero outside of x, no bias.
 *
 * Inputs: x `[N, I, spatial…]`, w `[O, I, kernel…]`; output `[N, O, …]`. Negative padding crops.
 */
export const convolution = defineOp({
  type: 'Convolution',
  opset: 'opset1',
  attributes: convolutionAttributes,
  inputs: [2, 2],
  infer,
  evaluate: (a, [x, w]) => {
    const [, outputs, ...spatial] = infer(a, [x, w])[0]!.shape;
    const window = convolutionWindow(a, x!.shape, w!.shape);
    const channels = { batch: x!.shape[0]!, groups: 1, inputs: x!.shape[1]!, outputs: outputs! };
    const y = correlate(toFloat64(x!), toFloat64(w!), channels, windowTaps(window, 'forward'));
    return [fromFloat64(y, [channels.batch, channels.outputs, ...spatial], x!.type)];
  },
  lower: lowerConvolution,
  canLower: canLowerConvolution,
  runtime: convolutionRuntime,
  quantization: {
    quantizedPorts: [0, 1],
    weights: { port: 1, outputChannelAxis: () => 0, inputChannelAxis: 1 },
    biasAxis: 1,
  },
});
