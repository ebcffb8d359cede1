// Random subsets of datasets, the same on every machine.
import { random } from '../util/random.ts';
import type { Dataset, Sample } from './dataset.ts';

/**
 * `count` different numbers from 0 to `length − 1`, ascending; all of them when there are no more. Every subset of that
 * size is as likely as any other, and the seed alone decides.
 *
 * @see Bentley and Floyd 1987, "A sample of brilliance"
 */
export function sampleIndices(length: number, count: number, seed: number): number[] {
  const numbers = random(seed);
  const chosen = new Set<number>();
  for (let last = Math.max(0, length - count); last < length; last++) {
    const drawn = numbers.int(0, last + 1);
    chosen.add(chosen.has(drawn) ? last : drawn);
  }
  return [...chosen].sort((a, b) => a - b);
}

/** A random subset without repetition, in the order of the dataset; what is not chosen is not read where that can be. */
export function sampleDataset(dataset: Dataset, count: number, seed = 0): Dataset {
  const chosen = sampleIndices(dataset.length, count, seed);
  return {
    name: `${dataset.name} (${chosen.length} of ${dataset.length}, seed ${seed})`,
    length: chosen.length,
    async *[Symbol.asyncIterator](): AsyncGenerator<Sample> {
      if (dataset.at) {
        for (const index of chosen) yield await dataset.at(index);
        return;
      }
      const wanted = new Set(chosen);
      let index = 0;
      for await (const sample of dataset) if (wanted.has(index++)) yield sample;
    },
  };
}
