// Calls of the `gather` and `scatter` kernels: blocks of elements that indices name.
import type { Node } from '../../graph/node.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { elementCount, stridesOf } from '../../tensor/shape.ts';
import { mergeAxes } from '../memory-layout.ts';

/** One loop over picks: how far a step goes in the indices, and in the elements that they address. */
export interface PickAxis {
  readonly count: number;
  readonly index: number;
  readonly base: number;
}

/**
 * Blocks by index: pick `i` names the `block` elements from `Σ i·base + Σ index[d]·step` on. The numbers of a pick are
 * neighbours in the indices, one for each axis of `named`.
 */
export interface Picks {
  readonly axes: readonly PickAxis[];
  readonly named: readonly { readonly size: number; readonly step: number }[];
  readonly block: number;
}

/** Loops that the kernels have, and axes that one pick may name. */
const kernelAxes = 6;

/** Types of indices that the kernels read. */
export const indexTypes: readonly ElementType[] = ['i32', 'i64'];

function merged(picks: Picks) {
  const dims = picks.axes.map((a) => a.count);
  return mergeAxes(dims, [stridesOf(dims), picks.axes.map((a) => a.index), picks.axes.map((a) => a.base)]);
}

/** True when the kernels have the loops, and the indices at input 1 have a type that they read. */
export function canPick(node: Node, picks: Picks): boolean {
  const { type, shape } = node.source(1)!.fact;
  const { length } = picks.named;
  const fits = merged(picks).dims.length <= kernelAxes && length >= 1 && length <= kernelAxes;
  return fits && indexTypes.includes(type) && elementCount(shape) > 0;
}

/** The parameters that both kernels share. */
export function pickParams(picks: Picks): Record<string, number> {
  const { dims, strides } = merged(picks);
  const isSingle = dims.length === 0;
  const params: Record<string, number> = { rank: Math.max(1, dims.length), depth: picks.named.length };
  for (const [i, count] of (isSingle ? [1] : dims).entries()) {
    params[`n${i}`] = count;
    params[`indexStride${i}`] = isSingle ? 0 : strides[1]![i]!;
    params[`baseStride${i}`] = isSingle ? 0 : strides[2]![i]!;
  }
  for (const [i, { size, step }] of picks.named.entries()) {
    params[`size${i}`] = size;
    params[`step${i}`] = step;
  }
  return { ...params, block: picks.block };
}
