/** QuantizeLinear and DequantizeLinear: pairs become FakeQuantize, constant weights stay compressed. */
import type { OutputPort } from '../../../graph/node.ts';
import { integerRange, toFloat32, toFloat64 } from '../../../tensor/convert.ts';
import type { ElementType } from '../../../tensor/element-type.ts';
import { elementCount, normalizeAxis } from '../../../tensor/shape.ts';
import { type Tensor, tensor, zeros } from '../../../tensor/tensor.ts';
import { computeType, elementTypeOf } from '../data-types.ts';
import { type Grid, sameGrid } from '../grid.ts';
import type { ImporterTable, ImportNode, QuantizedValue } from './import-node.ts';

export const quantizationImporters: ImporterTable = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
};

const storageTypes: readonly ElementType[] = ['u8', 'i8', 'u16', 'i16', 'u4', 'i4'];

interface Parameters {
  /** Shape `[]`, or one number per index of `axis`. */
  readonly scale: Tensor;
  readonly zeroPoint: Tensor;
  readonly axis: number;
}

/** Scale and zero point once they are known to fit the data and each other. */
function readParameters(n: ImportNode, fallback: ElementType): Parameters {
  const { shape } = n.input(0).fact;
  const scale = n.known(1, 'scale') ?? n.invalid('it has no scale');
  const zeroPoint = n.known(2, 'zero point') ?? zeros(fallback, scale.shape);
  if ((n.attributes.int('block_size') ?? 0) !== 0) n.unsupported('scales per block');
  const count = elementCount(scale.shape);
  if (scale.shape.length > 1 || elementCount(zeroPoint.shape) !== count) {
    n.invalid(`it has ${count} scales and ${elementCount(zeroPoint.shape)} zero points`);
  }
  for (const s of toFloat64(scale)) {
    if (!(s > 0 && s < Infinity)) n.invalid(`its scale is ${s}, expected a positive number`);
  }
  const given = n.attributes.int('axis') ?? 1;
  const axis = count === 1 ? 0 : normalizeAxis(given, shape.length);
  if (count !== 1 && shape[axis] !== count) n.invalid(`it has ${count} scales for axis ${axis} of size ${shape[axis]}`);
  return { scale, zeroPoint, axis };
}

/**
 * The integers themselves: `clamp(round(x / scale) + zeroPoint)` as a FakeQuantize onto the integers and a Convert.
 * Both disappear again when a DequantizeLinear reads them.
 */
function quantizeLinear(n: ImportNode): OutputPort[] {
  const wanted = n.attributes.int('output_dtype') ?? 0;
  const type = wanted === 0 ? 'u8' : elementTypeOf(wanted, `QuantizeLinear '${n.name}'`);
  const { scale, zeroPoint, axis } = readParameters(n, type);
  if (!storageTypes.includes(zeroPoint.type)) n.unsupported(`zero points of type ${zeroPoint.type}`);
  const value: QuantizedValue = { source: n.input(0), scale, zeroPoint, axis };
  const [low, high] = integerRange(zeroPoint.type)!;
  const outputs = [n.scalar('f32', low, 'low'), n.scalar('f32', high, 'high')];
  const snapped = fakeQuantize(n, value, outputs, 'FakeQuantize');
  const integers = n.add('Convert', { destination_type: zeroPoint.type }, [snapped], { fold: false });
  n.state.quantized.set(integers, value);
  return [integers];
}

function dequantizeLinear(n: ImportNode): OutputPort[] {
  const data = n.input(0);
  const { scale, zeroPoint, axis } = readParameters(n, data.fact.type);
  if (zeroPoint.type !== data.fact.type) n.invalid(`its zero point is ${zeroPoint.type}, its input ${data.fact.type}`);
  const quantized = n.state.quantized.get(data);
  if (quantized && sameParameters(quantized, { scale, zeroPoint, axis })) {
    quantized.fakeQuantize ??= rounded(n, quantized);
    return [quantized.fakeQuantize];
  }
  const type = computeType(scale.type);
  const fold = data.fact.type === 'i32';
  const column = columnShape(data.fact.shape.length, axis, elementCount(scale.shape));
  const floats = n.add('Convert', { destination_type: type }, [data], { suffix: 'Convert', fold });
  const shift = toFloat32(zeroPoint);
  const centred = shift.some((z) => z !== 0)
    ? n.add('Subtract', {}, [floats, n.constant(tensor('f32', column, shift), 'zero_point')], {
        suffix: 'Subtract',
        fold,
      })
    : floats;
  return [n.add('Multiply', {}, [centred, n.constant(tensor('f32', column, toFloat32(scale)), 'scale')], { fold })];
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
  return n.add('FakeQuantize', attributes, [value.source, ...inputs, ...(outputs ?? inputs)], options);
}

/** `[1, …, count, …, 1]` with `count` at `axis`; the empty shape for one number. */
function columnShape(rank: number, axis: number, count: number): number[] {
  return count === 1 ? [] : Array.from({ length: rank }, (_, i) => (i === axis ? count : 1));
}
