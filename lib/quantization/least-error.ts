// The range of a quantizer that changes the observed numbers least.
import { floatBinEdges } from '../util/float-bins.ts';

/** Numbers of one bin, spread evenly from `low` to `high`. */
interface Bin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** What the range is for. */
export interface LeastErrorGrid {
  readonly levels: number;
  /** Both borders lie equally far from zero. */
  readonly isTwoSided: boolean;
}

/** Borders that are tried lie `2^(1 / perOctave)` apart, over so many octaves below the outermost number. */
const perOctave = 16;
const octaves = 6;
const factors = Array.from({ length: perOctave * octaves + 1 }, (_, k) => 2 ** (-k / perOctave));
/** Each border is best for the other one after a few turns. */
const turns = 4;

/**
 * The borders with the least sum of squared errors over all counted numbers: those inside are rounded, which costs a twelfth of
 * the squared step (or what is nearer to zero than half a step), those outside are clipped. Zero stays inside.
 *
 * @param counts  numbers in each of the `floatBins`
 * @param least   the least number of all, and `greatest` the greatest
 */
export function leastErrorRange(
  counts: ArrayLike<number>,
  { least, greatest }: { readonly least: number; readonly greatest: number },
  { levels, isTwoSided }: LeastErrorGrid,
): { readonly min: number; readonly max: number } {
  const bins = binsOf(counts, least, greatest);
  const widest = isTwoSided ? Math.max(greatest, -least) : Math.max(0, greatest);
  let high = widest;
  let low = isTwoSided ? -widest : Math.min(0, least);
  let error = errorOf(bins, low, high, levels);
  const take = (nextLow: number, nextHigh: number): void => {
    const next = errorOf(bins, nextLow, nextHigh, levels);
    if (next < error) [low, high, error] = [nextLow, nextHigh, next];
  };
  for (let turn = 0; turn < turns; turn++) {
    const before = error;
    if (isTwoSided) for (const f of factors) take(-widest * f, widest * f);
    else {
      if (widest > 0) for (const f of factors) take(low, widest * f);
      if (least < 0) for (const f of factors) take(least * f, high);
    }
    if (error === before) break;
  }
  return { min: low, max: high };
}

/**
 * Bins that are not empty; the outermost ones end where the numbers do, and one of their numbers lies there. Zeros cost nothing
 * and are left out.
 */
function binsOf(counts: ArrayLike<number>, least: number, greatest: number): Bin[] {
  const bins: Bin[] = [];
  for (let i = 0; i < counts.length; i++) {
    const edges = counts[i]! > 0 ? floatBinEdges(i) : undefined;
    if (!edges || edges[0] === edges[1]) continue;
    const outermost = [least, greatest].filter((x) => x >= edges[0] && x <= edges[1]);
    const [low, high] = [Math.max(edges[0], least), Math.min(edges[1], greatest)];
    const known = Math.min(outermost.length, counts[i]!);
    for (const x of outermost.slice(0, known)) bins.push({ low: x, high: x, count: 1 });
    if (counts[i]! > known) bins.push({ low, high: Math.max(low, high), count: counts[i]! - known });
  }
  return bins;
}

function errorOf(bins: readonly Bin[], low: number, high: number, levels: number): number {
  const step = (high - low) / (levels - 1);
  const rounded = (step * step) / 12;
  let sum = 0;
  for (const bin of bins) {
    const center = (bin.low + bin.high) / 2;
    if (bin.high <= high && bin.low >= low) {
      sum += bin.count * (Math.abs(center) < step / 2 ? center * center : rounded);
      continue;
    }
    // Of numbers spread evenly from a to b, the part beyond a border c has the squared distances ((b - c)^3 - (a - c)^3) / 3.
    const width = bin.high - bin.low;
    const [near, far] = bin.high > high ? [bin.low - high, bin.high - high] : [low - bin.high, low - bin.low];
    if (width === 0) sum += bin.count * far * far;
    else {
      const outside = Math.min(1, far / width);
      sum += bin.count * ((far ** 3 - Math.max(0, near) ** 3) / (3 * width) + (1 - outside) * rounded);
    }
  }
  return sum;
}
