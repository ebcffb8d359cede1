/** Activation functions with parameters, and those that opset 17 has to compose. */
import type { ExporterTable, ExportNode } from './export-node.ts';

export const activationExporters: ExporterTable = {
  Clamp: clamp,
  Elu: (e) => e.finish('Elu', [e.input(0)], { alpha: e.number('alpha') }),
  PReLU: prelu,
  HardSigmoid: hardSigmoid,
  HSigmoid: (e) => e.finish('HardSigmoid', [e.input(0)], { alpha: 1 / 6, beta: 0.5 }),
  Selu: selu,
  Swish: swish,
  Mish: (e) => e.finish('Mul', [e.input(0), e.step('Tanh', [e.step('Softplus', [e.input(0)], 'Softplus')], 'Tanh')]),
  Gelu: gelu,
  SoftMax: (e) => e.finish('Softmax', [e.input(0)], { axis: BigInt(e.number('axis')) }),
  LogSoftmax: (e) => e.finish('LogSoftmax', [e.input(0)], { axis: BigInt(e.number('axis')) }),
};

/** Numbers of ONNX's operator are attributes; computed ones take its formula. */
function hardSigmoid(e: ExportNode): void {
  if (areKnown(e)) {
    e.finish('HardSigmoid', [e.input(0)], { alpha: parameter(e, 1), beta: parameter(e, 2) });
    return;
  }
  const line = e.step('Add', [e.step('Mul', [e.input(0), single(e, 1)], 'scaled'), single(e, 2)], 'line');
  e.finish('Clip', [line, e.scalar(e.type(), 0, 'low'), e.scalar(e.type(), 1, 'high')]);
}

function selu(e: ExportNode): void {
  if (areKnown(e)) {
    e.finish('Selu', [e.input(0)], { alpha: parameter(e, 1), gamma: parameter(e, 2) });
    return;
  }
  const isPositive = e.step('Greater', [e.input(0), e.scalar(e.type(), 0, 'zero')], 'is_positive');
  const fall = e.step('Sub', [e.step('Exp', [e.input(0)], 'Exp'), e.scalar(e.type(), 1, 'one')], 'fall');
  const negative = e.step('Mul', [fall, single(e, 1)], 'negative');
  e.finish('Mul', [e.step('Where', [isPositive, e.input(0), negative], 'Where'), single(e, 2)]);
}

function areKnown(e: ExportNode): boolean {
  return e.known(1) !== undefined && e.known(2) !== undefined;
}

/** An input of one element without axes. */
function single(e: ExportNode, index: number): string {
  return e.shape(index).length === 0 ? e.input(index) : e.step('Squeeze', [e.input(index)], `number_${index}`);
}

function clamp(e: ExportNode): void {
  const limit = (name: string) => {
    const value = e.number(name);
    return Math.abs(value) > 3.4e38 ? '' : e.scalar(e.type(), value, name);
  };
  e.finish('Clip', [e.input(0), limit('min'), limit('max')]);
}

/** A slope per channel is a column in ONNX. */
function prelu(e: ExportNode): void {
  const data = e.shape(0);
  const slope = e.shape(1);
  const perChannel = slope.length === 1 && data.length > 1 && slope[0] === data[1] && slope[0] !== 1;
  if (!perChannel) {
    e.finish('PRelu', [e.input(0), e.input(1)]);
    return;
  }
  const column = [slope[0]!, ...new Array<number>(data.length - 2).fill(1)];
  const reshaped = e.step('Reshape', [e.input(1), e.int64s(column, 'slope/shape')], 'slope');
  e.finish('PRelu', [e.input(0), reshaped]);
}

function parameter(e: ExportNode, index: number): number {
  const value = e.known(index);
  if (value?.data.length !== 1) e.unsupported(`its input ${index} must be a constant number`);
  return Number(value.data[0]);
}

function swish(e: ExportNode): void {
  const scaled = e.node.source(1) ? e.step('Mul', [e.input(0), e.input(1)], 'scaled') : e.input(0);
  e.finish('Mul', [e.input(0), e.step('Sigmoid', [scaled], 'Sigmoid')]);
}

/** `x · (1 + erf(x / √2)) / 2`, or with tanh of `√(2 / π) · (x + 0.044715 · x³)` in place of erf. */
function gelu(e: ExportNode): void {
  const x = e.input(0);
  const constant = (value: number, name: string) => e.scalar(e.type(), value, name);
  let bend: string;
  if (e.text('approximation_mode') === 'tanh') {
    const cube = e.step('Mul', [x, e.step('Mul', [x, x], 'square')], 'cube');
    const sum = e.step('Add', [x, e.step('Mul', [cube, constant(0.044715, 'third')], 'scaled')], 'sum');
    bend = e.step('Tanh', [e.step('Mul', [sum, constant(Math.sqrt(2 / Math.PI), 'factor')], 'inner')], 'Tanh');
  } else bend = e.step('Erf', [e.step('Div', [x, constant(Math.SQRT2, 'root')], 'inner')], 'Erf');
  const gate = e.step('Add', [bend, constant(1, 'one')], 'gate');
  e.finish('Mul', [e.step('Mul', [x, constant(0.5, 'half')], 'halved'), gate]);
}
