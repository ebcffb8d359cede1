/**
 * Operators on integers with scales of their own (QLinear…): float operations between dequantization and quantization.
 * Operators that give sums as i32 (…Integer) are exact where integers are read.
 */
import type { OutputPort } from '../../../graph/node.ts';
import { activationImporters } from './activation.ts';
import { channelsFirst, channelsLast } from './channels-last.ts';
import { convolved } from './convolution.ts';
import { elementwiseImporters } from './elementwise.ts';
import type { AddOptions, ImporterTable, ImportNode } from './import-node.ts';
import { inDomain } from './in-domain.ts';
import { linearImporters } from './linear.ts';
import { movementImporters } from './movement.ts';
import { poolingImporters } from './pooling.ts';
import { dequantized, quantizationImporters, quantized, readScaling } from './quantization.ts';
import { reductionImporters } from './reduction.ts';

const microsoft: ImporterTable = {
  QuantizeLinear: quantizationImporters.QuantizeLinear!,
  DequantizeLinear: quantizationImporters.DequantizeLinear!,
  QLinearAdd: (n) => onReals(n, 'Add', elementwiseImporters, [realOf(n, 0), realOf(n, 3)], 6),
  QLinearMul: (n) => onReals(n, 'Mul', elementwiseImporters, [realOf(n, 0), realOf(n, 3)], 6),
  QLinearSigmoid: (n) => onReals(n, 'Sigmoid', activationImporters, [realOf(n, 0)], 3),
  QLinearLeakyRelu: (n) => onReals(n, 'LeakyRelu', activationImporters, [realOf(n, 0)], 3),
  QLinearSoftmax: (n) => onReals(n, 'Softmax', activationImporters, [realOf(n, 0)], 3, n.attributes.int('opset')),
  QLinearAveragePool: (n) => pooled(n, 'AveragePool'),
  QLinearGlobalAveragePool: (n) => pooled(n, 'GlobalAveragePool'),
  QLinearReduceMean: (n) => onReals(n, 'ReduceMean', reductionImporters, [realOf(n, 0)], 3),
  QLinearConcat: qLinearConcat,
  QLinearWhere: qLinearWhere,
  QLinearConv: qLinearConv,
  QGemm: qGemm,
};

export const integerImporters: ImporterTable = {
  QLinearConv: qLinearConv,
  QLinearMatMul: (n) => onReals(n, 'MatMul', linearImporters, [realOf(n, 0, -2), realOf(n, 3, -1)], 6),
  ConvInteger: convInteger,
  MatMulInteger: matMulInteger,
  ...inDomain('com.microsoft', microsoft),
};

/** The reals of input `at`, whose scale and zero point are the two inputs behind it. */
function realOf(n: ImportNode, at: number, axis = 1): OutputPort {
  return dequantized(n, readScaling(n, at, at + 1, at + 2, n.input(at).fact.type, axis));
}

/** A result on the grid of inputs `at` and `at + 1`. */
function integersOf(n: ImportNode, real: OutputPort, at: number): OutputPort {
  const type = n.optional(at + 1)?.fact.type ?? n.input(n.input(0).fact.type === 'boolean' ? 1 : 0).fact.type;
  return quantized(n, readScaling(n, real, at, at + 1, type, 1));
}

/** A float operator on reals, its result on the grid of input `at`. */
function onReals(
  n: ImportNode,
  opType: string,
  importers: ImporterTable,
  reals: OutputPort[],
  at: number,
  opset = n.opset,
): OutputPort[] {
  const [result] = importers[opType]!(n.derive(reals, { opType, opset }));
  return [integersOf(n, result ?? n.invalid('it has no result'), at)];
}

function pooled(n: ImportNode, opType: string): OutputPort[] {
  if (!n.attributes.flag('channels_last')) return onReals(n, opType, poolingImporters, [realOf(n, 0)], 3);
  const [result] = onReals(n, opType, poolingImporters, [channelsFirst(n, realOf(n, 0))], 3);
  return [channelsLast(n, result!)];
}

/** Inputs: x, w and y with scales and zero points, i32 bias with the scale of x times that of w. */
function qLinearConv(n: ImportNode): OutputPort[] {
  const [x, w] = [realOf(n, 0), realOf(n, 3, 0)];
  const bias = realBias(n, 8, 1, 4);
  if (!n.attributes.flag('channels_last')) return [integersOf(n, convolved(n, x, w, bias), 6)];
  return [channelsLast(n, integersOf(n, convolved(n, channelsFirst(n, x), w, bias), 6))];
}

/** Inputs: condition, then data, scale and zero point of both choices, scale and zero point of the result. */
function qLinearWhere(n: ImportNode): OutputPort[] {
  return [integersOf(n, n.step('Select', [n.input(0), realOf(n, 1), realOf(n, 4)]), 7)];
}

/** An i32 bias in units of the product of two scales. */
function realBias(n: ImportNode, bias: number, a: number, b: number): OutputPort | undefined {
  const port = n.optional(bias);
  if (!port) return undefined;
  const scale = n.step('Multiply', [n.converted(n.input(a), 'f32'), n.converted(n.input(b), 'f32')]);
  const flat = scale.fact.shape.every((d) => d === 1) ? n.reshaped(scale, [], 'scale') : scale;
  return n.step('Multiply', [n.converted(port, 'f32'), flat]);
}

/** Inputs: scale and zero point of the result, then data, scale and zero point of each part. */
function qLinearConcat(n: ImportNode): OutputPort[] {
  const parts: OutputPort[] = [];
  for (let at = 2; at < n.inputCount; at += 3) parts.push(realOf(n, at));
  const [joined] = movementImporters.Concat!(n.derive(parts));
  const type = n.optional(1)?.fact.type ?? n.input(2).fact.type;
  return [quantized(n, readScaling(n, joined!, 0, 1, type, 1))];
}

/** Gemm; inputs: A and B with scales and zero points, optional i32 bias, optional scale and zero point of the result. */
function qGemm(n: ImportNode): OutputPort[] {
  const bias = realBias(n, 6, 1, 4);
  const operands = [realOf(n, 0), realOf(n, 3, n.attributes.flag('transB') ? 0 : 1)];
  const [result] = linearImporters.Gemm!(n.derive(bias ? [...operands, bias] : operands));
  return [n.optional(7) ? integersOf(n, result!, 7) : result!];
}

/**
 * Integers minus their zero point, as floats: exact. A list of zero points belongs to the rows of a left operand, to the
 * columns of a right one, to the output channels of weights.
 */
export function centred(
  n: ImportNode,
  data: OutputPort,
  zeroPoint: OutputPort | undefined,
  side: 'row' | 'column' | 'channel',
): OutputPort {
  // Weights stay as small as they are.
  const stored = { fold: false };
  const wide = asReal(n, data, stored);
  if (!zeroPoint) return wide;
  const rank = wide.fact.shape.length;
  const single = zeroPoint.fact.shape.every((d) => d === 1);
  const at = side === 'column' ? rank - 1 : side === 'row' ? rank - 2 : 0;
  const column = Array.from({ length: rank }, (_, i) => (i === at ? -1 : 1));
  const isList = !single && zeroPoint.fact.shape.length === 1;
  const shift = isList ? n.step('Reshape', [zeroPoint, n.indices(column, 'column')]) : zeroPoint;
  const zero = single ? n.reshaped(asReal(n, shift), [], 'zero') : asReal(n, shift);
  return n.step('Subtract', [wide, zero], {}, stored);
}

/** Integers as floats: what they were before they became integers, when that is known. */
function asReal(n: ImportNode, integers: OutputPort, options: AddOptions = {}): OutputPort {
  return n.state.reals.get(integers) ?? n.converted(integers, 'f32', options);
}

/** A sum of products of integers: in floats, and exactly as i32. */
interface IntegerSum {
  readonly real: OutputPort;
  readonly integers: () => OutputPort;
}

/**
 * `multiply(a, b)` of integers of at most nine bits with `inner` terms in each sum. Floats hold sums below 2^24; longer
 * sums are split into those of the upper and the lower four bits of b, which they hold too. What is read as f32 is one
 * product of floats, which rounds as theirs do.
 */
export function integerSum(
  n: ImportNode,
  a: OutputPort,
  b: OutputPort,
  inner: number,
  multiply: (a: OutputPort, b: OutputPort) => OutputPort,
): IntegerSum {
  const fits = (largest: number): boolean => inner >= 0 && inner * 255 * largest < 2 ** 24;
  const real = multiply(a, b);
  if (fits(255)) return { real, integers: () => n.converted(real, 'i32') };
  // Most readers want floats: the parts of constant weights are computed when somebody reads integers.
  const late = { fold: false };
  if (!fits(16)) return { real, integers: () => multiply(n.converted(a, 'i32', late), n.converted(b, 'i32', late)) };
  const upper = n.step('Floor', [n.with('Multiply', b, 1 / 16, late)], {}, late);
  const lower = n.step('Subtract', [b, n.with('Multiply', upper, 16, late)], {}, late);
  const [high, low] = [upper, lower].map((part) => n.converted(multiply(a, part), 'i32')) as [OutputPort, OutputPort];
  return { real, integers: () => n.step('Add', [n.with('Multiply', high, 16), low]) };
}

export function integerMatMul(n: ImportNode, a: OutputPort, b: OutputPort): IntegerSum {
  const transposes = { transpose_a: false, transpose_b: false };
  return integerSum(n, a, b, a.fact.shape.at(-1) ?? 1, (x, y) => n.step('MatMul', [x, y], transposes));
}

/** Remembers what a Cast to f32 would give, so that integers that nobody else reads disappear. */
function withReals(n: ImportNode, { real, integers }: IntegerSum): OutputPort[] {
  const port = integers();
  n.state.reals.set(port, real);
  return [port];
}

function matMulInteger(n: ImportNode): OutputPort[] {
  const [a, b] = [centred(n, n.input(0), n.optional(2), 'row'), centred(n, n.input(1), n.optional(3), 'column')];
  return withReals(n, integerMatMul(n, a, b));
}

function convInteger(n: ImportNode): OutputPort[] {
  const x = centred(n, n.input(0), n.optional(2), 'channel');
  const w = centred(n, n.input(1), n.optional(3), 'channel');
  const inner = w.fact.shape.slice(1).reduce((a, d) => (a < 0 || d < 0 ? -1 : a * d), 1);
  return withReals(
    n,
    integerSum(n, x, w, inner, (a, b) => convolved(n, a, b, undefined)),
  );
}

/** `x · a · b + bias`: a sum of products of integers with the scales of both. */
export function scaledSum(
  n: ImportNode,
  x: OutputPort,
  a: OutputPort,
  b: OutputPort,
  bias: OutputPort | undefined,
): OutputPort {
  const product = n.step('Multiply', [x, n.step('Multiply', [a, b])]);
  return bias ? n.step('Add', [product, bias]) : product;
}
