// STFT: spectra of overlapping frames of a signal.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { toFloat64 } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, requiredIntegers, requireRank } from '../fact.ts';
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
});
