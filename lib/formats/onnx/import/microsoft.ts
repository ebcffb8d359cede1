/** Operators of ONNX Runtime (`com.microsoft`) that optimized transformers and diffusion models use beside attention. */
import type { OutputPort } from '../../../graph/node.ts';
import { channelsFirst, channelsLast } from './channels-last.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';
import { inDomain } from './in-domain.ts';
import { centred, integerMatMul, scaledSum } from './integer.ts';
import { layerNormalization, moments, rootMeanSquare } from './normalization.ts';
import { dequantized, dynamicallyQuantized, readScaling } from './quantization.ts';

const own: ImporterTable = {
  Gelu: (n) => [gelu(n, n.input(0), 'erf')],
  FastGelu: (n) => [gelu(n, withBias(n, n.input(0), n.optional(1)), 'tanh')],
  BiasGelu: (n) => [gelu(n, withBias(n, n.input(0), n.input(1)), 'erf')],
  QuickGelu: (n) => [n.step('Swish', [n.input(0), n.scalar('f32', n.attributes.float('alpha') ?? 1.702, 'beta')])],
  BiasSplitGelu: biasSplitGelu,
  BiasAdd: (n) => [n.step('Add', [n.step('Add', [n.input(0), n.input(1)]), n.input(2)])],
  LayerNormalization: layerNormalization,
  SimplifiedLayerNormalization: (n) => [rootMeanSquare(n, n.input(0), n.input(1))],
  SkipLayerNormalization: skipLayerNormalization,
  SkipSimplifiedLayerNormalization: skipSimplified,
  GroupNorm: (n) => [groupNorm(n, n.input(0), channelsAreLast(n))],
  SkipGroupNorm: skipGroupNorm,
  EmbedLayerNormalization: embedLayerNormalization,
  QEmbedLayerNormalization: quantizedEmbedding,
  DynamicQuantizeMatMul: dynamicQuantizeMatMul,
  MatMulIntegerToFloat: matMulIntegerToFloat,
};

export const microsoftImporters: ImporterTable = {
  ...inDomain('com.microsoft', own),
  // ONNX Runtime lists this one under ONNX's own domain.
  SimplifiedLayerNormalization: own.SimplifiedLayerNormalization!,
};

function withBias(n: ImportNode, x: OutputPort, bias: OutputPort | undefined): OutputPort {
  return bias ? n.step('Add', [x, bias]) : x;
}

function gelu(n: ImportNode, x: OutputPort, mode: 'erf' | 'tanh'): OutputPort {
  return n.step('Gelu', [x], { approximation_mode: mode });
}

/** The first half of the last axis times the Gelu of the second, both with a bias. */
function biasSplitGelu(n: ImportNode): OutputPort[] {
  const sum = n.step('Add', [n.input(0), n.input(1)]);
  const axis = n.scalar('i64', sum.fact.shape.length - 1, 'axis');
  const [left, right] = n.addAll('Split', { num_splits: 2 }, [sum, axis], { suffix: 'Split' });
  return [n.step('Multiply', [left, gelu(n, right!, 'erf')])];
}

/** Standardized along the last axis. */
function normalized(n: ImportNode, x: OutputPort, scale: OutputPort, bias: OutputPort | undefined) {
  const axes = [x.fact.shape.length - 1];
  const eps = n.attributes.float('epsilon') ?? 1e-12;
  const attributes = { normalize_variance: true, eps, eps_mode: 'inside_sqrt' };
  const normal = n.step('MVN', [x, n.indices(axes, 'axes')], attributes);
  const y = withBias(n, n.step('Multiply', [normal, scale]), bias);
  return { y, moments: () => moments(n, x, axes, eps) };
}

/** Inputs: data, skip, scale, optional bias, optional bias of the sum. Output 3 is the sum. */
function skipLayerNormalization(n: ImportNode): (OutputPort | undefined)[] {
  const sum = withBias(n, n.step('Add', [n.input(0), n.input(1)]), n.optional(4));
  const { y, moments } = normalized(n, sum, n.input(2), n.optional(3));
  const [mean, deviation] = n.outputNames[1] || n.outputNames[2] ? moments() : [];
  return [y, mean, deviation, sum];
}

/** Inputs: data, skip, scale, optional bias of the sum. */
function skipSimplified(n: ImportNode): (OutputPort | undefined)[] {
  const sum = withBias(n, n.step('Add', [n.input(0), n.input(1)]), n.optional(3));
  return [rootMeanSquare(n, sum, n.input(2)), undefined, undefined, sum];
}

function channelsAreLast(n: ImportNode): boolean {
  return n.attributes.flag('channels_last', true);
}

/** Channels in groups, each standardized; scale and bias of inputs 1 and 2 belong to channels. */
function groupNorm(n: ImportNode, data: OutputPort, areLast: boolean): OutputPort {
  const x = areLast ? channelsFirst(n, data) : data;
  const { shape } = x.fact;
  const groups = n.attributes.int('groups') ?? n.attributes.fail('groups', 'is missing');
  const channels = shape[1]!;
  if (channels < 0 || groups < 1 || channels % groups !== 0) n.invalid(`${groups} groups of ${channels} channels`);
  const split = n.step('Reshape', [x, n.indices([0, groups, -1], 'groups')], { special_zero: true });
  const attributes = { normalize_variance: true, eps: n.attributes.float('epsilon') ?? 1e-5, eps_mode: 'inside_sqrt' };
  const normal = n.step('MVN', [split, n.indices([2], 'axes')], attributes);
  const whole = n.step('Reshape', [normal, n.shapeOf(x)], { special_zero: false });
  const column = shape.map((_, i) => (i === 1 ? channels : 1));
  const [scale, bias] = [n.reshaped(n.input(1), column, 'scale'), n.reshaped(n.input(2), column, 'bias')];
  const sum = n.step('Add', [n.step('Multiply', [whole, scale]), bias]);
  const activation = n.attributes.int('activation') ?? 0;
  if (activation !== 0 && activation !== 1) n.attributes.fail('activation', `is ${activation}, expected 0 or 1`);
  const y = activation === 1 ? n.step('Swish', [sum]) : sum;
  return areLast ? channelsLast(n, y) : y;
}

/** Inputs: data, scale, bias, skip, optional bias of the sum. A skip of two axes has one number for each channel. */
function skipGroupNorm(n: ImportNode): OutputPort[] {
  const areLast = channelsAreLast(n);
  const rank = n.rank(0);
  const channelAt = areLast ? rank - 1 : 1;
  const spread = (port: OutputPort): OutputPort => {
    const given = port.fact.shape.length;
    if (given === rank) return port;
    const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== channelAt && (given === 1 || i !== 0));
    return n.step('Unsqueeze', [port, n.indices(axes, 'axes')]);
  };
  const skipped = n.step('Add', [n.input(0), spread(n.input(3))]);
  const bias = n.optional(4);
  const sum = withBias(n, skipped, bias && spread(bias));
  return [groupNorm(n, sum, areLast), sum];
}

function lookUp(n: ImportNode, table: OutputPort, ids: OutputPort): OutputPort {
  return n.step('Gather', [table, ids, n.scalar('i64', 0, 'axis')], { batch_dims: 0 });
}

/** Of a mask `[batch, sequence]` how many are seen in each sequence; zeros without a mask. */
function lengthsOf(n: ImportNode, mask: OutputPort | undefined, ids: OutputPort): OutputPort {
  if (mask) return n.step('ReduceSum', [mask, n.indices([1], 'axes')], { keep_dims: false });
  const size = n.step('Unsqueeze', [n.sizeOf(ids, 0), n.indices([0], 'axes')]);
  return n.step('Broadcast', [n.scalar('i32', 0, 'zero'), size]);
}

/**
 * The sum of word, position and segment embeddings, normalized. Inputs: ids, segments, their three tables (words,
 * positions, segments), scale, bias, optional mask, optional positions. Outputs: result, lengths of the masks, sum.
 */
function embedLayerNormalization(n: ImportNode): (OutputPort | undefined)[] {
  const ids = n.input(0);
  const given = n.optional(8);
  const words = lookUp(n, n.input(2), ids);
  const positions = lookUp(n, n.input(3), given ?? n.countTo(n.sizeOf(ids, 1)));
  const segments = n.optional(1) && lookUp(n, n.input(4), n.input(1));
  const sum = withBias(n, n.step('Add', [words, positions]), segments);
  const { y } = normalized(n, sum, n.input(5), n.input(6));
  return [y, n.outputNames[1] ? lengthsOf(n, n.optional(7), ids) : undefined, sum];
}

/**
 * {@link embedLayerNormalization} of bytes. Inputs: ids, segments, tables of words, positions and segments, scale, bias,
 * optional mask; then the scales of these five, and their zero points. Rows are chosen in bytes.
 */
function quantizedEmbedding(n: ImportNode): (OutputPort | undefined)[] {
  const ids = n.input(0);
  const real = (i: number, port: OutputPort): OutputPort =>
    dequantized(n, readScaling(n, port, 6 + i, 11 + i, port.fact.type));
  const words = real(2, lookUp(n, n.input(2), ids));
  const positions = real(3, lookUp(n, n.input(3), n.countTo(n.sizeOf(ids, 1))));
  const segments = n.optional(1) && real(4, lookUp(n, n.input(4), n.input(1)));
  const sum = withBias(n, n.step('Add', [words, positions]), segments);
  const { y } = normalized(n, sum, real(5, n.input(5)), real(6, n.input(6)));
  return [y, n.outputNames[1] ? lengthsOf(n, n.optional(7), ids) : undefined];
}

/** Inputs: A, B in bytes, its scale, optional zero point and bias. A is quantized on the grid of its own elements. */
function dynamicQuantizeMatMul(n: ImportNode): OutputPort[] {
  const { bytes, zero, scale } = dynamicallyQuantized(n, n.input(0));
  const { real } = integerMatMul(n, n.step('Subtract', [bytes, zero]), centred(n, n.input(1), n.optional(3), 'column'));
  return [scaledSum(n, real, scale, n.input(2), n.optional(4))];
}

/** Inputs: A, B in bytes, their scales, optional zero points and bias. */
function matMulIntegerToFloat(n: ImportNode): OutputPort[] {
  const [a, b] = [centred(n, n.input(0), n.optional(4), 'row'), centred(n, n.input(1), n.optional(5), 'column')];
  return [scaledSum(n, integerMatMul(n, a, b).real, n.input(2), n.input(3), n.optional(6))];
}
