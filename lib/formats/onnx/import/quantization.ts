/** QuantizeLinear and DequantizeLinear: pairs become FakeQuantize, constant weights stay compressed. */
import type { OutputPort } from '../../../graph/node.ts';
import { createNode } from '../../../ops/create-node.ts';
import { type Grid, keepsGrid, movedInputs, sameGrid } from '../../../ops/quantization/moved-grid.ts';
import { integerRange, toFloat32, toFloat64 } from '../../../tensor/convert.ts';
import type { ElementType } from '../../../tensor/element-type.ts';
import { isMinifloat, largestOf } from '../../../tensor/minifloat.ts';
import { elementCount, isStatic, normalizeAxis, type Shape } from '../../../tensor/shape.ts';
import { type Tensor, tensor, zeros } from '../../../tensor/tensor.ts';
import { elementTypeOf } from '../data-types.ts';
import type { ImporterTable, ImportNode, QuantizedValue } from './import-node.ts';

export const quantizationImporters: ImporterTable = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: (n) => [dequantized(n, readScaling(n, 0, 1, 2, n.input(0).fact.type))],
  DynamicQuantizeLinear: dynamicQuantizeLinear,
};

/** How integers stand for reals: `real = scale · (integer − zeroPoint)`. */
export interface Scaling {
  /** The integers when they are read, the reals when they are made. */
  readonly data: OutputPort;
  readonly scale: OutputPort;
  readonly zeroPoint: OutputPort | undefined;
  readonly type: ElementType;
  readonly axis: number;
  /** Elements along the axis that share one scale; 0: one scale for each index, or for all. */
  readonly block: number;
}

/**
 * The scaling of an input. Scale and zero point must fit the data where they are known.
 *
 * @param type  of the integers, when there is no zero point
 */
export function readScaling(
  n: ImportNode,
  data: number | OutputPort,
  scale: number,
  zeroPoint: number,
  type: ElementType,
  axis = n.attributes.int('axis') ?? 1,
): Scaling {
  const port = typeof data === 'number' ? n.input(data) : data;
  const zero = n.optional(zeroPoint);
  const { shape } = port.fact;
  const scales = n.input(scale);
  const block = n.attributes.int('block_size') ?? 0;
  if (block < 0) n.attributes.fail('block_size', `is ${block}`);
  const single = scales.fact.shape.every((d) => d === 1);
  if (zero && isStatic(zero.fact.shape) && isStatic(scales.fact.shape)) {
    const counts = [scales, zero].map((p) => elementCount(p.fact.shape));
    if (counts[0] !== counts[1]) n.invalid(`it has ${counts[0]} scales and ${counts[1]} zero points`);
  }
  for (const s of scales.fact.value ? toFloat64(scales.fact.value) : []) {
    if (!(s > 0 && s < Infinity)) n.invalid(`its scale is ${s}, expected a positive number`);
  }
  const at = single ? 0 : normalizeAxis(axis, shape.length);
  if (!single && block === 0) {
    if (scales.fact.shape.length !== 1) n.invalid(`its scales have rank ${scales.fact.shape.length}, expected 0 or 1`);
    const count = scales.fact.shape[0]!;
    if (count >= 0 && shape[at]! >= 0 && count !== shape[at]) {
      n.invalid(`it has ${count} scales for axis ${at} of size ${shape[at]}`);
    }
  }
  return {
    data: port,
    scale: scales,
    zeroPoint: zero,
    type: zero?.fact.type ?? type,
    axis: at,
    block: single ? 0 : block,
  };
}

const storageTypes: readonly ElementType[] = ['u8', 'i8', 'u16', 'i16', 'u4', 'i4', 'u2', 'i2'];

/** Constant parameters as numbers: those of a FakeQuantize. */
function constantsOf(s: Scaling): Omit<QuantizedValue, 'source'> | undefined {
  const scale = s.scale.fact.value;
  const zeroPoint = s.zeroPoint ? s.zeroPoint.fact.value : scale && zeros(s.type, scale.shape);
  if (!scale || !zeroPoint || s.block !== 0 || !storageTypes.includes(s.type)) return undefined;
  return { scale, zeroPoint, axis: s.axis };
}

function quantizeLinear(n: ImportNode): OutputPort[] {
  const wanted = n.attributes.int('output_dtype') ?? 0;
  const type = wanted === 0 ? 'u8' : elementTypeOf(wanted, `QuantizeLinear '${n.name}'`);
  return [quantized(n, readScaling(n, 0, 1, 2, type))];
}

/**
 * The integers themselves. With constant parameters `clamp(round(x / scale) + zeroPoint)` is a FakeQuantize onto the
 * integers and a Convert; both disappear again when the integers are dequantized.
 */
export function quantized(n: ImportNode, s: Scaling): OutputPort {
  const constants = constantsOf(s);
  if (!constants) return quantizedByArithmetic(n, s);
  const value: QuantizedValue = { source: s.data, ...constants };
  const [low, high] = integerRange(s.type)!;
  const outputs = [n.scalar('f32', low, 'low'), n.scalar('f32', high, 'high')];
  const snapped = fakeQuantize(n, value, outputs, 'FakeQuantize');
  const integers = n.add('Convert', { destination_type: s.type }, [snapped], { fold: false });
  n.state.quantized.set(integers, value);
  return integers;
}

/** `clamp(round(x / scale) + zeroPoint)` step by step: for computed parameters, blocks and floats of 8 and 4 bits. */
function quantizedByArithmetic(n: ImportNode, s: Scaling): OutputPort {
  const real = n.converted(s.data, 'f32');
  return inBlocks(n, { ...s, data: real }, (x, scale, zeroPoint) => {
    const ratio = n.step('Divide', [x, scale]);
    const range = integerRange(s.type);
    if (isMinifloat(s.type)) {
      const most = largestOf(s.type);
      return n.converted(n.step('Clamp', [ratio], { min: -most, max: most }), s.type, { fold: false });
    }
    if (!range) return n.unsupported(`zero points of type ${s.type}`);
    const whole = n.step('Round', [ratio], { mode: 'half_to_even' });
    const sum = zeroPoint ? n.step('Add', [whole, zeroPoint]) : whole;
    return n.converted(n.step('Clamp', [sum], { min: range[0], max: range[1] }), s.type);
  });
}

/** The reals of integers: a FakeQuantize behind the quantizer that made them, else `(x − zeroPoint) · scale`. */
export function dequantized(n: ImportNode, s: Scaling): OutputPort {
  const made = quantizedOf(n, s.data);
  const constants = constantsOf(s);
  if (s.zeroPoint && s.zeroPoint.fact.type !== s.data.fact.type) {
    n.invalid(`its zero point is ${s.zeroPoint.fact.type}, its input ${s.data.fact.type}`);
  }
  if (made && constants && sameParameters(made, constants)) {
    return realsOf(n, made);
  }
  const fold = s.data.fact.type === 'i32';
  return inBlocks(n, s, (x, scale, zeroPoint) => {
    const reals = n.add('Convert', { destination_type: 'f32' }, [x], { suffix: 'Convert', fold });
    const zero = zeroPoint?.fact.value;
    const centred =
      zeroPoint && !(zero && toFloat32(zero).every((z) => z === 0))
        ? n.add('Subtract', {}, [reals, zeroPoint], { suffix: 'Subtract', fold })
        : reals;
    return n.add('Multiply', {}, [centred, scale], { fold });
  });
}

/**
 * What integers were quantized from: by their quantizer, or by operations that only moved integers of one grid since,
 * which then move the reals once more.
 */
function quantizedOf(n: ImportNode, port: OutputPort): QuantizedValue | undefined {
  return movedParameters(n, port, new Map()) && movedReals(n, port);
}

/**
 * The parameters of integers that their quantizer made, or that operations moved without adding numbers of their own.
 * Nothing is added to the model.
 */
function movedParameters(
  n: ImportNode,
  port: OutputPort,
  seen: Map<OutputPort, Parameters | undefined>,
): Parameters | undefined {
  const known = n.state.quantized.get(port);
  if (known || seen.has(port)) return known ?? seen.get(port);
  const { node } = port;
  const moved = movedInputs(node);
  const [first, ...others] = moved.map((i) => movedParameters(n, node.source(i)!, seen));
  const fits =
    first !== undefined &&
    port.index === 0 &&
    elementCount(first.scale.shape) === 1 &&
    others.every((other) => other && sameParameters(other, first)) &&
    // An input of their type besides those that move is a number put among them.
    node.inputs.every(({ source }, i) => moved.includes(i) || source?.fact.type !== port.fact.type) &&
    // The integers are a grid of their own, on which every whole number is.
    keepsGrid(node, { scale: 1, zeroPoint: 0 });
  const parameters = fits ? first : undefined;
  seen.set(port, parameters);
  return parameters;
}

/** The reals of integers that have {@link movedParameters}. */
function movedReals(n: ImportNode, port: OutputPort): QuantizedValue {
  const known = n.state.quantized.get(port);
  if (known) return known;
  const { node } = port;
  const moved = movedInputs(node);
  const values = new Map(moved.map((i) => [i, movedReals(n, node.source(i)!)]));
  const inputs = node.inputs.map(({ source }, i) => (values.has(i) ? realsOf(n, values.get(i)!) : source));
  const { type, attributes, notes } = node;
  const copy = createNode(n.state.model, { type, name: `${node.name}/real`, attributes, inputs, notes }).outputs[0]!;
  const value = { ...values.get(moved[0]!)!, source: copy, fakeQuantize: copy };
  n.state.quantized.set(port, value);
  return value;
}

/** The reals on their grid. */
function realsOf(n: ImportNode, value: QuantizedValue): OutputPort {
  value.fakeQuantize ??= rounded(n, value);
  return value.fakeQuantize;
}

/**
 * Gives `f` the data with parameters in f32 that broadcast to them. Blocks become an axis of their own, whose scale has
 * size one; the result gets the shape of the data back.
 */
function inBlocks(
  n: ImportNode,
  s: Scaling,
  f: (x: OutputPort, scale: OutputPort, zeroPoint: OutputPort | undefined) => OutputPort,
): OutputPort {
  const { shape } = s.data.fact;
  const parameters = (to: Shape) =>
    [s.scale, s.zeroPoint].map((p, i) => p && parameter(n, p, to, i === 0 ? 'scale' : 'zero_point'));
  if (s.block === 0) {
    const count = s.scale.fact.shape.every((d) => d === 1) ? 1 : -1;
    const [scale, zeroPoint] = parameters(count === 1 ? [] : shape.map((_, i) => (i === s.axis ? -1 : 1)));
    return f(s.data, scale!, zeroPoint);
  }
  const size = shape[s.axis]!;
  const scales = s.scale.fact.shape;
  if (!isStatic(shape) || !isStatic(scales)) return n.unsupported('blocks of data with dynamic sizes');
  const fits = scales.length === shape.length && scales.every((d, i) => i === s.axis || d === shape[i]);
  if (!fits || size !== scales[s.axis]! * s.block) {
    return n.unsupported(`scales of shape ${scales} and blocks of ${s.block} for data of shape ${shape}`);
  }
  const [scale, zeroPoint] = parameters(scales.toSpliced(s.axis + 1, 0, 1));
  const split = n.reshaped(s.data, shape.toSpliced(s.axis, 1, size / s.block, s.block), 'blocks');
  return n.reshaped(f(split, scale!, zeroPoint), shape, 'whole');
}

function parameter(n: ImportNode, port: OutputPort, shape: Shape, name: string): OutputPort {
  const value = port.fact.value;
  if (value) {
    const sizes = shape.map((d) => (d < 0 ? elementCount(value.shape) : d));
    return n.constant(tensor('f32', sizes, toFloat32(value)), name);
  }
  const target = n.indices(shape, `${name}/shape`);
  return n.step('Reshape', [n.converted(port, 'f32'), target], { special_zero: false });
}

/** Outputs: bytes, scale, zero point. */
function dynamicQuantizeLinear(n: ImportNode): OutputPort[] {
  const { bytes, scale, zero } = dynamicallyQuantized(n, n.input(0));
  const integers = [bytes, zero].map((real) => {
    const port = n.converted(real, 'u8');
    n.state.reals.set(port, real);
    return port;
  }) as [OutputPort, OutputPort];
  return [integers[0], scale, integers[1]];
}

/** Steps on a grid of 256 from the smallest to the largest element, zero included, all as floats. Zeros have steps of 1. */
export function dynamicallyQuantized(n: ImportNode, x: OutputPort) {
  const axes = n.indices(
    x.fact.shape.map((_, i) => i),
    'axes',
  );
  const extreme = (reduce: string, type: string) => n.with(type, n.step(reduce, [x, axes], { keep_dims: false }), 0);
  const [low, high] = [extreme('ReduceMin', 'Minimum'), extreme('ReduceMax', 'Maximum')];
  const span = n.with('Divide', n.step('Subtract', [high, low]), 255);
  const scale = n.step('Select', [n.with('Equal', span, 0), n.scalar('f32', 1, 'one'), span]);
  const shift = n.step('Round', [n.step('Negative', [n.step('Divide', [low, scale])])], { mode: 'half_to_even' });
  const zero = n.step('Clamp', [shift], { min: 0, max: 255 });
  const whole = n.step('Round', [n.step('Divide', [x, scale])], { mode: 'half_to_even' });
  return { bytes: n.step('Clamp', [n.step('Add', [whole, zero])], { min: 0, max: 255 }), zero, scale };
}

/** The value on its grid: a FakeQuantize, or the source itself when it lies on that grid already. */
function rounded(n: ImportNode, value: QuantizedValue): OutputPort {
  const grid = gridOf(value);
  const before = n.state.grids.get(value.source);
  if (grid && before && sameGrid(before, grid)) return value.source;
  const port = fakeQuantize(n, value);
  if (grid) n.state.grids.set(port, grid);
  return port;
}

function gridOf({ scale, zeroPoint }: QuantizedValue): Grid | undefined {
  const lowest = zeroPoint.type === 'i8' ? -128 : zeroPoint.type === 'u8' ? 0 : undefined;
  if (lowest === undefined || elementCount(scale.shape) !== 1) return undefined;
  return { scale: Math.fround(toFloat64(scale)[0]!), zeroPoint: toFloat64(zeroPoint)[0]! - lowest };
}

type Parameters = Pick<QuantizedValue, 'scale' | 'zeroPoint' | 'axis'>;

function sameParameters(a: Parameters, b: Parameters): boolean {
  const equal = (x: Tensor, y: Tensor) => {
    const [p, q] = [toFloat64(x), toFloat64(y)];
    return p.length === q.length && p.every((v, i) => v === q[i]);
  };
  return a.axis === b.axis && equal(a.scale, b.scale) && equal(a.zeroPoint, b.zeroPoint);
}

/** Limits `(qmin - z) · s` and `(qmax - z) · s`; outputs are the same limits unless others are given. */
function fakeQuantize(
  n: ImportNode,
  value: QuantizedValue,
  outputs?: readonly OutputPort[],
  suffix?: string,
): OutputPort {
  const [low, high] = integerRange(value.zeroPoint.type)!;
  const scales = toFloat64(value.scale);
  const zeroPoints = toFloat64(value.zeroPoint);
  const shape = columnShape(value.source.fact.shape.length, value.axis, scales.length);
  const limit = (edge: number, name: string) =>
    n.constant(
      tensor(
        'f32',
        shape,
        Float32Array.from(scales, (s, i) => (edge - zeroPoints[i]!) * s),
      ),
      name,
    );
  const inputs = [limit(low, 'input_low'), limit(high, 'input_high')];
  const attributes = { levels: high - low + 1 };
  const options = suffix === undefined ? { fold: false } : { suffix, fold: false };
  const source = n.converted(value.source, 'f32');
  return n.add('FakeQuantize', attributes, [source, ...inputs, ...(outputs ?? inputs)], options);
}

/** `[1, …, count, …, 1]` with `count` at `axis`; the empty shape for one number. */
function columnShape(rank: number, axis: number, count: number): number[] {
  return count === 1 ? [] : Array.from({ length: rank }, (_, i) => (i === axis ? count : 1));
}
