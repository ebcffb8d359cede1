/** Which values of a model lie on the grid of a FakeQuantize: its own, and those that operations only moved. */
import type { Node, OutputPort } from '../../graph/node.ts';
import { findOp, runtimeOf } from '../registry.ts';

/** A grid of 256 steps for a whole tensor: `real = scale · (q - zeroPoint)`, `0 <= q <= 255`. */
export interface Grid {
  /** A number of f32. */
  readonly scale: number;
  readonly zeroPoint: number;
}

export function sameGrid(a: Grid, b: Grid): boolean {
  return a.scale === b.scale && a.zeroPoint === b.zeroPoint;
}

/**
 * The grid on which all outputs of a node lie because the node moves, selects or pads values that lie on it. Rounding
 * them to the grid again changes nothing.
 *
 * @param gridOf  the grid of an input, undefined when it lies on none
 */
export function movedGrid(node: Node, gridOf: (port: OutputPort) => Grid | undefined): Grid | undefined {
  const definition = findOp(node.type, node.notes.opset);
  const runtime = runtimeOf(node);
  if (runtime?.bytes !== 'move') return undefined;
  const moved = definition?.quantization?.ascend === 'all' ? node.inputs.length : 1;
  const first = node.source(0);
  const grid = first && gridOf(first);
  if (!grid) return undefined;
  for (let i = 1; i < node.inputs.length; i++) {
    const source = node.source(i);
    const other = i < moved && source ? gridOf(source) : undefined;
    if (i < moved ? !other || !sameGrid(grid, other) : runtime.refuses && source && !source.fact.value)
      return undefined;
  }
  const bytes = {
    scale: Float32Array.of(grid.scale),
    zero: Float32Array.of(grid.zeroPoint),
    zeroPoint: Uint8Array.of(grid.zeroPoint),
    low: 0,
    high: 255,
  };
  return runtime.refuses?.(node, bytes) === undefined ? grid : undefined;
}
