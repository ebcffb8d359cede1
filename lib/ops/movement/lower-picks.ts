// Gather and scatter operations as native kernel calls.
import type { Node } from '../../graph/node.ts';
import { programTypes } from '../../program/program.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { elementCount, type Shape, stridesOf } from '../../tensor/shape.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { Layout, LowerContext } from '../lower-context.ts';
import { indexTypes, type Picks, pickParams } from './emit-picks.ts';
import { moved } from './lower.ts';

/** Elements of any type, or bytes with one scale, by whole numbers. */
export const gatherRuntime: RuntimeTraits = {
  bytes: 'move',
  epilogue: 'none',
  types: { inputs: [programTypes, indexTypes], outputs: [programTypes] },
};

/** As {@link gatherRuntime}; the data and the updates pass their bytes on. */
export const scatterRuntime: RuntimeTraits = {
  bytes: 'move',
  byteInputs: [0, 2],
  epilogue: 'none',
  types: { inputs: [programTypes, indexTypes, programTypes], outputs: [programTypes] },
};

/** Types that the reducing kernel computes with. */
export const reducedTypes: readonly ElementType[] = ['f32', 'i32', 'i64'];

/** Scatters that reduce compute with what is there. */
export const reduceRuntime: RuntimeTraits = {
  bytes: 'never',
  epilogue: 'none',
  types: { inputs: [reducedTypes, indexTypes, reducedTypes], outputs: [reducedTypes] },
};

/** Slices `indices` of one axis: the axes of `indices` take its place, those in front of `batch` are common to both. */
export function slicePicks(x: Shape, axis: number, indices: Shape, batch = 0): Picks {
  const inner = elementCount(x.slice(axis + 1));
  const outer = elementCount(x.slice(batch, axis));
  const each = elementCount(indices.slice(batch));
  const size = x[axis]!;
  return {
    axes: [
      { count: elementCount(x.slice(0, batch)), index: each, base: outer * size * inner },
      { count: outer, index: 0, base: size * inner },
      { count: each, index: 1, base: 0 },
    ],
    named: [{ size, step: inner }],
    block: inner,
  };
}

/** One element for each index: at its own place, but at the index on `axis`. */
export function elementPicks(x: Shape, axis: number, indices: Shape): Picks {
  const strides = stridesOf(x);
  const own = stridesOf(indices);
  return {
    axes: indices.map((count, i) => ({ count, index: own[i]!, base: i === axis ? 0 : strides[i]! })),
    named: [{ size: x[axis]!, step: strides[axis]! }],
    block: 1,
  };
}

/** Slices that the last axis of the indices names on the axes behind the `batch` common ones. */
export function namedPicks(x: Shape, indices: Shape, batch = 0): Picks {
  const depth = indices.at(-1)!;
  const steps = stridesOf(x);
  const places = elementCount(indices.slice(batch, -1));
  return {
    axes: [
      {
        count: elementCount(indices.slice(0, batch)),
        index: places * depth,
        base: elementCount(x.slice(batch)),
      },
      { count: places, index: depth, base: 0 },
    ],
    named: Array.from({ length: depth }, (_, d) => ({ size: x[batch + d]!, step: steps[batch + d]! })),
    block: elementCount(x.slice(batch + depth)),
  };
}

/** Emits a gather of input 0 by input 1 in a layout; an index outside of its axis gives zero, or ends the run. */
export function lowerGather(
  node: Node,
  context: LowerContext,
  picks: Picks,
  options: { readonly layout?: Layout; readonly zeroOutside?: boolean } = {},
): void {
  const layout = options.layout ?? 'plain';
  const source = moved(node, context, layout);
  context.builder.call(
    'gather',
    { ...pickParams(picks), outside: options.zeroOutside ? 1 : 0 },
    {
      name: node.name,
      in: [source.buffer, context.elements(node, 1, 'plain')],
      out: [source.place(node.output, layout)],
    },
  );
}

/** Emits a copy of input 0 in which what input 1 names is replaced by input 2. */
export function lowerScatter(node: Node, context: LowerContext, picks: Picks): void {
  const source = moved(node, context, 'plain');
  const updates = context.quantized(node, 2, 'plain')?.buffer ?? context.elements(node, 2, 'plain');
  context.builder.call('scatter', pickParams(picks), {
    name: node.name,
    in: [source.buffer, context.elements(node, 1, 'plain'), updates],
    out: [source.place(node.output, 'plain')],
  });
}

const kernelReductions = ['sum', 'sub', 'prod', 'min', 'max', 'mean'] as const;

/** How an update meets what is there. */
export type KernelReduction = (typeof kernelReductions)[number];

/** Emits a copy of input 0 whose elements are reduced with those of input 2 that name them. */
export function lowerScatterReduce(
  node: Node,
  context: LowerContext,
  picks: Picks,
  { by, keepsOld }: { readonly by: KernelReduction; readonly keepsOld: boolean },
): void {
  const reduction = { reduction: kernelReductions.indexOf(by), keep: keepsOld ? 1 : 0 };
  context.builder.call(
    'scatter_reduce',
    { ...pickParams(picks), ...reduction },
    {
      name: node.name,
      in: [0, 1, 2].map((i) => context.elements(node, i, 'plain')),
      out: [context.place(node.output, 'plain')],
    },
  );
}
