/** FakeQuantize as QuantizeLinear and DequantizeLinear where they say the same, else as arithmetic. */

import { repeated } from '../../../ops/quantization/activation-grids.ts';
import { fromFloat64, toFloat64 } from '../../../tensor/convert.ts';
import type { ElementType } from '../../../tensor/element-type.ts';
import { type Shape, sameShape } from '../../../tensor/shape.ts';
import { type Tensor, tensor } from '../../../tensor/tensor.ts';
import { onnxTypeOf } from '../data-types.ts';
import { product } from './elementwise.ts';
import type { ExporterTable, ExportNode } from './export-node.ts';
import { dequantizedWeights } from './stored-weights.ts';

export const quantizationExporters: ExporterTable = {
  FakeQuantize: fakeQuantize,
  Multiply: multiply,
};

function fakeQuantize(e: ExportNode): void {
  const pair = e.activations.pairs.get(e.node);
  if (!pair) {
    arithmetic(e);
    return;
  }
  const attributes = pair.axis === undefined ? {} : { axis: BigInt(pair.axis) };
  const parameters = pairParameters(e, pair.scale, pair.zeroPoint, pair.axis === undefined ? [] : [pair.scale.length]);
  const x = e.cast(e.input(0), e.type(), 'f32', 'float');
  const integers = e.step('QuantizeLinear', [x, ...parameters], 'quantized', attributes);
  if (e.type() === 'f32') {
    e.finish('DequantizeLinear', [integers, ...parameters], attributes);
    return;
  }
  const floats = e.step('DequantizeLinear', [integers, ...parameters], 'dequantized', attributes);
  e.finish('Cast', [floats], { to: BigInt(onnxTypeOf(e.type())) });
}

/** Scale and zero point as initializers. */
function pairParameters(
  e: ExportNode,
  scale: ArrayLike<number>,
  zeroPoint: ArrayLike<number>,
  shape: Shape,
  prefix = '',
): string[] {
  const type = shape.length === 0 ? e.activations.wholeType : 'i8';
  const points = Array.from(zeroPoint, (z) => (type === 'i8' ? z - 128 : z));
  return [
    e.constant(tensor('f32', shape, Float32Array.from(scale)), `${prefix}scale`),
    e.constant(tensor(type, shape, points), `${prefix}zero_point`),
  ];
}

/**
 * Behind an operation that moved values of a grid: rounding them to that grid again, which changes nothing. Runtimes move
 * bytes instead of floats when they find the pair on both sides, and then run the consumers in integers.
 *
 * Left out where all consumers round, and where the value is an output of the model.
 */
export function repeatGrid(e: ExportNode): void {
  if (e.activations.pairs.has(e.node)) return;
  for (const port of e.node.outputs) {
    const grid = e.activations.grids.get(port);
    const consumers = [...port.consumers].map((c) => c.node.type);
    if (!grid || consumers.includes('Result') || consumers.every((type) => type === 'FakeQuantize')) continue;
    const prefix = e.node.outputs.length > 1 ? `${port.index}/` : '';
    const parameters = pairParameters(e, [grid.scale], [grid.zeroPoint], [], prefix);
    const integers = e.step('QuantizeLinear', [e.writer.nameOf(port), ...parameters], `${prefix}quantized`);
    e.writer.define(port, e.step('DequantizeLinear', [integers, ...parameters], `${prefix}dequantized`));
  }
}

/**
 * `round((clip(x) - il) · (levels - 1) / (ih - il)) · (oh - ol) / (levels - 1) + ol`, node by node; where il = ih, oh above
 * that threshold and ol elsewhere.
 */
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
  const terms = [e.step('Mul', [rounded, scale], 'scaled'), e.input(3)];
  const [lows, highs] = limits.map((t) => toFloat64(t!));
  const isThreshold = Array.from({ length: Math.max(lows!.length, highs!.length) }, (_, i) => i).some(
    (i) => lows![i % lows!.length] === highs![i % highs!.length],
  );
  if (!isThreshold) {
    e.finish('Add', terms);
    return;
  }
  const isAbove = e.step('Greater', [e.input(0), e.input(2)], 'is_above');
  e.finish('Where', [isAbove, e.input(4), e.step('Add', terms, 'inside')]);
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

/** The last operation of stored weights is their DequantizeLinear; any other is a product. */
function multiply(e: ExportNode): void {
  const { shape } = e.node.output.fact;
  if (dequantizedWeights(e, e.node, shape, true) === undefined) product(e);
}
