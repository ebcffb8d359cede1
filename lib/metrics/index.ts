// The metrics, and how text becomes one.
import { LowpError } from '../errors/lowp-error.ts';
import { accuracy } from './accuracy.ts';
import { boxF1 } from './box-f1.ts';
import { meanAveragePrecision } from './mean-average-precision.ts';
import type { Metric, MetricDefinition } from './metric.ts';
import { psnr } from './psnr.ts';
import { discountedGain, hitRate } from './ranking.ts';
import { dice, meanIou, pixelAccuracy } from './segmentation.ts';
import { cosine, sqnr } from './similarity.ts';

export { accuracyAt } from './accuracy.ts';
export type { Metric, MetricRun, Truth } from './metric.ts';

/** Every family of metrics. */
export const metricDefinitions: readonly MetricDefinition[] = [
  accuracy,
  meanAveragePrecision,
  boxF1,
  meanIou,
  pixelAccuracy,
  dice,
  psnr,
  hitRate,
  discountedGain,
  sqnr,
  cosine,
];

/**
 * The metric of a text: `NAME` or `NAME:key=value,key=value`, for example `accuracy@5`, `map@0.5`, `miou:ignore=255`.
 *
 * @throws {LowpError} `ERR_METRIC_UNKNOWN`, `ERR_CONFIG_INVALID` for options that the metric does not have
 */
export function findMetric(text: string): Metric {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  for (const definition of metricDefinitions) {
    const match = definition.pattern.exec(name);
    if (!match) continue;
    const parsed = definition.options.safeParse(colon < 0 ? {} : optionsOf(text.slice(colon + 1), text));
    if (parsed.success) return definition.create(match, parsed.data as never);
    const issue = parsed.error.issues[0]!;
    const where = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
    throw new LowpError('ERR_CONFIG_INVALID', `the metric '${text}': ${where}${issue.message}`, {
      help: `It is written ${definition.usage}.`,
    });
  }
  const known = metricDefinitions.map((d) => d.usage).join('; ');
  throw new LowpError('ERR_METRIC_UNKNOWN', `the metric '${name}' is not known; expected ${known}`, {
    help: 'lowp evaluate --help lists the metrics.',
  });
}

function optionsOf(text: string, metric: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [key, value, ...rest] = part.split('=');
      if (key && value && rest.length === 0) return [key, value];
      throw new LowpError('ERR_CONFIG_INVALID', `the metric '${metric}': expected key=value behind the colon`);
    }),
  );
}
