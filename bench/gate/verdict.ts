// What counts as slower.
import type { Ratio } from '../statistics.ts';

/** This tree's speed over the base's. */
export interface Finding {
  readonly what: string;
  readonly ratio: Ratio;
}

/** A ratio below this fails when its whole interval is below it. */
export const limit = 0.97;

export function isSlower({ ratio }: Finding): boolean {
  return ratio.ci95[1] < limit;
}

/**
 * Measures everything once and what looks slower once more: out of many ratios one falls short by chance now and then,
 * hardly ever twice.
 *
 * @returns every finding, the second where there are two
 */
export async function measureTwice<T>(
  items: readonly T[],
  measure: (items: readonly T[]) => Promise<readonly Finding[]>,
): Promise<Finding[]> {
  const first = await measure(items);
  const slower = items.filter((_, i) => isSlower(first[i]!));
  if (slower.length === 0) return [...first];
  const second = await measure(slower);
  return first.map((finding, i) => {
    const again = slower.indexOf(items[i]!);
    return again < 0 ? finding : second[again]!;
  });
}
