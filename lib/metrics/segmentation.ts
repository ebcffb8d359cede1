// Overlaps of maps of classes.
import * as z from 'zod';
import { type ClassCounts, countingRun } from './class-maps.ts';
import { defineMetric, meanOf } from './define-metric.ts';

const ignore = z.coerce.number().int().min(0).optional();
const classOption = z.coerce.number().int().min(0).optional();
const total = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);

/**
 * Intersection over union of class maps, counted over all samples: `both / (predicted + real − both)`, the mean over the
 * classes. Elements whose label is `ignore` do not count, and that class has no value; neither has one that occurs nowhere.
 */
export const meanIou = defineMetric({
  usage: 'miou:ignore=N',
  summary: 'mean intersection over union of class maps; elements labelled N do not count',
  pattern: /^miou$/,
  options: z.strictObject({ ignore }),
  create: (_, options) => ({
    name: 'miou',
    direction: 'higher',
    create: () =>
      countingRun('miou', options.ignore, ({ both, predicted, real }) =>
        meanOf(Array.from(both, (n, c) => (c === options.ignore ? Number.NaN : n / (predicted[c]! + real[c]! - n)))),
      ),
  }),
});

/** Share of elements with the right class; elements whose label is `ignore` do not count. */
export const pixelAccuracy = defineMetric({
  usage: 'pixel-accuracy:ignore=N',
  summary: 'share of the elements of class maps that are right',
  pattern: /^pixel-accuracy$/,
  options: z.strictObject({ ignore }),
  create: (_, options) => ({
    name: 'pixel-accuracy',
    direction: 'higher',
    create: () => countingRun('pixel-accuracy', options.ignore, ({ both, real }) => total(both) / total(real)),
  }),
});

/** Dice coefficient `2·both / (predicted + real)` of one class, or the mean over the classes that occur. */
export const dice = defineMetric({
  usage: 'dice:class=N',
  summary: 'Dice coefficient of class maps: of class N, or the mean',
  pattern: /^dice$/,
  options: z.strictObject({ class: classOption, ignore }),
  create: (_, options) => {
    const of = ({ both, predicted, real }: ClassCounts, c: number): number =>
      (2 * (both[c] ?? 0)) / ((predicted[c] ?? 0) + (real[c] ?? 0));
    return {
      name: options.class === undefined ? 'dice' : `dice:class=${options.class}`,
      direction: 'higher',
      create: () =>
        countingRun('dice', options.ignore, (counts) =>
          options.class === undefined
            ? meanOf(Array.from(counts.both, (_n, c) => (c === options.ignore ? Number.NaN : of(counts, c))))
            : of(counts, options.class),
        ),
    };
  },
});
