// MatrixNms and MulticlassNms as a native kernel call that fills as many rows as there may be.
import type * as z from 'zod';
import type { Fact, Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, isStatic } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, factsOfNode } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { indexTypes } from '../movement/emit-picks.ts';
import { ownSet } from '../registry.ts';
import { boxSizes } from './non-max-suppression.ts';
import type { selectionAttributes } from './selection.ts';

type SelectionAttributes = z.infer<typeof selectionAttributes>;

/** One of the two operations, for the kernel `multiclass_nms`. */
export interface Selection<A extends SelectionAttributes> {
  readonly type: string;
  readonly attributes: z.ZodType<A>;
  infer(a: A, inputs: Facts): Fact[];
  evaluate(a: A, inputs: readonly Tensor[]): Tensor[];
  /** The kernel's parameters that differ. */
  params(a: A): { decay: number; threshold: number; eta: number; sigma: number };
  /** Boxes of an image are listed by class where the attributes ask for it; else by score. */
  readonly sortsByClass: boolean;
}

/** Rows when nothing is dropped; −1 when not known. */
function mostRows(a: SelectionAttributes, inputs: Facts): number {
  const { images, classes, boxes } = boxSizes(inputs);
  if (images < 0 || classes < 0 || boxes < 0) return -1;
  const isClass = a.background_class >= 0 && a.background_class < classes;
  const each = (classes - (isClass ? 1 : 0)) * (a.nms_top_k < 0 ? boxes : Math.min(boxes, a.nms_top_k));
  return images * (a.keep_top_k < 0 ? each : Math.min(each, a.keep_top_k));
}

/** Bytes that the kernel may take for boxes that stay; it needs 16 for each. */
const mostSelectedBytes = 2 ** 26;

function canLower(a: SelectionAttributes, node: Node): boolean {
  const facts = factsOfNode(node);
  if (!facts.every((f) => isStatic(f!.shape) && elementCount(f!.shape) > 0)) return false;
  const { images, classes, boxes } = boxSizes(facts);
  const limit = a.nms_top_k < 0 ? boxes : Math.min(boxes, a.nms_top_k);
  return mostRows(a, facts) > 0 && images * classes * limit * 16 <= mostSelectedBytes;
}

function orderOf(a: SelectionAttributes, sortsByClass: boolean): number {
  const across = a.sort_result_across_batch;
  if (a.sort_result_type === 'classid') return across ? 3 : sortsByClass ? 1 : 0;
  return across && a.sort_result_type === 'score' ? 2 : 0;
}

function lower<A extends SelectionAttributes>(s: Selection<A>, a: A, node: Node, context: LowerContext): void {
  const { images, classes, boxes } = boxSizes(factsOfNode(node));
  context.builder.call(
    'multiclass_nms',
    {
      ...{ images, classes, boxes, background: a.background_class, topK: a.nms_top_k, keepTopK: a.keep_top_k },
      ...{ order: orderOf(a, s.sortsByClass), extent: a.normalized ? 0 : 1, scoreThreshold: a.score_threshold },
      ...s.params(a),
    },
    {
      name: node.name,
      in: [context.float(node, 0, 'plain'), context.float(node, 1, 'plain')],
      out: node.outputs.map((port) => context.place(port, 'plain')),
    },
  );
}

/** The operation in as many rows as there may be: left over are rows of 0. The last output counts the others. */
export function defineSelectionRows<A extends SelectionAttributes>(s: Selection<A>) {
  const infer = (a: A, inputs: Facts): Fact[] => {
    const [rows, indices, numbers] = s.infer(a, inputs) as [Fact, Fact, Fact];
    const most = mostRows(a, inputs);
    return [{ ...rows, shape: [most, 6] }, { ...indices, shape: [most, 1] }, numbers, { ...numbers, shape: [1] }];
  };
  return defineOp<A>({
    ...{ type: `${s.type}Rows`, opset: ownSet, attributes: s.attributes, inputs: [2, 2], infer },
    evaluate: (a, inputs) => {
      const facts = infer(a, factsOf(inputs));
      const [rows, indices, numbers] = s.evaluate(a, inputs) as [Tensor, Tensor, Tensor];
      const filled = [rows, indices].map((found, i) => {
        const values = new Float64Array(elementCount(facts[i]!.shape));
        values.set(toFloat64(found));
        return fromFloat64(values, facts[i]!.shape, found.type);
      });
      return [...filled, numbers, fromFloat64(Float64Array.of(rows.shape[0]!), [1], numbers.type)];
    },
    lower: (a, node, context) => lower(s, a, node, context),
    canLower,
    runtime: {
      ...{ bytes: 'never', epilogue: 'none' },
      types: { inputs: [['f32']], outputs: [['f32'], indexTypes] },
    },
  });
}

/** All rows from the kernel, and those that it found from the host: their number is known only when it has run. */
export function expandSelection(
  type: string,
  a: SelectionAttributes,
  node: Node,
  e: Expansion,
): readonly OutputPort[] | undefined {
  const inputs = node.inputs.flatMap((input) => input.source ?? []);
  if (inputs.length !== 2 || inputs.some((port) => port.fact.type !== 'f32') || !canLower(a, node)) return undefined;
  const [rows, indices, numbers, total] = e.all(`${type}Rows`, inputs, a, 'rows');
  const first = (port: OutputPort, name: string) => e.add('FirstRows', [port, total], {}, name);
  return [first(rows!, 'found'), first(indices!, 'indices'), numbers!];
}
