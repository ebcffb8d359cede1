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

/** The inputs whose values a node passes on unchanged: none of an operation that computes. */
export function movedInputs(node: Node): readonly number[] {
  const { bytes, byteInputs } = runtimeOf(node) ?? {};
  if (bytes !== 'move') return [];
  const joins = findOp(node.type, node.notes.opset)?.quantization?.ascend === 'all';
  const inputs = byteInputs ?? (joins ? node.inputs.keys() : [0]);
  return [...inputs].filter((i) => node.source(i));
}

/** True when a node that moves values of a grid gives values of that grid only. */
export function keepsGrid(node: Node, grid: Grid): boolean {
  const bytes = {
    scale: Float32Array.of(grid.scale),
    zero: Float32Array.of(grid.zeroPoint),
    zeroPoint: Uint8Array.of(grid.zeroPoint),
    low: 0,
    high: 255,
  };
  return runtimeOf(node)?.refuses?.(node, bytes) === undefined;
}

/**
 * The grid on which all outputs of a node lie because the node moves, selects or pads values that lie on it. Rounding
 * them to the grid again changes nothing.
 *
 * @param gridOf  the grid of an input, undefined when it lies on none
 */
export function movedGrid(node: Node, gridOf: (port: OutputPort) => Grid | undefined): Grid | undefined {
  const moved = movedInputs(node);
  const [grid, ...others] = moved.map((i) => gridOf(node.source(i)!));
  if (!grid || !others.every((other) => other && sameGrid(grid, other))) return undefined;
  const isComputed = ({ source }: { source?: OutputPort | undefined }, i: number) =>
    !moved.includes(i) && source && !source.fact.value;
  if (runtimeOf(node)?.refuses && node.inputs.some(isComputed)) return undefined;
  return keepsGrid(node, grid) ? grid : undefined;
}
