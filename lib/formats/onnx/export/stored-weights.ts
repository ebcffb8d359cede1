/** Weights that the model stores as integers: Constant → Convert → [Subtract] → Multiply as one DequantizeLinear. */
import type { Node } from '../../../graph/node.ts';
import { isQuantizedStorage } from '../../../ops/storage/half-precision.ts';
import { asBytes, fromFloat64, integerRange, toFloat64 } from '../../../tensor/convert.ts';
import { type ElementType, isInteger } from '../../../tensor/element-type.ts';
import { type Shape, sameShape, stridesOf } from '../../../tensor/shape.ts';
import { type Tensor, tensor } from '../../../tensor/tensor.ts';
import type { ExportNode } from './export-node.ts';

/** Zero points this close to an integer are that integer; limits in f32 leave about 1e-5 of noise. */
const zeroPointNoise = 1e-4;

interface StoredWeights {
  readonly values: Tensor;
  readonly scale: Tensor;
  readonly zeroPoint: Tensor | undefined;
}

/** The parts of stored weights when `multiply` is the last operation of such a chain in f32. */
function storedWeights(multiply: Node): StoredWeights | undefined {
  if (multiply.type !== 'Multiply' || multiply.output.fact.type !== 'f32') return undefined;
  for (const side of [0, 1]) {
    const scale = multiply.source(1 - side)?.fact.value;
    const centred = multiply.source(side)?.node;
    const subtract = centred?.type === 'Subtract' ? centred : undefined;
    const convert = subtract ? subtract.source(0)?.node : centred;
    const stored = convert?.type === 'Convert' ? convert.source(0) : undefined;
    const values = stored?.node.type === 'Constant' ? stored.fact.value : undefined;
    const zeroPoint = subtract?.source(1)?.fact.value;
    if (!scale || !values || (subtract && !zeroPoint)) continue;
    if (!isInteger(values.type) || !isQuantizedStorage(values.type)) continue;
    if (sameShape(multiply.output.fact.shape, values.shape)) return { values, scale, zeroPoint };
  }
  return undefined;
}

/** Weights as ONNX stores them: `real = scale · (values - zeroPoint)`, one scale or one for each index of `axis`. */
interface QuantizedWeights {
  readonly values: Tensor;
  readonly scale: Float64Array;
  readonly zeroPoint: Float64Array;
  readonly axis: number | undefined;
}

/** The weights that end in `multiply`, in the shape `target`; undefined when their scales do not belong to one axis. */
function quantizedWeights(multiply: Node, target: Shape): QuantizedWeights | undefined {
  const stored = storedWeights(multiply);
  if (!stored) return undefined;
  const bytes = asBytes(stored.values);
  const { type, shape } = bytes;
  const scales = spread(stored.scale, shape, target);
  const zeros = stored.zeroPoint ? spread(stored.zeroPoint, shape, target) : undefined;
  if (!scales || (stored.zeroPoint && !zeros)) return undefined;
  const axis = scales.axis ?? zeros?.axis;
  if (zeros && scales.axis !== undefined && zeros.axis !== undefined && zeros.axis !== scales.axis) return undefined;
  const count = axis === undefined ? 1 : target[axis]!;
  const points = zeros ? expanded(zeros.values, count).map(Math.round) : new Float64Array(count);
  if (zeros && !isExact(expanded(zeros.values, count), points, type)) return undefined;
  return { values: tensor(type, target, bytes.data), scale: expanded(scales.values, count), zeroPoint: points, axis };
}

/** The scales of the weights that end in `multiply`: one number, or one for each index of an axis of `target`. */
export function weightScales(
  multiply: Node,
  target: Shape,
): { readonly values: Float64Array; readonly axis: number | undefined } | undefined {
  const weights = quantizedWeights(multiply, target);
  return weights && { values: weights.scale, axis: weights.axis };
}

/**
 * Adds the DequantizeLinear for the weights that end in `multiply`, in the shape `target`; returns the name of its value.
 * Undefined when it is no such chain, or its scales do not belong to one axis.
 *
 * @param finish  true: the node gives the output of the exported operation
 */
export function dequantizedWeights(e: ExportNode, multiply: Node, target: Shape, finish = false): string | undefined {
  const weights = quantizedWeights(multiply, target);
  return weights && dequantized(e, weights, finish);
}

/** The same for the transpose of a matrix of weights, so that no Transpose stands between them and their product. */
export function dequantizedTranspose(e: ExportNode, multiply: Node): string | undefined {
  const { shape } = multiply.output.fact;
  const weights = shape.length === 2 ? quantizedWeights(multiply, shape) : undefined;
  if (!weights) return undefined;
  const { values, axis } = weights;
  return dequantized(e, { ...weights, values: transposed(values), axis: axis === undefined ? axis : 1 - axis }, false);
}

function transposed(matrix: Tensor): Tensor {
  const [rows, columns] = matrix.shape as [number, number];
  const from = toFloat64(matrix);
  const to = new Float64Array(from.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c]!;
  return fromFloat64(to, [columns, rows], matrix.type);
}

function dequantized(e: ExportNode, weights: QuantizedWeights, finish: boolean): string {
  const { values, scale, zeroPoint, axis } = weights;
  const dims = axis === undefined ? [] : [scale.length];
  const inputs = [
    e.constant(values, 'quantized'),
    e.constant(fromFloat64(scale, dims, 'f32'), 'scale'),
    e.constant(fromFloat64(zeroPoint, dims, values.type), 'zero_point'),
  ];
  const attributes = axis === undefined ? {} : { axis: BigInt(axis) };
  if (!finish) return e.step('DequantizeLinear', inputs, 'weights', attributes);
  e.finish('DequantizeLinear', inputs, attributes);
  return e.writer.nameOf(e.node.output);
}

function expanded(values: Float64Array, count: number): Float64Array {
  return values.length === count ? values : new Float64Array(count).fill(values[0]!);
}

function isExact(values: Float64Array, rounded: Float64Array, type: ElementType): boolean {
  const [low, high] = integerRange(type)!;
  return values.every(
    (v, i) => Math.abs(v - rounded[i]!) < zeroPointNoise && rounded[i]! >= low && rounded[i]! <= high,
  );
}

/**
 * A broadcast operand of the weights as one number, or one for each index of one axis of `target`, where the weights
 * are `[G, a, b, …]` and the target may be `[G · a, b, …]`. Undefined when it varies along more axes.
 */
function spread(
  operand: Tensor,
  weights: Shape,
  target: Shape,
): { readonly values: Float64Array; readonly axis?: number } | undefined {
  const given = toFloat64(operand);
  if (given.every((v) => v === given[0])) return { values: given.slice(0, 1) };
  const shape = [...new Array<number>(weights.length - operand.shape.length).fill(1), ...operand.shape];
  const merged = target.length < weights.length;
  const varying = shape.flatMap((d, i) => (d > 1 ? [i] : []));
  if (!merged) return varying.length === 1 ? { values: given, axis: varying[0]! } : undefined;
  if (varying.some((i) => i > 1)) return undefined;
  const strides = stridesOf(shape);
  const [outer, inner] = [weights[0]!, weights[1]!];
  const values = new Float64Array(outer * inner);
  for (let i = 0; i < values.length; i++) {
    const [g, o] = [Math.floor(i / inner), i % inner];
    values[i] = given[(shape[0]! > 1 ? g * strides[0]! : 0) + (shape[1]! > 1 ? o * strides[1]! : 0)]!;
  }
  return { values, axis: 0 };
}
