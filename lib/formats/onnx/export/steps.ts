/** Steps of ONNX that exporters of composed operations share: parts, comparisons with numbers, orders. */
import type { ElementType } from '../../../tensor/element-type.ts';
import { tensor } from '../../../tensor/tensor.ts';
import { onnxTypeOf } from '../data-types.ts';
import type { ExportNode } from './export-node.ts';

/** Elements `from` to `to` of one axis. */
export function part(e: ExportNode, x: string, axis: number, from: number, to: number, suffix: string): string {
  const list = (name: string, value: number) => e.int64s([value], `${suffix}/${name}`);
  return e.step('Slice', [x, list('from', from), list('to', to), list('axis', axis)], suffix);
}

export function reshaped(e: ExportNode, x: string, shape: readonly number[], suffix: string): string {
  return e.step('Reshape', [x, e.int64s(shape, `${suffix}/shape`)], suffix);
}

export function expanded(e: ExportNode, x: string, shape: readonly number[], suffix: string): string {
  return e.step('Expand', [x, e.int64s(shape, `${suffix}/shape`)], suffix);
}

/** Axes of size 1 in front of the axes of these numbers. */
export function unsqueezed(e: ExportNode, x: string, axes: readonly number[], suffix: string): string {
  return e.step('Unsqueeze', [x, e.int64s(axes, `${suffix}/axes`)], suffix);
}

export function concatenated(e: ExportNode, parts: readonly string[], axis: number, suffix: string): string {
  return e.step('Concat', parts, suffix, { axis: BigInt(axis) });
}

export function castTo(e: ExportNode, x: string, type: ElementType, suffix: string): string {
  return e.step('Cast', [x], suffix, { to: BigInt(onnxTypeOf(type)) });
}

/** An input in single precision: several operators of ONNX Runtime take no other type. */
export function single(e: ExportNode, index: number, suffix: string): string {
  return e.cast(e.input(index), e.type(index), 'f32', suffix);
}

/** Values in order, and where they were: of equal ones the first stays first. */
export interface Ranked {
  readonly values: string;
  readonly positions: string;
}

/** The `k` largest or smallest along an axis, in order; `k` is a number or the name of an i64 value of shape [1]. */
export function ranked(
  e: ExportNode,
  x: string,
  k: number | string,
  axis: number,
  suffix: string,
  order: 'falling' | 'rising' = 'falling',
): Ranked {
  const [values, positions] = ['values', 'positions'].map((n) => e.writer.unique(`${e.node.name}/${suffix}/${n}`));
  const count = typeof k === 'string' ? k : e.int64s([k], `${suffix}/k`);
  const attributes = { axis: BigInt(axis), largest: order === 'falling' ? 1n : 0n };
  e.writer.node('TopK', [x, count], [values!, positions!], attributes, `${e.node.name}/${suffix}`);
  return { values: values!, positions: positions! };
}

/** Positions that put the elements of `first` (booleans, `length` along the axis) before the others, each in their order. */
export function firstThose(e: ExportNode, first: string, length: number, axis: number, suffix: string): string {
  const key = castTo(e, e.step('Not', [first], `${suffix}/others`), 'f32', `${suffix}/key`);
  return ranked(e, key, length, axis, suffix, 'rising').positions;
}

/** 0, 1, 2, … as i64. */
export function counting(e: ExportNode, count: number, shape: readonly number[], suffix: string): string {
  return e.constant(
    tensor(
      'i64',
      shape,
      Array.from({ length: count }, (_, i) => i),
    ),
    suffix,
  );
}
