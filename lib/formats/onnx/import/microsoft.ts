/** Operators of ONNX Runtime (`com.microsoft`) that optimized and quantized transformers use. */
import type { OutputPort } from '../../../graph/node.ts';
import {
  attend,
  beforeEnd,
  causalBias,
  joinHeads,
  maskBias,
  repeatHeads,
  rotated,
  splitHeads,
  withPast,
} from './attention.ts';
import { convolved } from './convolution.ts';
import type { Importer, ImporterTable, ImportNode } from './import-node.ts';
import { centred, integerMatMul } from './integer.ts';
import { layerNormalization, moments, rootMeanSquare } from './normalization.ts';
import { dynamicallyQuantized } from './quantization.ts';

const own: Readonly<Record<string, Importer>> = {
  Gelu: (n) => [n.step('Gelu', [n.input(0)], { approximation_mode: 'erf' })],
  FastGelu: (n) => [n.step('Gelu', [withBias(n, n.input(0), n.optional(1))], { approximation_mode: 'tanh' })],
  BiasGelu: (n) => [n.step('Gelu', [withBias(n, n.input(0), n.input(1))], { approximation_mode: 'erf' })],
  QuickGelu: (n) => [n.step('Swish', [n.input(0), n.scalar('f32', n.attributes.float('alpha') ?? 1.702, 'beta')])],
  FusedMatMul: fusedMatMul,
  FusedConv: fusedConv,
  LayerNormalization: layerNormalization,
  SimplifiedLayerNormalization: (n) => [rootMeanSquare(n, n.input(0), n.input(1))],
  SkipLayerNormalization: skipLayerNormalization,
  SkipSimplifiedLayerNormalization: skipSimplified,
  EmbedLayerNormalization: embedLayerNormalization,
  Attention: attention,
  MultiHeadAttention: multiHeadAttention,
  RotaryEmbedding: (n) => [
    rotated(n, n.input(0), [n.input(2), n.input(3)], places(n, n.input(1)), n.attributes.int('num_heads') ?? 0),
  ],
  DynamicQuantizeMatMul: dynamicQuantizeMatMul,
  MatMulIntegerToFloat: matMulIntegerToFloat,
};

export const microsoftImporters: ImporterTable = {
  ...Object.fromEntries(Object.entries(own).map(([name, importer]) => [`com.microsoft::${name}`, importer])),
  // ONNX Runtime lists this one under ONNX's own domain.
  SimplifiedLayerNormalization: own.SimplifiedLayerNormalization!,
};

function withBias(n: ImportNode, x: OutputPort, bias: OutputPort | undefined): OutputPort {
  return bias ? n.step('Add', [x, bias]) : x;
}

/** `alpha · op(A) · op(B)`. */
function fusedMatMul(n: ImportNode): OutputPort[] {
  if (n.attributes.flag('transBatchA') || n.attributes.flag('transBatchB')) n.unsupported('transposed batches');
  const transposes = { transpose_a: n.attributes.flag('transA'), transpose_b: n.attributes.flag('transB') };
  const result = n.step('MatMul', [n.input(0), n.input(1)], transposes);
  const alpha = n.attributes.float('alpha') ?? 1;
  return [alpha === 1 ? result : n.with('Multiply', result, alpha)];
}

/** Conv, an optional sum with input 3, and an activation. */
function fusedConv(n: ImportNode): OutputPort[] {
  const sum = withBias(n, convolved(n, n.input(0), n.input(1), n.optional(2)), n.optional(3));
  const parameters = n.attributes.floats('activation_params') ?? [];
  const activation = n.attributes.string('activation') ?? '';
  const plain: Readonly<Record<string, string>> = { Relu: 'ReLU', Sigmoid: 'Sigmoid', Tanh: 'Tanh' };
  if (activation === '') return [sum];
  if (plain[activation]) return [n.step(plain[activation], [sum])];
  const [a, b] = parameters;
  if (activation === 'LeakyRelu' && a !== undefined) return [n.step('PReLU', [sum, n.scalar('f32', a, 'slope')])];
  if (activation === 'Clip' && b !== undefined) return [n.step('Clamp', [sum], { min: a, max: b })];
  return n.attributes.fail('activation', `is ${JSON.stringify(activation)} with ${parameters.length} parameters`);
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

function lookUp(n: ImportNode, table: OutputPort, ids: OutputPort): OutputPort {
  return n.step('Gather', [table, ids, n.scalar('i64', 0, 'axis')], { batch_dims: 0 });
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
  const mask = n.optional(7);
  const zeros = () =>
    n.step('Broadcast', [n.scalar('i32', 0, 'zero'), n.step('Unsqueeze', [n.sizeOf(ids, 0), n.indices([0], 'axes')])]);
  const lengths = () => (mask ? n.step('ReduceSum', [mask, n.indices([1], 'axes')], { keep_dims: false }) : zeros());
  return [y, n.outputNames[1] ? lengths() : undefined, sum];
}

/** A mask of whole numbers, 1 for what is seen: ends `[batch]`, `[batch, keys]` or `[batch, queries, keys]`. */
function maskOf(n: ImportNode, mask: OutputPort, k: OutputPort, batch: number): OutputPort {
  const { shape } = mask.fact;
  const filter = n.attributes.float('mask_filter_value') ?? -10000;
  if (shape.length === 1) {
    if (shape[0] !== batch && (shape[0]! >= 0 || batch >= 0)) n.unsupported(`a mask of shape ${shape}`);
    return maskBias(n, beforeEnd(n, mask, k), filter);
  }
  if (shape.length > 3) n.unsupported(`a mask of rank ${shape.length}`);
  const seen = n.with('Greater', n.converted(mask, 'i32'), 0);
  return maskBias(n, n.step('Unsqueeze', [seen, n.indices(shape.length === 2 ? [1, 2] : [1], 'axes')]), filter);
}

/** Inputs: data, weights and biases of queries, keys and values side by side, optional mask, past, bias of products. */
function attention(n: ImportNode): (OutputPort | undefined)[] {
  const heads = n.attributes.int('num_heads') ?? n.attributes.fail('num_heads', 'is missing');
  if (n.attributes.flag('do_rotary')) n.unsupported('do_rotary = 1');
  const width = n.input(1).fact.shape[1]!;
  const sizes = n.attributes.ints('qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const all = withBias(n, n.step('MatMul', [n.input(0), n.input(1)]), n.optional(2));
  const parts = n
    .addAll('VariadicSplit', {}, [all, n.scalar('i64', 2, 'axis'), n.indices(sizes, 'lengths')], { suffix: 'parts' })
    .map((part) => splitHeads(n, part, heads));
  const past = n.optional(4);
  const pasts = past && n.addAll('Split', { num_splits: 2 }, [past, n.scalar('i64', 0, 'axis')], { suffix: 'past' });
  const [pastKey, pastValue] = (pasts ?? []).map((p) => n.step('Squeeze', [p, n.indices([0], 'axes')]));
  const [k, v] = [withPast(n, pastKey, parts[1]!), withPast(n, pastValue, parts[2]!)];
  const biases: OutputPort[] = [];
  const [mask, bias] = [n.optional(3), n.optional(5)];
  if (mask) biases.push(maskOf(n, mask, k, n.input(0).fact.shape[0]!));
  if (bias) biases.push(bias);
  if (n.attributes.flag('unidirectional')) biases.push(causalBias(n, parts[0]!, k, pastKey));
  const scale = n.attributes.float('scale') || undefined;
  const { y } = attend(n, { q: parts[0]!, k, v }, { biases, scale, softcap: 0 });
  const stacked = () =>
    n.step(
      'Concat',
      [k, v].map((p) => n.step('Unsqueeze', [p, n.indices([0], 'axes')])),
      { axis: 0 },
    );
  return [joinHeads(n, y), n.outputNames[1] ? stacked() : undefined];
}

/** Inputs: q, k, v, optional biases of the three, mask of keys, bias of products, past keys and values. */
function multiHeadAttention(n: ImportNode): (OutputPort | undefined)[] {
  const heads = n.attributes.int('num_heads') ?? n.attributes.fail('num_heads', 'is missing');
  if (!n.optional(1) || !n.optional(2) || n.rank(0) !== 3) n.unsupported('queries, keys and values in one tensor');
  const width = n.input(0).fact.shape[2]!;
  const biases3 = n.optional(3);
  const sizes = [width, width, n.input(2).fact.shape.at(-1)! * (n.rank(2) === 4 ? heads : 1)];
  const offsets = biases3
    ? n.addAll('VariadicSplit', {}, [biases3, n.scalar('i64', 0, 'axis'), n.indices(sizes, 'lengths')], {
        suffix: 'biases',
      })
    : [];
  const [q, key, value] = [0, 1, 2].map((i) => {
    const port = n.input(i);
    if (port.fact.shape.length === 4) return port;
    return splitHeads(n, withBias(n, port, offsets[i]), heads);
  });
  const [k, v] = [withPast(n, n.optional(6), key!), withPast(n, n.optional(7), value!)];
  const biases: OutputPort[] = [];
  const [mask, bias] = [n.optional(4), n.optional(5)];
  if (mask) biases.push(maskOf(n, mask, k, n.input(0).fact.shape[0]!));
  if (bias) biases.push(bias);
  if (n.attributes.flag('unidirectional')) biases.push(causalBias(n, q!, k, n.optional(6)));
  const parts = { q: q!, k: repeatHeads(n, k, heads), v: repeatHeads(n, v, heads) };
  const { y } = attend(n, parts, { biases, scale: n.attributes.float('scale') || undefined, softcap: 0 });
  return [joinHeads(n, y), k, v];
}

/** Positions `[batch, sequence]`; one number is that of the first element of each sequence. */
function places(n: ImportNode, given: OutputPort): OutputPort {
  if (given.fact.shape.length === 2) return given;
  return n.unsupported('one position for all sequences');
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

function scaledSum(
  n: ImportNode,
  x: OutputPort,
  a: OutputPort,
  b: OutputPort,
  bias: OutputPort | undefined,
): OutputPort {
  return withBias(n, n.step('Multiply', [x, n.step('Multiply', [a, b])]), bias);
}
