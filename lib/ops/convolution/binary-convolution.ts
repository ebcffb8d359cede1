// BinaryConvolution: agreements less disagreements of bits.

import { LowpError } from '../../errors/lowp-error.ts';
import type { OutputPort } from '../../graph/node.ts';
import { toFloat64 } from '../../tensor/convert.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { enumeration, float } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { evaluateExpansion } from '../evaluate-expansion.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, inputFact } from '../fact.ts';
import { convolutionWindow, requireChannels } from './convolution.ts';
import { type ConvolutionAttributes, convolutionAttributes } from './geometry.ts';

const attributes = convolutionAttributes.extend({
  mode: enumeration(['xnor-popcount']).default('xnor-popcount'),
  pad_value: float.default(0),
});

type Attributes = ConvolutionAttributes & { readonly pad_value: number };

function infer(a: Attributes, inputs: Facts) {
  const [x, w] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  if (a.pad_value !== 0 && a.pad_value !== 1) {
    throw new LowpError('ERR_OP_ATTRIBUTE', `pad_value = ${a.pad_value}, expected 0 or 1`);
  }
  requireChannels(x.shape[1]!, w.shape[1]!);
  return [{ type: x.type, shape: [x.shape[0]!, w.shape[0]!, ...convolutionWindow(a, x.shape, w.shape).output] }];
}

/**
 * Bits as ±1. Padding of a Convolution is 0, so that x is moved by what padding stands for, and the sums of the weights
 * move the result back.
 */
function build(a: Attributes, x: OutputPort, bits: Tensor, e: Expansion): OutputPort[] {
  const { type } = x.fact;
  const padding = 2 * a.pad_value - 1;
  const weights = Array.from(toFloat64(bits), (b) => 2 * b - 1);
  const perChannel = elementCount(bits.shape.slice(1));
  const sums = Array.from({ length: bits.shape[0]! }, (_, o) =>
    weights.slice(o * perChannel, (o + 1) * perChannel).reduce((s, v) => s + v, 0),
  );
  const isSet = e.add('NotEqual', [x, e.constant(type, [], [0], 'zero')], {}, 'bits');
  const values = [1 - padding, -1 - padding].map((v, i) => e.constant(type, [], [v], `value/${i}`));
  const moved = e.add('Select', [isSet, ...values], {}, 'moved');
  const { strides, dilations, pads_begin, pads_end, auto_pad } = a;
  const window = { strides, dilations, pads_begin, pads_end, auto_pad };
  const product = e.add('Convolution', [moved, e.constant(type, bits.shape, weights, 'weights')], window, 'product');
  const shape = [1, bits.shape[0]!, ...bits.shape.slice(2).map(() => 1)];
  const back = e.constant(
    type,
    shape,
    sums.map((s) => s * padding),
    'sums',
  );
  return [e.add('Add', [product, back], {}, 'agreements')];
}

/**
 * Each bit of x and of the weights (u1 `[O, I, kernel…]`) stands for 1 or −1; the sum of their products under the window.
 * Padding is the bit `pad_value`.
 */
export const binaryConvolution = defineOp<Attributes>({
  type: 'BinaryConvolution',
  opset: 'opset1',
  attributes,
  inputs: [2, 2],
  infer,
  evaluate: (a, [x, w]) => evaluateExpansion([x!], ([port], e) => build(a, port!, w!, e)),
  expand: (a, node, e) => {
    const bits = node.source(1)!.fact.value;
    return bits && build(a, node.source(0)!, bits, e);
  },
});
