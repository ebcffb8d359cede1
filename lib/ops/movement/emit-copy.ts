// One call of the `copy` kernel: a box of elements from one arrangement to another.
import { invariant } from '../../errors/assert.ts';
import type { ProgramBuilder } from '../../program/builder.ts';
import type { Shape } from '../../tensor/shape.ts';
import { mergeAxes } from '../memory-layout.ts';

/** Axes that the copy kernel iterates over. */
export const kernelAxes = 6;

/** A box of elements and where they are, in elements: `source[inOffset + Σ i·inStrides]` goes to `target[…]`. */
export interface CopyBox {
  readonly dims: Shape;
  readonly inStrides: readonly number[];
  readonly outStrides: readonly number[];
  readonly inOffset: number;
  readonly outOffset: number;
}

/** Emits a strided copy. */
export function emitCopy(builder: ProgramBuilder, name: string, box: CopyBox, from: number, to: number): void {
  const merged = mergeAxes(box.dims, [box.outStrides, box.inStrides]);
  const axes = merged.dims.length === 0 ? { dims: [1], strides: [[1], [1]] } : merged;
  invariant(axes.dims.length <= kernelAxes, `${name}: ${axes.dims.length} axes to copy`);
  const params: Record<string, number> = { rank: axes.dims.length, inOffset: box.inOffset, outOffset: box.outOffset };
  for (const [i, d] of axes.dims.entries()) {
    params[`d${i}`] = d;
    params[`outStride${i}`] = axes.strides[0]![i]!;
    params[`inStride${i}`] = axes.strides[1]![i]!;
  }
  builder.call('copy', params, { name, in: [from], out: [to] });
}
