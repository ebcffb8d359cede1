// Addresses: strides of a shape in either layout, and loops over several tensors reduced to as few axes as possible.
import type { Shape } from '../tensor/shape.ts';
import { stridesOf } from '../tensor/shape.ts';
import type { Layout } from './lower-context.ts';

/** Elements between neighbours along each axis of a dense tensor in that layout. */
export function memoryStrides(shape: Shape, layout: Layout): number[] {
  if (layout === 'plain' || shape.length < 3) return stridesOf(shape);
  const [b, ...rest] = stridesOf(channelsLastShape(shape));
  return [b!, rest.at(-1)!, ...rest.slice(0, -1)];
}

/** The shape of the same memory in the order in which a channels-last tensor has its axes. */
export function channelsLastShape([batch, channels, ...spatial]: Shape): number[] {
  return [batch!, ...spatial, channels!];
}

/** Where an axis is in {@link channelsLastShape}. */
export function channelsLastAxis(axis: number, rank: number): number {
  if (axis === 0) return 0;
  return axis === 1 ? rank - 1 : axis - 1;
}

/** Axes from the outermost to the innermost, with the strides of each tensor. */
export interface MergedAxes {
  readonly dims: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/**
 * Drops axes of size 1, orders the others by the strides of the first tensor (largest first), and joins neighbours that
 * are one run in every tensor.
 */
export function mergeAxes(dims: Shape, strides: readonly (readonly number[])[]): MergedAxes {
  const axes = dims.map((d, i) => ({ d, s: strides.map((list) => list[i]!) })).filter((a) => a.d !== 1);
  axes.sort((x, y) => y.s[0]! - x.s[0]!);
  const merged: { d: number; s: number[] }[] = [];
  for (const axis of axes) {
    const outer = merged.at(-1);
    if (outer?.s.every((s, t) => s === axis.s[t]! * axis.d)) {
      outer.d *= axis.d;
      outer.s = axis.s;
    } else merged.push({ d: axis.d, s: [...axis.s] });
  }
  return { dims: merged.map((a) => a.d), strides: strides.map((_, t) => merged.map((a) => a.s[t]!)) };
}
