// MaxPool, both revisions: the largest element under a window.
import type { Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { elementCount, isStatic, normalizeAxis } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { elementType, int, intList } from '../attribute.ts';
import { defineOp, type RuntimeTraits } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, inputFact } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import type { Window } from '../window.ts';
import { canLowerMaximum, lowerMaxPositions, lowerPool } from './lower.ts';
import { type PoolAttributes, poolAttributes, poolAxes, poolWindow } from './pool-attributes.ts';

const indexedAttributes = poolAttributes.extend({
  dilations: intList.default([]),
  index_element_type: elementType.default('i64'),
  axis: int.default(0),
});

type Dilated = PoolAttributes & { dilations?: readonly number[] };

function inferValues(a: Dilated, inputs: Facts) {
  const x = inputFact(inputs, 0);
  return { type: x.type, shape: [...x.shape.slice(0, 2), ...poolWindow(a, x.shape).output] };
}

/** Maxima and their flat positions in the whole tensor; an empty window gives −∞ at position 0, NaN wins. */
function pool(a: Dilated, x: Tensor): { values: Float64Array; positions: Float64Array; shape: number[] } {
  const { shape } = inferValues(a, [x]);
  const { input, output, inside } = poolAxes(poolWindow(a, x.shape));
  const data = toFloat64(x);
  const count = elementCount(shape);
  const values = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  const positions = new Float64Array(count);
  const planes = x.shape[0]! * x.shape[1]!;
  let out = 0;
  for (let plane = 0; plane < planes; plane++) {
    const from = plane * input[0] * input[1] * input[2];
    for (let od = 0; od < output[0]; od++) {
      for (let oh = 0; oh < output[1]; oh++) {
        for (let ow = 0; ow < output[2]; ow++, out++) {
          const columns = inside[2][ow]!;
          let [best, place] = [Number.NEGATIVE_INFINITY, -1];
          for (const d of inside[0][od]!) {
            for (const h of inside[1][oh]!) {
              const line = from + (d * input[1] + h) * input[2];
              for (let i = 0; i < columns.length; i++) {
                const value = data[line + columns[i]!]!;
                if (place >= 0 && !(value > best) && !(Number.isNaN(value) && !Number.isNaN(best))) continue;
                best = value;
                place = line + columns[i]!;
              }
            }
          }
          values[out] = best;
          positions[out] = Math.max(place, 0);
        }
      }
    }
  }
  return { values, positions, shape };
}

function lowerMaximum(a: Dilated, node: Node, context: LowerContext): void {
  lowerPool(node, context, poolWindow(a, node.source(0)!.fact.shape), 'max');
}

function indices(positions: Float64Array, x: Tensor, axis: number, shape: number[], type: ElementType): Tensor {
  const span = elementCount(x.shape.slice(normalizeAxis(axis, x.shape.length)));
  return fromFloat64(
    positions.map((p) => p % span),
    shape,
    type,
  );
}

const runtime: RuntimeTraits = { bytes: 'move', epilogue: 'none', perChannel: true };

/** `y[n, c, p] = max_k x[n, c, p · stride − pad + k]` over the positions inside of x. */
export const maxPool1 = defineOp({
  type: 'MaxPool',
  opset: 'opset1',
  attributes: poolAttributes,
  inputs: [1, 1],
  infer: (a, inputs) => [inferValues(a, inputs)],
  evaluate: (a, [x]) => {
    const { values, shape } = pool(a, x!);
    return [fromFloat64(values, shape, x!.type)];
  },
  lower: lowerMaximum,
  canLower: (a, node) => canLowerMaximum(node, poolWindow(a, node.source(0)!.fact.shape)),
  runtime,
  quantization: { ascend: 'first' },
});

/** One element under each window, and every element under one. */
function isIdentity({ kernel, strides, padsBegin, padsEnd }: Window): boolean {
  return [...kernel, ...strides].every((d) => d === 1) && [...padsBegin, ...padsEnd].every((p) => p === 0);
}

/** Where every element is does not depend on its value. */
function expandIdentity(axis: number, node: Node, expansion: Expansion): readonly OutputPort[] {
  const [x, type] = [node.source(0)!, node.outputs[1]!.fact.type];
  const { shape } = x.fact;
  const span = elementCount(shape.slice(axis));
  const positions = Float64Array.from({ length: elementCount(shape) }, (_, i) => i % span);
  const value = fromFloat64(positions, shape, type);
  return [expansion.reshape(x, shape, 'values'), expansion.tensor(value, 'positions')];
}

/**
 * MaxPool with dilations and a second output: the position of each maximum, counted in the tensor flattened from `axis`
 * on; of equal elements the first one.
 */
export const maxPool8 = defineOp({
  type: 'MaxPool',
  opset: 'opset8',
  attributes: indexedAttributes,
  inputs: [1, 1],
  infer: (a, inputs) => {
    const values = inferValues(a, inputs);
    return [values, { type: a.index_element_type, shape: values.shape }];
  },
  evaluate: (a, [x]) => {
    const { values, positions, shape } = pool(a, x!);
    return [fromFloat64(values, shape, x!.type), indices(positions, x!, a.axis, shape, a.index_element_type)];
  },
  lower: (a, node, context) => {
    const { shape } = node.source(0)!.fact;
    if (!context.isRead(node.outputs[1]!)) lowerMaximum(a, node, context);
    else lowerMaxPositions(node, context, poolWindow(a, shape), normalizeAxis(a.axis, shape.length));
  },
  canLower: (a, node) => canLowerMaximum(node, poolWindow(a, node.source(0)!.fact.shape)),
  expand: (a, node, expansion) => {
    const { shape } = node.source(0)!.fact;
    const isKnown = node.outputs[1]!.consumers.size > 0 && isStatic(shape) && isIdentity(poolWindow(a, shape));
    return isKnown ? expandIdentity(normalizeAxis(a.axis, shape.length), node, expansion) : undefined;
  },
  runtime: { ...runtime, types: { inputs: [['f32']], outputs: [['f32'], ['i32', 'i64']] } },
  quantization: { ascend: 'first' },
});
