// Statistics as kernel calls: a value is reduced where it is, and only the reduced numbers leave the program.
import type { Node, OutputPort } from '../graph/node.ts';
import type { Layout } from '../ops/lower-context.ts';
import type { BufferId } from '../program/program.ts';
import { elementCount, normalizeAxis, type Shape } from '../tensor/shape.ts';
import { floatBins } from '../util/float-bins.ts';
import { imageSize, sameInBothLayouts } from './layout.ts';
import type { Lowering } from './lower.ts';

/** A value to reduce: over all elements, or for each index of an axis. */
export interface ObservedPort {
  readonly port: OutputPort;
  /** Undefined: one result for the whole value. */
  readonly axis?: number;
  /** Equal parts of axis 0 that are reduced apart. */
  readonly items: number;
  /** Elements to find by their rank. */
  readonly ranks: readonly ObservedRank[];
  /** Whether the mean is wanted. */
  readonly mean: boolean;
  /** Also count the elements of each item by their size, over all runs. */
  readonly histogram?: boolean;
  /** Name of the program output that takes the five rows min, max, |max|, mean, non-finite. */
  readonly name: string;
}

/** The element of a rank, from 0, in the ascending order of the elements or of their magnitudes, and the next one. */
export interface ObservedRank {
  readonly rank: number;
  readonly isAbsolute: boolean;
}

/** A program output of an observed port. */
interface ObservedOutput {
  readonly name: string;
  readonly type: 'f32' | 'i64';
  readonly shape: Shape;
}

/** The program outputs of an observed port: statistics, one for each rank, and the histogram, which accumulates. */
export function observedOutputs(observed: ObservedPort): ObservedOutput[] {
  const { port, axis, items, name, ranks, histogram } = observed;
  const { shape } = port.fact;
  const results = items * (axis === undefined ? 1 : shape[normalizeAxis(axis, shape.length)]!);
  return [
    { name, type: 'f32', shape: [5, results] },
    ...ranks.map((_, i): ObservedOutput => ({ name: `${name} rank ${i}`, type: 'f32', shape: [2, results] })),
    ...(histogram ? [{ name: `${name} histogram`, type: 'i64', shape: [items, floatBins] } as const] : []),
  ];
}

/** How the elements of a value lie for an observer. */
interface ObservedSizes {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
  readonly perChannel: number;
  readonly items: number;
}

/** Sizes of a value for its observer, and the layout that they need, on the layout in which the value exists. */
function sizesOf(lowering: Lowering, observed: ObservedPort): { layout: Layout; sizes: ObservedSizes } {
  const { port, axis, items } = observed;
  const { shape } = port.fact;
  const layout = lowering.values.layoutOf(port);
  if (axis === undefined)
    return { layout, sizes: { outer: 1, channels: 1, inner: elementCount(shape) / items, perChannel: 0, items } };
  if (normalizeAxis(axis, shape.length) === 1 && layout === 'channelsLast' && !sameInBothLayouts(shape)) {
    const { batch, spatial } = imageSize(shape);
    return { layout, sizes: { outer: (batch / items) * spatial, channels: shape[1]!, inner: 1, perChannel: 1, items } };
  }
  return { layout: 'plain', sizes: plainSizes(observed, axis) };
}

/** Sizes of a value in the model's own layout. */
function plainSizes({ port, items }: ObservedPort, axis: number): ObservedSizes {
  const { shape } = port.fact;
  const at = normalizeAxis(axis, shape.length);
  const channels = shape[at]!;
  const inner = elementCount(shape.slice(at + 1));
  const outer = elementCount(shape) / Math.max(1, items * inner * channels);
  return { outer, channels, inner, perChannel: 1, items };
}

/** Whether the observers of a value can read its channels out of larger pixels. */
export function readsStrided({ port, axis, ranks }: ObservedPort): boolean {
  const { shape } = port.fact;
  if (shape.length < 3 || sameInBothLayouts(shape) || shape[1]! < 2 || ranks.length > 0) return false;
  return axis !== undefined && normalizeAxis(axis, shape.length) === 1;
}

/** Sizes of a value whose channels lie in larger pixels; undefined when it has memory of its own. */
function sizesWithin(lowering: Lowering, observed: ObservedPort) {
  const form = readsStrided(observed) ? lowering.values.stridedFloat(observed.port) : undefined;
  if (!form) return undefined;
  const { batch, channels, spatial } = imageSize(observed.port.fact.shape);
  const { buffer, stride, offset } = form;
  return { buffer, stride, offset, channels, outer: (batch / observed.items) * spatial };
}

/** Emits the observers of a value that need a pass of their own, into the outputs behind the statistics. */
export function emitMore(lowering: Lowering, observed: ObservedPort, outs: readonly BufferId[]): void {
  emitRanks(lowering, observed, outs);
  if (observed.histogram) emitHistogram(lowering, observed, outs.at(-1)!);
}

/** Emits the observers that find elements by rank; those of channels read the model's own layout, where runs are long. */
function emitRanks(lowering: Lowering, observed: ObservedPort, outs: readonly BufferId[]): void {
  const { port, axis, name, ranks } = observed;
  if (ranks.length === 0) return;
  const { layout, sizes } =
    axis === undefined
      ? sizesOf(lowering, observed)
      : ({ layout: 'plain', sizes: plainSizes(observed, axis) } as const);
  const buffer = lowering.values.float(port, layout);
  for (const [i, { rank, isAbsolute }] of ranks.entries()) {
    const params = { ...sizes, rank, absolute: isAbsolute ? 1 : 0 };
    lowering.builder.call('observe_quantile', params, { name, in: [buffer], out: [outs[i]!] });
  }
}

/** Emits the observer that counts elements by their size; it reads whatever layout is there. */
function emitHistogram(lowering: Lowering, observed: ObservedPort, out: BufferId): void {
  const { port, name, items } = observed;
  const within = sizesWithin(lowering, observed);
  if (within) {
    const { buffer, outer: rows, channels: run, stride, offset } = within;
    lowering.builder.call(
      'observe_histogram',
      { items, rows, run, stride, offset },
      { name, in: [buffer], out: [out] },
    );
    return;
  }
  const buffer = lowering.values.float(port, lowering.values.layoutOf(port));
  const params = { items, rows: 1, run: elementCount(port.fact.shape) / items };
  lowering.builder.call('observe_histogram', params, { name, in: [buffer], out: [out] });
}

/** Emits the observer of one value. */
export function emitObservation(lowering: Lowering, observed: ObservedPort, out: BufferId): void {
  const { name, items } = observed;
  const mean = observed.mean ? 1 : 0;
  const within = sizesWithin(lowering, observed);
  if (within) {
    const { buffer, ...place } = within;
    const params = { ...place, inner: 1, perChannel: 1, items, mean };
    lowering.builder.call('observe', params, { name, in: [buffer], out: [out] });
    return;
  }
  const { layout, sizes } = sizesOf(lowering, observed);
  const buffer = lowering.values.float(observed.port, layout);
  lowering.builder.call('observe', { ...sizes, mean }, { name, in: [buffer], out: [out] });
}

/**
 * Emits the observer of a value together with the clamp behind it, whose result is observed in the same read when
 * `outAfter` is given.
 *
 * @returns  false, and emits nothing, when the value would have to be copied to another layout first
 */
export function emitObservedClamp(
  lowering: Lowering,
  observed: ObservedPort,
  clamp: { readonly node: Node; readonly low: number; readonly high: number },
  out: { readonly before: BufferId; readonly after?: BufferId | undefined },
): boolean {
  const { layout, sizes } = sizesOf(lowering, observed);
  if (layout !== lowering.values.layoutOf(observed.port)) return false;
  const buffer = lowering.values.float(observed.port, layout);
  const place = lowering.placeFloat(clamp.node.output, layout);
  const { low, high } = clamp;
  const outputs = out.after === undefined ? [out.before] : [out.before, out.after];
  const operands = { name: observed.name, in: [buffer], out: [place.buffer, ...outputs] };
  lowering.builder.call('observe_clamp', { ...sizes, low, high, mean: observed.mean ? 1 : 0 }, operands);
  return true;
}
