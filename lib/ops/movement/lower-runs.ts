// Operations that take positions of each axis by themselves, as strided copies: padding, reversal, rotation.
import type { Node } from '../../graph/node.ts';
import type { BufferId } from '../../program/program.ts';
import type { LowerContext, QuantFormat } from '../lower-context.ts';
import { memoryStrides } from '../memory-layout.ts';
import { emitCopy, kernelAxes } from './emit-copy.ts';
import { moved } from './lower.ts';

/** Neighbouring positions of an output axis that take evenly spaced ones of the input. */
interface Run {
  readonly to: number;
  readonly from: number;
  readonly step: number;
  readonly count: number;
}

/** Runs of the positions that an axis takes; negative ones take nothing. */
export function runsOf(positions: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (let to = 0; to < positions.length; ) {
    const from = positions[to]!;
    const next = positions[to + 1] ?? -1;
    const step = from < 0 || next < 0 ? 0 : next - from;
    let count = 1;
    if (next >= 0) while (to + count < positions.length && positions[to + count] === from + count * step) count++;
    if (from >= 0) runs.push({ to, from, step, count });
    to += from < 0 ? 1 : count;
  }
  return runs;
}

/** Copies that one operation may become. */
const mostCopies = 64;

/** True when the copy kernel has the axes, and the runs are few. */
export function canLowerRuns(axes: readonly (readonly number[])[]): boolean {
  return axes.length <= kernelAxes && axes.reduce((count, p) => count * runsOf(p).length, 1) <= mostCopies;
}

/**
 * Element `[i0, i1, …]` of the output is element `[axes[0][i0], axes[1][i1], …]` of input 0.
 *
 * @param fill  writes the elements that have a negative position, before others are copied
 */
export function lowerRuns(
  node: Node,
  context: LowerContext,
  axes: readonly (readonly number[])[],
  fill?: (target: BufferId, format: QuantFormat | undefined) => void,
): void {
  const layout = context.layoutOf(node, 0);
  const source = moved(node, context, layout);
  const target = source.place(node.output, layout);
  if (axes.some((positions) => positions.some((p) => p < 0))) fill?.(target, source.format);
  const inStrides = memoryStrides(node.source(0)!.fact.shape, layout);
  const outStrides = memoryStrides(node.output.fact.shape, layout);
  const boxes = axes
    .map(runsOf)
    .reduce<readonly (readonly Run[])[]>(
      (lists, runs) => lists.flatMap((list) => runs.map((run) => [...list, run])),
      [[]],
    );
  for (const box of boxes) {
    const sum = (key: 'to' | 'from', strides: readonly number[]) =>
      box.reduce((total, run, axis) => total + run[key] * strides[axis]!, 0);
    emitCopy(
      context.builder,
      node.name,
      {
        dims: box.map((run) => run.count),
        inStrides: box.map((run, axis) => run.step * inStrides[axis]!),
        outStrides,
        inOffset: sum('from', inStrides),
        outOffset: sum('to', outStrides),
      },
      source.buffer,
      target,
    );
  }
}
