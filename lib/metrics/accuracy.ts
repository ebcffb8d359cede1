import { LowpError } from '../errors/lowp-error.ts';
import { toFloat64 } from '../tensor/convert.ts';
import type { Metric } from './metric.ts';

/**
 * Share of samples whose class is among the `k` largest scores of the first output. Equal scores count in favour of the
 * class only when fewer than `k` scores are larger and it comes first among its equals.
 */
export function accuracyAt(k: number): Metric {
  return {
    name: `accuracy@${k}`,
    direction: 'higher',
    create() {
      let hits = 0;
      let samples = 0;
      return {
        update(outputs, label) {
          const first = Object.values(outputs)[0];
          if (!first) throw new LowpError('ERR_DATA_LABELS', 'accuracy needs a model output');
          const scores = toFloat64(first);
          if (label >= scores.length) {
            throw new LowpError(
              'ERR_DATA_LABELS',
              `label ${label} does not exist: the output has ${scores.length} classes`,
            );
          }
          const own = scores[label]!;
          let before = 0;
          for (let i = 0; i < scores.length; i++) if (scores[i]! > own || (scores[i] === own && i < label)) before++;
          samples++;
          if (before < k && !Number.isNaN(own)) hits++;
        },
        value: () => (samples === 0 ? Number.NaN : hits / samples),
      };
    },
  };
}
