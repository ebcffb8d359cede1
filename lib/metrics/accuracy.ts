// Share of samples whose class is among the best k.
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import { toFloat64 } from '../tensor/convert.ts';
import { defineMetric, meanRun, prediction } from './define-metric.ts';
import type { Metric } from './metric.ts';

/**
 * Share of samples whose class is among the `k` largest scores of the first output. Equal scores count in favour of the
 * class only when fewer than `k` scores are larger and it comes first among its equals.
 */
export function accuracyAt(k: number): Metric {
  return {
    name: `accuracy@${k}`,
    direction: 'higher',
    create: () =>
      meanRun((outputs, label) => {
        const scores = toFloat64(prediction(outputs, 'accuracy'));
        if (typeof label !== 'number')
          throw new LowpError('ERR_DATA_LABELS', 'accuracy compares with the number of a class, the label is a tensor');
        if (label >= scores.length) {
          throw new LowpError(
            'ERR_DATA_LABELS',
            `label ${label} does not exist: the output has ${scores.length} classes`,
          );
        }
        const own = scores[label]!;
        let before = 0;
        for (let i = 0; i < scores.length; i++) if (scores[i]! > own || (scores[i] === own && i < label)) before++;
        return before < k && !Number.isNaN(own) ? 1 : 0;
      }),
  };
}

export const accuracy = defineMetric({
  usage: 'accuracy@K',
  summary: 'share of samples whose class is among the K largest scores',
  pattern: /^accuracy(?:@([1-9]\d*))?$/,
  options: z.strictObject({}),
  create: (match) => accuracyAt(Number(match[1] ?? 1)),
});
