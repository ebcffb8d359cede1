// Bucketize and SearchSorted: where values belong in an ascending list.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { elementCount } from '../../tensor/shape.ts';
import { bool, elementType } from '../attribute.ts';
import { defineOp, type RuntimeTraits } from '../define-op.ts';
import { commonType, inputFact, mergeSizes, requireRank } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';

/** The first position in `sorted[from, from + size)` whose element is not below `x`, or (`above`) that is above it. */
function place(sorted: Float64Array, from: number, size: number, x: number, above: boolean): number {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = sorted[from + middle]!;
    if (above ? value <= x : value < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

const searched: readonly ElementType[] = ['f32', 'i32', 'i64'];

const searchRuntime: RuntimeTraits = {
  bytes: 'never',
  epilogue: 'none',
  types: { inputs: [searched], outputs: [['i32', 'i64']] },
};

const haveOneType = (node: Node): boolean => node.source(0)!.fact.type === node.source(1)!.fact.type;

/** Emits the search of one input in the rows of the other one. */
function lowerSearch(
  node: Node,
  context: LowerContext,
  params: Readonly<Record<'rows' | 'size' | 'values' | 'right', number>>,
  inputs: { readonly sorted: number; readonly values: number },
): void {
  context.builder.call('search_sorted', params, {
    name: node.name,
    in: [inputs.sorted, inputs.values].map((i) => context.elements(node, i, 'plain')),
    out: [context.place(node.output, 'plain')],
  });
}

/** The bucket of every element: bucket i ends at boundary i, which belongs to it with `with_right_bound`. */
export const bucketize = defineOp({
  type: 'Bucketize',
  opset: 'opset3',
  attributes: z.object({ output_type: elementType.default('i64'), with_right_bound: bool.default(true) }),
  inputs: [2, 2],
  infer: (a, inputs) => {
    requireRank(inputFact(inputs, 1).shape, 1, 1, 'the boundaries');
    return [{ type: a.output_type, shape: inputFact(inputs, 0).shape }];
  },
  evaluate: (a, [x, boundaries]) => {
    const sorted = toFloat64(boundaries!);
    const out = toFloat64(x!).map((v) => place(sorted, 0, sorted.length, v, !a.with_right_bound));
    return [fromFloat64(out, x!.shape, a.output_type)];
  },
  lower: (a, node, context) => {
    const size = elementCount(node.source(1)!.fact.shape);
    const shape = { rows: 1, size, values: elementCount(node.output.fact.shape) };
    lowerSearch(node, context, { ...shape, right: a.with_right_bound ? 0 : 1 }, { sorted: 1, values: 0 });
  },
  canLower: (_, node) => haveOneType(node),
  runtime: searchRuntime,
});

/**
 * Inputs: ascending rows `[…, K]` (or one row for all) and values `[…, M]`: where each value may be inserted, in front of
 * equal ones, or behind them with `right_mode`.
 */
export const searchSorted = defineOp({
  type: 'SearchSorted',
  opset: 'opset15',
  attributes: z.object({ right_mode: bool.default(false), output_type: elementType.default('i64') }),
  inputs: [2, 2],
  infer: (a, inputs) => {
    const [rows, values] = [inputFact(inputs, 0), inputFact(inputs, 1)];
    commonType(rows, values);
    requireRank(rows.shape, 1, Number.POSITIVE_INFINITY, 'the sorted rows');
    if (rows.shape.length > 1) {
      requireRank(values.shape, rows.shape.length, rows.shape.length, 'the values');
      for (const [i, d] of rows.shape.slice(0, -1).entries()) mergeSizes(d, values.shape[i]!, `axis ${i}`);
    }
    return [{ type: a.output_type, shape: values.shape }];
  },
  evaluate: (a, [rows, values]) => {
    const size = rows!.shape.at(-1)!;
    const sorted = toFloat64(rows!);
    const perRow = rows!.shape.length === 1 ? Number.POSITIVE_INFINITY : values!.shape.at(-1)!;
    if (rows!.shape.length > 1 && elementCount(rows!.shape.slice(0, -1)) !== elementCount(values!.shape.slice(0, -1)))
      throw new LowpError('ERR_SHAPE_MISMATCH', 'rows and values have different leading axes');
    const out = toFloat64(values!).map((v, i) => place(sorted, Math.floor(i / perRow) * size, size, v, a.right_mode));
    return [fromFloat64(out, values!.shape, a.output_type)];
  },
  lower: (a, node, context) => {
    const sorted = node.source(0)!.fact.shape;
    const rows = elementCount(sorted.slice(0, -1));
    const shape = { rows, size: sorted.at(-1)!, values: elementCount(node.output.fact.shape) / rows };
    lowerSearch(node, context, { ...shape, right: a.right_mode ? 1 : 0 }, { sorted: 0, values: 1 });
  },
  canLower: (_, node) => haveOneType(node),
  runtime: searchRuntime,
});
