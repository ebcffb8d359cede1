// Statistics as kernel calls: a value is reduced where it is, and only the reduced numbers leave the program.
import type { OutputPort } from '../graph/node.ts';
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

/** Emits the observer of one value, on the layout in which the value exists. */
export function emitObservation(lowering: Lowering, observed: ObservedPort, out: BufferId): void {
  const { builder, values } = lowering;
  const { shape } = observed.port.fact;
  const channels = observedChannels(observed);
  const operands = (buffer: number) => ({ name: observed.name, in: [buffer], out: [out] });
  const elements = elementCount(shape);
  if (observed.axis === undefined) {
    const buffer = values.float(observed.port, values.layoutOf(observed.port));
    builder.call('observe', { outer: 1, channels: 1, inner: elements, perChannel: 0 }, operands(buffer));
    return;
  }
  const axis = normalizeAxis(observed.axis, shape.length);
  if (axis === 1 && values.layoutOf(observed.port) === 'channelsLast' && !sameInBothLayouts(shape)) {
    const { batch, spatial } = imageSize(shape);
    const buffer = values.float(observed.port, 'channelsLast');
    builder.call('observe', { outer: batch * spatial, channels, inner: 1, perChannel: 1 }, operands(buffer));
    return;
  }
  const inner = elementCount(shape.slice(axis + 1));
  const buffer = values.float(observed.port, 'plain');
  builder.call(
    'observe',
    { outer: elements / Math.max(1, inner * channels), channels, inner, perChannel: 1 },
    operands(buffer),
  );
}
