/** BatchNormInference, MVN, LRN and NormalizeL2. */
import { getOp } from '../../../ops/registry.ts';
import { toIntegers } from '../../../tensor/convert.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import { bigints, type ExporterTable, type ExportNode } from './export-node.ts';

export const normalizationExporters: ExporterTable = {
  BatchNormInference: batchNorm,
  MVN: mvn,
  LRN: lrn,
  NormalizeL2: normalizeL2,
};

/** The first revision takes the data as its third input. */
function batchNorm(e: ExportNode): void {
  const first = getOp(e.node.type, e.node.notes.opset).opset === 'opset1';
  const [a, b, c, mean, variance] = [0, 1, 2, 3, 4].map((i) => e.input(i));
  const inputs = first ? [c!, a!, b!, mean!, variance!] : [a!, b!, c!, mean!, variance!];
  e.finish('BatchNormalization', inputs, { epsilon: e.number('epsilon') });
}

/** `(x - mean) / sqrt(mean((x - mean)²) + eps)`, node by node as torch writes it, which other runtimes recognize. */
function mvn(e: ExportNode): void {
  const axes = { axes: bigints(mvnAxes(e)), keepdims: 1n };
  const mean = e.step('ReduceMean', [e.input(0)], 'mean', axes);
  if (!e.flag('normalize_variance')) {
    e.finish('Sub', [e.input(0), mean]);
    return;
  }
  const centred = e.step('Sub', [e.input(0), mean], 'centred');
  const square = e.step('Pow', [centred, e.scalar(e.type(), 2, 'two')], 'square');
  const variance = e.step('ReduceMean', [square], 'variance', axes);
  const eps = e.scalar(e.type(), e.number('eps'), 'eps');
  const outside = e.text('eps_mode') === 'outside_sqrt';
  const inner = outside ? variance : e.step('Add', [variance, eps], 'sum');
  const root = e.step('Sqrt', [inner], 'deviation');
  e.finish('Div', [centred, outside ? e.step('Add', [root, eps], 'divisor') : root]);
}

/** An input of the second revision; the first one takes all spatial axes, and the channels when it is told to. */
function mvnAxes(e: ExportNode): number[] {
  const rank = e.shape(0).length;
  if (e.node.source(1)) return e.knownInts(1, 'axes').map((a) => normalizeAxis(a, rank));
  const first = e.flag('across_channels') ? 1 : 2;
  return Array.from({ length: rank - first }, (_, i) => i + first);
}

function lrn(e: ExportNode): void {
  const axes = e.known(1);
  if (!axes || toIntegers(axes).join() !== '1') e.unsupported('axes other than the channels');
  const { alpha, beta, bias, size } = {
    alpha: e.number('alpha'),
    beta: e.number('beta'),
    bias: e.number('bias'),
    size: BigInt(e.number('size')),
  };
  e.finish('LRN', [e.input(0)], { alpha, beta, bias, size });
}

/** Without axes the norm is that of all elements. */
function normalizeL2(e: ExportNode): void {
  const axes = e.knownInts(1, 'axes').map((a) => normalizeAxis(a, e.shape(0).length));
  const attributes = { keepdims: 1n, ...(axes.length === 0 ? {} : { axes: bigints(axes) }) };
  const squares = e.step('ReduceSumSquare', [e.input(0)], 'squares', attributes);
  const eps = e.scalar(e.type(), e.number('eps'), 'eps');
  const bounded = e.step(e.text('eps_mode') === 'max' ? 'Max' : 'Add', [squares, eps], 'bounded');
  e.finish('Div', [e.input(0), e.step('Sqrt', [bounded], 'norm')]);
}
