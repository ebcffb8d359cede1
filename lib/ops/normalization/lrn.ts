// LRN: local response normalisation.
import * as z from 'zod';
import type { Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64, toIntegers } from '../../tensor/convert.ts';
import { elementCount, isStatic, stridesOf } from '../../tensor/shape.ts';
import { float, int } from '../attribute.ts';
import { normalizeAxes } from '../axes.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { inputFact, knownIntegers } from '../fact.ts';

const attributes = z.object({ alpha: float, beta: float, bias: float.default(1), size: int });

/** Sums over a window of `before` elements in front and `behind` elements after each position of one axis. */
function windowSums(values: Float64Array, size: number, stride: number, before: number, behind: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / stride) % size;
    let sum = 0;
    for (let k = -Math.min(before, at); k <= Math.min(behind, size - 1 - at); k++) sum += values[i + k * stride]!;
    out[i] = sum;
  }
  return out;
}

type Attributes = z.infer<typeof attributes>;

/** The mean of squares over the window around each element: of channels, or of all axes behind them. */
function windowMeans(
  a: Attributes,
  axes: readonly number[],
  squares: OutputPort,
  e: Expansion,
): OutputPort | undefined {
  const { shape } = squares.fact;
  const isSpatial = axes.length === shape.length - 2 && axes.every((axis, i) => axis === i + 2);
  const count = isSpatial ? axes.length : 1;
  const every = (value: number) => Array.from({ length: count }, () => value);
  const window = {
    ...{ kernel: every(a.size), strides: every(1), 'exclude-pad': false },
    ...{ pads_begin: every(Math.floor((a.size - 1) / 2)), pads_end: every(Math.ceil((a.size - 1) / 2)) },
  };
  if (isSpatial && count <= 3) return e.add('AvgPool', [squares], window, 'means');
  if (axes.length !== 1 || axes[0] !== 1) return undefined;
  // Pixels become channels, and channels a line: their windows are one vector after the other.
  const lines = e.reshape(squares, [shape[0]!, shape[1]!, elementCount(shape.slice(2))], 'lines');
  const means = e.add('AvgPool', [e.transpose(lines, [0, 2, 1], 'turned')], window, 'means');
  return e.reshape(e.transpose(means, [0, 2, 1], 'back'), shape, 'means/shaped');
}

/** The powers that AlexNet and its successors use, as roots. */
function expand(a: Attributes, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const x = node.source(0)!;
  const known = knownIntegers(node.source(1)?.fact);
  const { type, shape } = x.fact;
  if (!known || type !== 'f32' || !isStatic(shape) || ![0.5, 0.75, 1].includes(a.beta)) return undefined;
  const squares = e.add('Multiply', [x, x], {}, 'squares');
  const means = windowMeans(a, [...normalizeAxes(known, shape.length)].sort(), squares, e);
  if (!means) return undefined;
  const scaled = e.add('Multiply', [means, e.constant('f32', [], [a.alpha], 'alpha')], {}, 'scaled');
  const sum = e.add('Add', [scaled, e.constant('f32', [], [a.bias], 'bias')], {}, 'sum');
  if (a.beta === 1) return [e.add('Divide', [x, sum], {}, 'quotient')];
  const root = e.add('Sqrt', [sum], {}, 'root');
  if (a.beta === 0.5) return [e.add('Divide', [x, root], {}, 'quotient')];
  const power = e.add('Multiply', [root, e.add('Sqrt', [root], {}, 'root/root')], {}, 'power');
  return [e.add('Divide', [x, power], {}, 'quotient')];
}

/**
 * `y = x / (bias + alpha / size^n · Σ x²)^beta`, the sum over a window of `size` elements around x on each of the n axes
 * at input 1, cut off at the edges. An even window has its extra element behind x.
 */
export const lrn = defineOp({
  type: 'LRN',
  opset: 'opset1',
  attributes,
  inputs: [2, 2],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    return [{ type, shape }];
  },
  evaluate: (a, [x, axesInput]) => {
    const data = toFloat64(x!);
    const axes = normalizeAxes(toIntegers(axesInput!), x!.shape.length);
    const strides = stridesOf(x!.shape);
    let sums: Float64Array = data.map((v) => v * v);
    const [before, behind] = [Math.floor((a.size - 1) / 2), Math.ceil((a.size - 1) / 2)];
    for (const axis of axes) sums = windowSums(sums, x!.shape[axis]!, strides[axis]!, before, behind);
    const factor = a.alpha / a.size ** axes.length;
    for (let i = 0; i < data.length; i++) data[i]! /= (a.bias + factor * sums[i]!) ** a.beta;
    return [fromFloat64(data, x!.shape, x!.type)];
  },
  expand: (a, node, e) => expand(a, node, e),
});
