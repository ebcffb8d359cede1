// STFT: spectra of overlapping frames of a signal.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { toFloat64 } from '../../tensor/convert.ts';
import { isStatic } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, factsOfNode, inputFact, requiredIntegers, requireRank } from '../fact.ts';
import { fourierMatrix, hasMatrix, mostElements } from './expand-fourier.ts';
import { pairs, transform } from './fourier.ts';

const attributes = z.object({ transpose_frames: bool.default(false) });

type Attributes = z.infer<typeof attributes>;

interface Frames {
  readonly size: number;
  readonly step: number;
  readonly bins: number;
  /** -1 for a signal of unknown length. */
  readonly count: number;
}

function framesOf(inputs: Facts): Frames {
  const signal = inputFact(inputs, 0).shape;
  requireRank(signal, 1, 2, 'the signal');
  if (!inputFact(inputs, 2).value || !inputFact(inputs, 3).value) return { size: -1, step: -1, bins: -1, count: -1 };
  const size = requiredIntegers(inputs, 2, 'frame size')[0]!;
  const step = requiredIntegers(inputs, 3, 'frame step')[0]!;
  const length = signal.at(-1)!;
  const window = inputFact(inputs, 1).shape;
  if (!(size >= 1 && step >= 1) || (length >= 0 && length < size) || window.length !== 1 || window[0]! > size) {
    const text = `frames of ${size} every ${step} and a window of ${window} do not fit a signal of ${length}`;
    throw new LowpError('ERR_SHAPE_MISMATCH', text);
  }
  return {
    size,
    step,
    bins: Math.floor(size / 2) + 1,
    count: length < 0 ? -1 : Math.floor((length - size) / step) + 1,
  };
}

function infer(a: Attributes, inputs: Facts) {
  const { type, shape } = inputFact(inputs, 0);
  const { bins, count } = framesOf(inputs);
  return [{ type, shape: [...shape.slice(0, -1), ...(a.transpose_frames ? [bins, count] : [count, bins]), 2] }];
}

function stft(a: Attributes, inputs: readonly Tensor[]): Tensor {
  const facts = factsOf(inputs);
  const { size, step, bins, count } = framesOf(facts);
  const { type, shape } = infer(a, facts)[0]!;
  const [signal, window] = [toFloat64(inputs[0]!), toFloat64(inputs[1]!)];
  const length = inputs[0]!.shape.at(-1)!;
  const batch = signal.length / length;
  // A window that is shorter than the frame stands in its middle.
  const shift = Math.floor((size - window.length) / 2);
  const re = new Float64Array(batch * count * size);
  for (let f = 0; f < batch * count; f++) {
    const from = Math.floor(f / count) * length + (f % count) * step + shift;
    for (let i = 0; i < window.length; i++) re[f * size + shift + i] = signal[from + i]! * window[i]!;
  }
  const frames = { shape: [batch * count, size], re, im: new Float64Array(re.length) };
  const spectra = transform(frames, 1, size, false, bins);
  if (!a.transpose_frames) return pairs({ ...spectra, shape: shape.slice(0, -1) }, type);
  const turn = (values: Float64Array): Float64Array =>
    values.map((_, i) => {
      const [b, rest] = [Math.floor(i / (bins * count)), i % (bins * count)];
      return values[(b * count + (rest % count)) * bins + Math.floor(rest / count)]!;
    });
  return pairs({ shape: shape.slice(0, -1), re: turn(spectra.re), im: turn(spectra.im) }, type);
}

/** Frames are gathered, and one product with a matrix transforms them; a constant window is part of the matrix. */
function expand(a: Attributes, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const facts = factsOfNode(node);
  const { type, shape } = inputFact(facts, 0);
  const { size, step, bins, count } = framesOf(facts);
  const window = inputFact(facts, 1);
  if (type !== 'f32' || !isStatic(shape) || !isStatic(window.shape) || size < 0) return undefined;
  if (!hasMatrix({ size, bins }) || count * size > mostElements) return undefined;
  const positions = Int32Array.from({ length: count * size }, (_, i) => Math.floor(i / size) * step + (i % size));
  const at = e.tensor({ type: 'i32', shape: [count, size], data: positions }, 'positions');
  const axis = e.constant('i64', [], [shape.length - 1], 'axis');
  let frames = e.add('Gather', [node.source(0), at, axis], {}, 'frames');
  const shift = Math.floor((size - window.shape[0]!) / 2);
  const factors = new Float64Array(size);
  if (window.value) factors.set(toFloat64(window.value), shift);
  else {
    factors.fill(1);
    const ends = [shift, size - window.shape[0]! - shift].map((n, i) => e.constant('i64', [1], [n], `end_${i}`));
    const whole = e.add('Pad', [node.source(1), ...ends], { pad_mode: 'constant' }, 'window');
    frames = e.add('Multiply', [frames, whole], {}, 'windowed');
  }
  const batch = shape.length === 2 ? shape[0]! : 1;
  const rows = e.reshape(frames, [batch * count, size], 'rows');
  const data = fourierMatrix({ size, length: size, bins, form: 'fromReal', inverse: false }, factors);
  const matrix = e.tensor({ type: 'f32', shape: [size, 2 * bins], data }, 'matrix');
  const product = e.add('MatMul', [rows, matrix], { transpose_a: false, transpose_b: false }, 'product');
  const spectra = e.reshape(product, [...shape.slice(0, -1), count, bins, 2], 'spectra');
  if (!a.transpose_frames) return [spectra];
  const order = shape.length === 2 ? [0, 2, 1, 3] : [1, 0, 2];
  return [e.transpose(spectra, order, 'bins')];
}

/**
 * Inputs: signal `[batch, length]`, window, frame size, frame step. Output `[batch, frames, bins, 2]`, with
 * `transpose_frames` `[batch, bins, frames, 2]`: the first size/2 + 1 bins of the DFT of each windowed frame.
 */
export const stftOp = defineOp({
  type: 'STFT',
  opset: 'opset15',
  attributes,
  inputs: [4, 4],
  infer,
  evaluate: (a, inputs) => [stft(a, inputs)],
  expand,
});
