// Unique: the different elements of a tensor, or its different slices along an axis.
import * as z from 'zod';
import { fromFloat64, toFloat64, toIntegers } from '../../tensor/convert.ts';
import { elementCount, isStatic, normalizeAxis } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, elementType } from '../attribute.ts';
import { viewAround } from '../axes.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact, knownIntegers } from '../fact.ts';
import { takeByAxes, withShape } from './take.ts';

const attributes = z.object({
  sorted: bool.default(true),
  index_element_type: elementType.default('i64'),
  count_element_type: elementType.default('i64'),
});

type Attributes = z.infer<typeof attributes>;

/** Different slices: the first place of each, the class of each place, and the size of each class. */
interface Classes {
  readonly first: number[];
  readonly classOf: number[];
  readonly counts: number[];
}

/** Lists differ at the first pair of unequal numbers. */
function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((v, i) => v !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

function classify(slices: readonly (readonly number[])[], sorted: boolean): Classes {
  const byKey = new Map<string, number[]>();
  for (const [i, slice] of slices.entries()) {
    const key = slice.join(',');
    const places = byKey.get(key);
    if (places) places.push(i);
    else byKey.set(key, [i]);
  }
  const groups = [...byKey.values()];
  if (sorted) groups.sort((p, q) => compare(slices[p[0]!]!, slices[q[0]!]!));
  const classOf = new Array<number>(slices.length);
  for (const [n, places] of groups.entries()) for (const p of places) classOf[p] = n;
  return { first: groups.map((p) => p[0]!), classOf, counts: groups.map((p) => p.length) };
}

function evaluate(a: Attributes, x: Tensor, axisInput: Tensor | undefined): Tensor[] {
  const data = axisInput ? x : withShape(x, [elementCount(x.shape)]);
  const axis = normalizeAxis(axisInput ? toIntegers(axisInput)[0]! : 0, data.shape.length);
  const { outer, size, inner } = viewAround(data.shape, axis);
  const values = toFloat64(data);
  const slices = Array.from({ length: size }, (_, p) =>
    Array.from({ length: outer * inner }, (_, i) => values[(Math.floor(i / inner) * size + p) * inner + (i % inner)]!),
  );
  const { first, classOf, counts } = classify(slices, a.sorted);
  const positions = data.shape.map((d, i) => (i === axis ? first : Array.from({ length: d }, (_, p) => p)));
  const indices = (list: readonly number[], type: Attributes['index_element_type']): Tensor =>
    fromFloat64(Float64Array.from(list), [list.length], type);
  return [
    takeByAxes(data, positions),
    indices(first, a.index_element_type),
    indices(classOf, a.index_element_type),
    indices(counts, a.count_element_type),
  ];
}

function infer(a: Attributes, inputs: Facts) {
  const x = inputFact(inputs, 0);
  if (x.value && (!inputs[1] || inputs[1].value)) {
    return evaluate(a, x.value, inputs[1]?.value).map(({ type, shape }) => ({ type, shape }));
  }
  const known = knownIntegers(inputs[1])?.[0];
  const axis = known === undefined ? undefined : normalizeAxis(known, x.shape.length);
  const whole = inputs[1] || !isStatic(x.shape) ? -1 : elementCount(x.shape);
  const along = axis === undefined ? whole : x.shape[axis]!;
  const kept = axis === undefined ? x.shape.map(() => -1) : x.shape.with(axis, -1);
  return [
    { type: x.type, shape: inputs[1] ? kept : [-1] },
    { type: a.index_element_type, shape: [-1] },
    { type: a.index_element_type, shape: [along] },
    { type: a.count_element_type, shape: [-1] },
  ];
}

/**
 * Inputs: data, optional axis (without it the data are one list). Outputs: the different slices, in ascending order or in
 * order of appearance; where each appears first; which of them each place holds; how often each appears.
 */
export const unique = defineOp({
  type: 'Unique',
  opset: 'opset10',
  attributes,
  inputs: [1, 2],
  infer,
  evaluate: (a, [x, axis]) => evaluate(a, x!, axis),
});
