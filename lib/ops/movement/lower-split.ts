// Operations that regroup elements along split axes, as one strided copy in the layout of the input.
import type { Node } from '../../graph/node.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { LowerContext } from '../lower-context.ts';
import { memoryStrides } from '../memory-layout.ts';
import { emitCopy, kernelAxes } from './emit-copy.ts';
import { moved } from './lower.ts';

/** One loop of the copy: elements, and their distances in the input and in the output. */
export interface SplitAxis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** The copy kernel has enough loops. */
export function fitsCopy(loops: number): boolean {
  return loops <= kernelAxes;
}

/**
 * Emits the copy whose loops `split` makes of the strides of the input and of the output.
 *
 * @param shape  the input's shape, or one of the same memory with the rank of the output
 */
export function lowerSplitCopy(
  node: Node,
  context: LowerContext,
  split: (from: readonly number[], to: readonly number[]) => readonly SplitAxis[],
  shape: Shape = node.source(0)!.fact.shape,
): void {
  const isSameRank = shape.length === node.source(0)!.fact.shape.length;
  const layout = isSameRank ? context.layoutOf(node, 0) : 'plain';
  const source = moved(node, context, layout);
  const loops = split(memoryStrides(shape, layout), memoryStrides(node.output.fact.shape, layout));
  const box = {
    dims: loops.map((loop) => loop.size),
    inStrides: loops.map((loop) => loop.from),
    outStrides: loops.map((loop) => loop.to),
    inOffset: 0,
    outOffset: 0,
  };
  emitCopy(context.builder, node.name, box, source.buffer, source.place(node.output, layout));
}
