// Ties the options that a metric is made with to the schema that reads them.
import type * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Metric, MetricDefinition, Truth } from './metric.ts';

/** A definition whose `create` takes what its schema gives. */
export function defineMetric<S extends z.ZodType<object, object>>(
  definition: Omit<MetricDefinition, 'options' | 'create'> & {
    readonly options: S;
    create(match: RegExpExecArray, options: z.output<S>): Metric;
  },
): MetricDefinition {
  return definition as MetricDefinition;
}

/** The first output; metrics read one. */
export function prediction(outputs: Readonly<Record<string, Tensor>>, metric: string): Tensor {
  const first = Object.values(outputs)[0];
  if (first) return first;
  throw new LowpError('ERR_DATA_LABELS', `${metric} needs a model output`);
}

/** @throws {LowpError} `ERR_DATA_LABELS` when the truth is the number of a class */
export function tensorTruth(truth: Truth, metric: string, wanted: string): Tensor {
  if (typeof truth !== 'number') return truth;
  throw new LowpError('ERR_DATA_LABELS', `${metric} compares with ${wanted}, the label is the number ${truth}`);
}

/** The mean of the numbers among the values. */
export function meanOf(values: readonly number[]): number {
  const known = values.filter((v) => !Number.isNaN(v));
  return known.length === 0 ? Number.NaN : known.reduce((a, b) => a + b, 0) / known.length;
}

/** A run whose value is the mean of one number a sample. */
export function meanRun(
  score: (outputs: Readonly<Record<string, Tensor>>, truth: Truth) => number,
): ReturnType<Metric['create']> {
  const values: number[] = [];
  return {
    update: (outputs, truth) => void values.push(score(outputs, truth)),
    value: () => meanOf(values),
    perSample: () => values,
  };
}
