// Statistics as kernel calls: a value is reduced where it is, and only the reduced numbers leave the program.
import type { Node, OutputPort } from '../graph/node.ts';
import type { Layout } from '../ops/lower-context.ts';
import type { BufferId } from '../program/program.ts';
import { elementCount, normalizeAxis } from '../tensor/shape.ts';
import { imageSize, sameInBothLayouts } from './layout.ts';
import type { Lowering } from './lower.ts';

/** A value to reduce: over all elements, or for each index of an axis. */
export interface ObservedPort {
  readonly port: OutputPort;
  /** Undefined: one result for the whole value. */
  readonly axis?: number;
  /** Name of the program output that takes the five rows min, max, |max|, mean, non-finite. */
  readonly name: string;
}

/** Number of results of an observed port. */
export function observedChannels(observed: ObservedPort): number {
  const { shape } = observed.port.fact;
  return observed.axis === undefined ? 1 : shape[normalizeAxis(observed.axis, shape.length)]!;
}

/** How the elements of a value lie for an observer. */
interface ObservedSizes {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
  readonly perChannel: number;
}

/** Sizes of a value for its observer, and the layout that they need, on the layout in which the value exists. */
function sizesOf(lowering: Lowering, { port, axis }: ObservedPort): { layout: Layout; sizes: ObservedSizes } {
  const { shape } = port.fact;
  const elements = elementCount(shape);
  const layout = lowering.values.layoutOf(port);
  if (axis === undefined) return { layout, sizes: { outer: 1, channels: 1, inner: elements, perChannel: 0 } };
  const at = normalizeAxis(axis, shape.length);
  const channels = shape[at]!;
  if (at === 1 && layout === 'channelsLast' && !sameInBothLayouts(shape)) {
    const { batch, spatial } = imageSize(shape);
    return { layout, sizes: { outer: batch * spatial, channels, inner: 1, perChannel: 1 } };
  }
  const inner = elementCount(shape.slice(at + 1));
  const outer = elements / Math.max(1, inner * channels);
  return { layout: 'plain', sizes: { outer, channels, inner, perChannel: 1 } };
}

/** Emits the observer of one value. */
export function emitObservation(lowering: Lowering, observed: ObservedPort, out: BufferId): void {
  const { layout, sizes } = sizesOf(lowering, observed);
  const buffer = lowering.values.float(observed.port, layout);
  lowering.builder.call('observe', sizes, { name: observed.name, in: [buffer], out: [out] });
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
  lowering.builder.call('observe_clamp', { ...sizes, low, high }, operands);
  return true;
}
