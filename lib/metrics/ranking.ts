// Hit rate and gain of ranked items.
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import { toFloat64 } from '../tensor/convert.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defineMetric, meanRun, prediction } from './define-metric.ts';
import type { Truth } from './metric.ts';

const options = z.strictObject({
  /** Quantized scores tie more often than floats: count equal ones behind the right one, before it, or half of them. */
  ties: z.enum(['favour', 'half', 'against']).default('half'),
});
type Ties = z.output<typeof options>['ties'];

const shareBefore: Readonly<Record<Ties, number>> = { favour: 0, half: 0.5, against: 1 };

/**
 * Share of samples whose right candidate is among the `k` best. A sample scores all candidates of one user; the label is the
 * position of the right one. Its rank is the number of larger scores plus the share of equal ones that `ties` names.
 */
export const hitRate = defineMetric({
  usage: 'hr@K:ties=half',
  summary: 'share of samples whose right candidate is among the K best; ties: favour, half, against',
  pattern: /^hr@([1-9]\d*)$/,
  options,
  create: (match, { ties }) => ({
    name: match[0],
    direction: 'higher',
    create: () => meanRun((outputs, label) => (rank(outputs, label, ties) < Number(match[1]) ? 1 : 0)),
  }),
});

/** As {@link hitRate}, a hit counts `1 / log2(rank + 2)`, rank 0 for the best. */
export const discountedGain = defineMetric({
  usage: 'ndcg@K:ties=half',
  summary: 'discounted gain of the right candidate among the K best',
  pattern: /^ndcg@([1-9]\d*)$/,
  options,
  create: (match, { ties }) => ({
    name: match[0],
    direction: 'higher',
    create: () =>
      meanRun((outputs, label) => {
        const place = rank(outputs, label, ties);
        return place < Number(match[1]) ? 1 / Math.log2(place + 2) : 0;
      }),
  }),
});

function rank(outputs: Readonly<Record<string, Tensor>>, label: Truth, ties: Ties): number {
  const scores = toFloat64(prediction(outputs, 'a ranking'));
  if (typeof label !== 'number' || label >= scores.length)
    throw new LowpError(
      'ERR_DATA_LABELS',
      `a ranking needs the position of the right one among ${scores.length} candidates as label`,
    );
  const own = scores[label]!;
  if (Number.isNaN(own)) return Number.POSITIVE_INFINITY;
  let larger = 0;
  let equal = -1;
  for (const score of scores) {
    if (score > own) larger++;
    else if (score === own) equal++;
  }
  return larger + shareBefore[ties] * equal;
}
