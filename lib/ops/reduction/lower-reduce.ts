// Reductions over any axes as native kernel calls: one for each run of reduced axes that are neighbours in memory.
import type { Node } from '../../graph/node.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { Layout, LowerContext } from '../lower-context.ts';
import { memoryStrides } from '../memory-layout.ts';

/** Functions of the `reduce` kernel, by their number there. */
const functions = { sum: 0, max: 1, min: 2, prod: 3, sumAbs: 4, sumSquares: 5 } as const;

/** What the kernel does with the result for all axes. */
const finishes = { none: 0, divideByCount: 1, root: 2 } as const;

/** A reduction that the `reduce` kernel computes. */
export interface KernelReduction {
  readonly function: keyof typeof functions;
  readonly finish?: keyof typeof finishes;
}

/** Neighbours in memory that are all reduced, or all kept. */
interface Run {
  readonly size: number;
  readonly reduced: boolean;
}

/** Axes from the outermost to the innermost in memory, without those of one element. */
function memoryOrder(shape: Shape, layout: Layout): number[] {
  const strides = memoryStrides(shape, layout);
  return shape
    .map((_, axis) => axis)
    .filter((axis) => shape[axis] !== 1)
    .sort((a, b) => strides[b]! - strides[a]!);
}

function runsOf(shape: Shape, order: readonly number[], axes: ReadonlySet<number>): Run[] {
  const runs: Run[] = [];
  for (const axis of order) {
    const reduced = axes.has(axis);
    const last = runs.at(-1);
    if (last?.reduced === reduced) runs[runs.length - 1] = { size: last.size * shape[axis]!, reduced };
    else runs.push({ size: shape[axis]!, reduced });
  }
  return runs;
}

const product = (runs: readonly Run[]): number => runs.reduce((n, run) => n * run.size, 1);

/** The layout to read, and that of the result, which keeps it or has its remaining axes in the model's order. */
function layoutsOf(node: Node, context: LowerContext, axes: ReadonlySet<number>, keepsRank: boolean) {
  const { shape } = node.source(0)!.fact;
  const layout = context.layoutOf(node, 0);
  if (keepsRank) return { from: layout, to: layout };
  const kept = memoryOrder(shape, layout).filter((axis) => !axes.has(axis));
  const isInOrder = kept.every((axis, i) => i === 0 || kept[i - 1]! < axis);
  return { from: isInOrder ? layout : ('plain' as const), to: 'plain' as const };
}

/** Emits the reduction of `axes`: the longest run first, so that what the other runs read is small. */
export function lowerReduce(
  node: Node,
  context: LowerContext,
  axes: ReadonlySet<number>,
  { function: name, finish = 'none' }: KernelReduction,
): void {
  const { shape } = node.source(0)!.fact;
  const layouts = layoutsOf(node, context, axes, node.output.fact.shape.length === shape.length);
  const count = [...axes].reduce((n, axis) => n * shape[axis]!, 1);
  let runs = runsOf(shape, memoryOrder(shape, layouts.from), axes);
  if (!runs.some((run) => run.reduced)) runs = [{ size: 1, reduced: true }, ...runs];
  let buffer = context.float(node, 0, layouts.from);
  for (let first = true; runs.some((run) => run.reduced); first = false) {
    const longest = Math.max(...runs.filter((run) => run.reduced).map((run) => run.size));
    const at = runs.findIndex((run) => run.reduced && run.size === longest);
    const [before, after] = [runs.slice(0, at), runs.slice(at + 1)];
    const isLast = ![...before, ...after].some((run) => run.reduced);
    const target = isLast
      ? context.placeFloat(node.output, layouts.to).buffer
      : context.builder.temporary('f32', product(before) * product(after));
    const joins = name === 'sumAbs' || name === 'sumSquares' ? 'sum' : name;
    context.builder.call(
      'reduce',
      {
        op: functions[first ? name : joins],
        outer: product(before),
        axis: longest,
        inner: product(after),
        finish: isLast ? finishes[finish] : finishes.none,
        divisor: count,
      },
      { name: node.name, in: [buffer], out: [target] },
    );
    buffer = target;
    runs = [...before, ...after];
  }
}
