import { LowpError } from '../errors/lowp-error.ts';
import { accuracyAt } from './accuracy.ts';
import type { Metric } from './metric.ts';

export { accuracyAt } from './accuracy.ts';
export type { Metric, MetricRun } from './metric.ts';

/** Names that {@link findMetric} understands. */
export const metricNames = ['accuracy', 'accuracy@1', 'accuracy@5', 'accuracy@K'] as const;

/**
 * The metric of a name: `accuracy` or `accuracy@K`.
 *
 * @throws {LowpError} `ERR_METRIC_UNKNOWN`
 */
export function findMetric(name: string): Metric {
  const match = /^accuracy(?:@(\d+))?$/.exec(name);
  const k = match ? Number(match[1] ?? 1) : 0;
  if (k > 0) return accuracyAt(k);
  throw new LowpError('ERR_METRIC_UNKNOWN', `the metric '${name}' is not known; expected ${metricNames.join(', ')}`);
}
