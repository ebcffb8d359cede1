// How near outputs are to those of a reference.
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import { toFloat64 } from '../tensor/convert.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defineMetric, meanRun, prediction, tensorTruth } from './define-metric.ts';
import type { Truth } from './metric.ts';

/** Signal to quantization noise against the truth, `10·log10(Σ t² / Σ (p − t)²)`, the mean over samples. */
export const sqnr = defineMetric({
  usage: 'sqnr',
  summary: 'signal-to-noise ratio in dB against the output of the reference model',
  pattern: /^sqnr$/,
  options: z.strictObject({}),
  create: () => ({
    name: 'sqnr',
    direction: 'higher',
    unit: 'dB',
    create: () =>
      meanRun((outputs, truth) => {
        const [p, t] = pair(outputs, truth, 'sqnr');
        let signal = 0;
        let noise = 0;
        for (const [i, v] of t.entries()) {
          signal += v * v;
          noise += (p[i]! - v) ** 2;
        }
        return 10 * Math.log10(signal / noise);
      }),
  }),
});

/** Cosine of the angle between prediction and truth, the mean over samples. */
export const cosine = defineMetric({
  usage: 'cosine',
  summary: 'cosine similarity with the output of the reference model',
  pattern: /^cosine$/,
  options: z.strictObject({}),
  create: () => ({
    name: 'cosine',
    direction: 'higher',
    create: () =>
      meanRun((outputs, truth) => {
        const [p, t] = pair(outputs, truth, 'cosine');
        let [pp, tt, pt] = [0, 0, 0];
        for (const [i, v] of t.entries()) {
          pp += p[i]! * p[i]!;
          tt += v * v;
          pt += p[i]! * v;
        }
        return pt / Math.sqrt(pp * tt);
      }),
  }),
});

function pair(
  outputs: Readonly<Record<string, Tensor>>,
  truth: Truth,
  metric: string,
): [prediction: Float64Array, truth: Float64Array] {
  const found = prediction(outputs, metric);
  const real = tensorTruth(truth, metric, 'the output of a reference model');
  if (found.data.length === real.data.length) return [toFloat64(found), toFloat64(real)];
  throw new LowpError(
    'ERR_DATA_LABELS',
    `${metric}: the prediction has the shape ${formatShape(found.shape)}, the truth ${formatShape(real.shape)}`,
  );
}
