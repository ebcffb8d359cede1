// What metrics of segmentation share: counts of predicted and true classes over the elements of class maps.
import { LowpError } from '../errors/lowp-error.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { prediction, tensorTruth } from './define-metric.ts';
import type { MetricRun, Truth } from './metric.ts';

/** By class: elements that are both, that are predicted, that are true. */
export interface ClassCounts {
  readonly both: Float64Array;
  readonly predicted: Float64Array;
  readonly real: Float64Array;
}

/** More classes than this are a mistake of the labels. */
const mostClasses = 65536;

/** A run whose value is computed from the counts of all samples. */
export function countingRun(
  metric: string,
  ignore: number | undefined,
  score: (counts: ClassCounts) => number,
): MetricRun {
  const samples: ClassCounts[] = [];
  return {
    update: (outputs, truth) => void samples.push(countClasses(metric, outputs, truth, ignore)),
    value: () => (samples.length === 0 ? Number.NaN : score(sumOf(samples))),
    perSample: () => samples.map(score),
  };
}

/** @throws {LowpError} `ERR_DATA_LABELS` when the maps differ in size or hold something that is no class */
function countClasses(
  metric: string,
  outputs: Readonly<Record<string, Tensor>>,
  truth: Truth,
  ignore: number | undefined,
): ClassCounts {
  const found = prediction(outputs, metric);
  const real = tensorTruth(truth, metric, 'a map of classes');
  if (found.data.length !== real.data.length) {
    throw new LowpError(
      'ERR_DATA_LABELS',
      `${metric}: the prediction has the shape ${formatShape(found.shape)}, the label ${formatShape(real.shape)}`,
      { help: 'A dataset file with postprocess: argmax makes a map of classes of scores.' },
    );
  }
  const classes = Math.max(largest(found, metric), largest(real, metric)) + 1;
  const counts = emptyCounts(classes);
  for (let i = 0; i < real.data.length; i++) {
    const [a, b] = [Number(found.data[i]), Number(real.data[i])];
    if (b === ignore) continue;
    counts.predicted[a]!++;
    counts.real[b]!++;
    if (a === b) counts.both[a]!++;
  }
  return counts;
}

function largest(map: Tensor, metric: string): number {
  let most = 0;
  for (let i = 0; i < map.data.length; i++) {
    const v = Number(map.data[i]);
    if (!(Number.isInteger(v) && v >= 0 && v < mostClasses))
      throw new LowpError('ERR_DATA_LABELS', `${metric}: a map of classes contains ${v}`, {
        help: 'A dataset file with postprocess: argmax makes a map of classes of scores.',
      });
    most = Math.max(most, v);
  }
  return most;
}

function emptyCounts(classes: number): ClassCounts {
  return {
    both: new Float64Array(classes),
    predicted: new Float64Array(classes),
    real: new Float64Array(classes),
  };
}

function sumOf(samples: readonly ClassCounts[]): ClassCounts {
  const sum = emptyCounts(Math.max(...samples.map((s) => s.real.length)));
  for (const sample of samples)
    for (const key of ['both', 'predicted', 'real'] as const)
      for (const [c, n] of sample[key].entries()) sum[key][c]! += n;
  return sum;
}
