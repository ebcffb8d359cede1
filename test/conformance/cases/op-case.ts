/** One call of one operation with its expected outputs: the same cases run through every engine. */
import { addConstant } from '../../../lib/graph/edit.ts';
import { Model } from '../../../lib/graph/model.ts';
import { createNode } from '../../../lib/ops/index.ts';
import type { ElementType } from '../../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';

export interface OpCase {
  readonly name: string;
  readonly op: string;
  /** Revision; the latest by default. */
  readonly opset?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: readonly Tensor[];
  /** Inputs that are constants of the model, by index; the others are fed. */
  readonly constants?: readonly number[];
  readonly expected: readonly Tensor[];
  /** Sizes of the outputs depend on values: inference leaves the first one open. */
  readonly dynamic?: true;
  /** Largest absolute difference; 0 where results are exact. */
  readonly tolerance: number;
}

/** The number of a patterned tensor at position `i`: a multiple of 1/64 in [-2, 2]. */
export function patternAt(i: number, seed: number): number {
  return (((i * 7919 + seed * 104729) % 257) - 128) / 64;
}

/** A tensor of numbers without visible order, the same everywhere. */
export function pattern(shape: Shape, seed: number): Tensor {
  const values = Float32Array.from({ length: elementCount(shape) }, (_, i) => patternAt(i, seed));
  return tensor('f32', shape, values);
}

export function f32(shape: Shape, values: readonly number[]): Tensor {
  return tensor('f32', shape, values);
}

/** A vector of whole numbers, as shapes and axes are. */
export function i64(...values: readonly number[]): Tensor {
  return tensor('i64', [values.length], values);
}

export function typed(type: ElementType, shape: Shape, values: readonly number[]): Tensor {
  return tensor(type, shape, values);
}

/** A model of one node: inputs `input0`, `input1`, … where they are not constant, and all outputs as results. */
export function modelOfCase(c: OpCase): { model: Model; feeds: Record<string, Tensor> } {
  const model = new Model(c.name);
  const feeds: Record<string, Tensor> = {};
  const inputs = c.inputs.map((value, i) => {
    if (c.constants?.includes(i)) return addConstant(model, `constant${i}`, value).output;
    feeds[`input${i}`] = value;
    const attributes = { element_type: value.type, shape: value.shape };
    return createNode(model, { type: 'Parameter', name: `input${i}`, attributes, inputs: [] }).output;
  });
  const node = createNode(model, {
    type: c.op,
    name: 'node',
    attributes: c.attributes,
    inputs,
    ...(c.opset ? { notes: { opset: c.opset } } : {}),
  });
  for (const [i, port] of node.outputs.entries()) {
    port.names = [`output${i}`];
    createNode(model, { type: 'Result', name: `result${i}`, inputs: [port] });
  }
  return { model, feeds };
}
