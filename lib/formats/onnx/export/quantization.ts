/** FakeQuantize as QuantizeLinear and DequantizeLinear where they say the same, else as arithmetic; Convert. */
import { fromFloat64, toFloat64 } from '../../../tensor/convert.ts';
import { bitsOf, type ElementType } from '../../../tensor/element-type.ts';
import { elementCount, type Shape, sameShape } from '../../../tensor/shape.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { onnxTypeOf } from '../data-types.ts';
import { elementwiseExporters } from './elementwise.ts';
import type { ExporterTable, ExportNode } from './export-node.ts';
import { dequantizedWeights } from './stored-weights.ts';

export const quantizationExporters: ExporterTable = {
  FakeQuantize: fakeQuantize,
  Convert: convert,
  Multiply: multiply,
};

/** Zero points this close to an integer are that integer; limits in f32 leave about 1e-5 of noise. */
const zeroPointNoise = 1e-3;

/** An exact pair: `real = scale · (q - zeroPoint)` with q in the whole range of `type`. */
interface Pair {
  readonly scale: Tensor;
  readonly zeroPoint: Tensor;
  readonly axis: number | undefined;
}

function fakeQuantize(e: ExportNode): void {
  const pair = exactPair(e);
  if (!pair) {
    arithmetic(e);
    return;
  }
  const attributes = pair.axis === undefined ? {} : { axis: BigInt(pair.axis) };
  const parameters = [e.constant(pair.scale, 'scale'), e.constant(pair.zeroPoint, 'zero_point')];
  const x = e.cast(e.input(0), e.type(), 'f32', 'float');
  const integers = e.step('QuantizeLinear', [x, ...parameters], 'quantized', attributes);
  if (e.type() === 'f32') {
    e.finish('DequantizeLinear', [integers, ...parameters], attributes);
    return;
  }
  const floats = e.step('DequantizeLinear', [integers, ...parameters], 'dequantized', attributes);
  e.finish('Cast', [floats], { to: BigInt(onnxTypeOf(e.type())) });
}

/** Full 8-bit grids with equal limits on both sides that contain zero; i8 when zero is in the middle, else u8. */
function exactPair(e: ExportNode): Pair | undefined {
  if (e.number('levels') !== 256) return undefined;
  const [inputLow, inputHigh, outputLow, outputHigh] = [1, 2, 3, 4].map((i) => e.known(i));
  if (!inputLow || !inputHigh || !outputLow || !outputHigh) return undefined;
  if (!sameValues(inputLow, outputLow) || !sameValues(inputHigh, outputHigh)) return undefined;
  const axis = varyingAxis(inputLow.shape, inputHigh.shape, e.shape(0).length);
  if (axis === 'several') return undefined;
  const count = Math.max(elementCount(inputLow.shape), elementCount(inputHigh.shape));
  const low = repeated(toFloat64(inputLow), count);
  const high = repeated(toFloat64(inputHigh), count);
  const scale = low.map((l, i) => (high[i]! - l) / 255);
  if (!scale.every((s) => s > 0 && Number.isFinite(s))) return undefined;
  const zero = low.map((l, i) => -l / scale[i]!);
  const exact = zero.every((z) => Math.abs(z - Math.round(z)) < zeroPointNoise && Math.round(z) >= 0 && z < 255.5);
  if (!exact) return undefined;
  const signed = zero.every((z) => Math.round(z) === 128);
  const type: ElementType = signed ? 'i8' : 'u8';
  const points = zero.map((z) => Math.round(z) - (signed ? 128 : 0));
  const shape = axis === undefined ? [] : [count];
  return { scale: fromFloat64(scale, shape, 'f32'), zeroPoint: fromFloat64(points, shape, type), axis };
}

function sameValues(a: Tensor, b: Tensor): boolean {
  if (!sameShape(a.shape, b.shape)) return false;
  const [x, y] = [toFloat64(a), toFloat64(b)];
  return x.every((v, i) => v === y[i]);
}

function repeated(values: Float64Array, count: number): Float64Array {
  return values.length === count ? values : new Float64Array(count).fill(values[0]!);
}

/** The only axis of the data along which limits vary; undefined when they are single numbers. */
function varyingAxis(low: Shape, high: Shape, rank: number): number | undefined | 'several' {
  const axes = new Set<number>();
  for (const shape of [low, high]) for (const [i, d] of shape.entries()) if (d !== 1) axes.add(rank - shape.length + i);
  if (axes.size > 1) return 'several';
  const [axis] = axes;
  return axis;
}

/** `round((clip(x) - il) · (levels - 1) / (ih - il)) · (oh - ol) / (levels - 1) + ol`, node by node. */
function arithmetic(e: ExportNode): void {
  const [low, high, outputLow, outputHigh] = [1, 2, 3, 4].map(
    (i) => e.known(i) ?? e.unsupported('limits not constant'),
  );
  const steps = e.number('levels') - 1;
  const limits = [low!, high!];
  const name = (suffix: string, of: readonly Tensor[], f: (a: number, b: number) => number) =>
    e.constant(
      combined(of[0]!, of[1]!, e.type(), f, () => e.unsupported('limits of different shapes')),
      suffix,
    );
  const clipped = e.step('Min', [e.step('Max', [e.input(0), e.input(1)], 'Max'), e.input(2)], 'Min');
  const shifted = e.step('Sub', [clipped, e.input(1)], 'shifted');
  const grid = e.step('Mul', [shifted, name('steps', limits, (l, h) => (h === l ? 0 : steps / (h - l)))], 'grid');
  const rounded = e.step('Round', [grid], 'Round');
  const scale = name('step', [outputLow!, outputHigh!], (l, h) => (h - l) / steps);
  e.finish('Add', [e.step('Mul', [rounded, scale], 'scaled'), e.input(3)]);
}

function combined(
  a: Tensor,
  b: Tensor,
  type: ElementType,
  f: (a: number, b: number) => number,
  fail: () => never,
): Tensor {
  const [x, y] = [toFloat64(a), toFloat64(b)];
  const count = Math.max(x.length, y.length);
  if ((x.length !== count && x.length !== 1) || (y.length !== count && y.length !== 1)) fail();
  if (x.length === y.length && !sameShape(a.shape, b.shape) && count > 1) fail();
  const [p, q] = [repeated(x, count), repeated(y, count)];
  const shape = x.length === count ? a.shape : b.shape;
  return fromFloat64(
    p.map((v, i) => f(v, q[i]!)),
    shape,
    type,
  );
}

function convert(e: ExportNode): void {
  const { type } = e.node.output.fact;
  if (bitsOf(type) < 8) e.unsupported(`conversion to ${type}`);
  e.finish('Cast', [e.input(0)], { to: BigInt(onnxTypeOf(type)) });
}

/** The last operation of stored weights is their DequantizeLinear; any other is a product. */
function multiply(e: ExportNode): void {
  const { shape } = e.node.output.fact;
  if (dequantizedWeights(e, e.node, shape, true) === undefined) elementwiseExporters.Multiply?.(e);
}
