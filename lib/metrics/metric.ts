// What a metric is.
import type * as z from 'zod';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * What is right for one sample: the number of a class, or a tensor: boxes `[n, 5]`, a map of classes, an image.
 *
 * Boxes are rows `x1, y1, x2, y2, class`; predicted ones have the score in front of the class.
 */
export type Truth = number | Tensor;

/** Collects numbers from predictions and ground truth, sample by sample. */
export interface MetricRun {
  /**
   * @param outputs  predictions of one sample, by output name
   * @param truth    what is right
   */
  update(outputs: Readonly<Record<string, Tensor>>, truth: Truth): void;
  /** Over all samples: a fraction, not percent, or decibels; NaN before the first update. */
  value(): number;
  /** The metric of each sample alone, in order; NaN where one sample has none. Every metric of lowp has it. */
  perSample?(): readonly number[];
}

export interface Metric {
  readonly name: string;
  /** Which values are better. */
  readonly direction: 'higher' | 'lower';
  /** Default `fraction`. */
  readonly unit?: 'fraction' | 'dB';
  create(): MetricRun;
}

/** A family of metrics that {@link findMetric} makes from text: `NAME` or `NAME:key=value,key=value`. */
export interface MetricDefinition {
  /** How users write it. */
  readonly usage: string;
  readonly summary: string;
  /** Of the whole name in front of the colon. */
  readonly pattern: RegExp;
  /** Reads the options behind the colon. */
  readonly options: z.ZodType<object, object>;
  /**
   * @param match    of the pattern
   * @param options  as the schema gives them
   */
  create(match: RegExpExecArray, options: never): Metric;
}
