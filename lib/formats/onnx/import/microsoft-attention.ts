/** Attention of ONNX Runtime (`com.microsoft`): of packed weights, of quantized ones, of several heads, of groups. */
import type { OutputPort } from '../../../graph/node.ts';
import { zeros } from '../../../tensor/tensor.ts';
import {
  type AttentionOptions,
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
import type { ImporterTable, ImportNode } from './import-node.ts';
import { inDomain } from './in-domain.ts';
import { centred, integerMatMul, scaledSum } from './integer.ts';
import { rootMeanSquare } from './normalization.ts';

export const microsoftAttentionImporters: ImporterTable = inDomain('com.microsoft', {
  Attention: attention,
  QAttention: quantizedAttention,
  MultiHeadAttention: multiHeadAttention,
  GroupQueryAttention: groupQueryAttention,
  RotaryEmbedding: rotaryEmbedding,
});

function withBias(n: ImportNode, x: OutputPort, bias: OutputPort | undefined): OutputPort {
  return bias ? n.step('Add', [x, bias]) : x;
}

function headsOf(n: ImportNode, name: string): number {
  return n.attributes.int(name) ?? n.attributes.fail(name, 'is missing');
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

/** What an attention of packed weights reads beside its data. */
interface Packed {
  readonly sizes: readonly number[];
  readonly mask: OutputPort | undefined;
  /** Keys and values of earlier steps: `[2, batch, heads, sequence, size]`. */
  readonly past: OutputPort | undefined;
  /** Added to the products. */
  readonly bias: OutputPort | undefined;
}

/** @param all  queries, keys and values side by side: `[batch, sequence, sum of sizes]` */
function packedAttention(n: ImportNode, all: OutputPort, p: Packed): (OutputPort | undefined)[] {
  const heads = headsOf(n, 'num_heads');
  if (n.attributes.flag('do_rotary')) n.unsupported('do_rotary = 1');
  if (n.attributes.flag('past_present_share_buffer')) n.unsupported('past_present_share_buffer = 1');
  const parts = n
    .addAll('VariadicSplit', {}, [all, n.scalar('i64', 2, 'axis'), n.indices(p.sizes, 'lengths')], { suffix: 'parts' })
    .map((part) => splitHeads(n, part, heads));
  const { past } = p;
  const pasts = past && n.addAll('Split', { num_splits: 2 }, [past, n.scalar('i64', 0, 'axis')], { suffix: 'past' });
  const [pastKey, pastValue] = (pasts ?? []).map((port) => n.step('Squeeze', [port, n.indices([0], 'axes')]));
  const [k, v] = [withPast(n, pastKey, parts[1]!), withPast(n, pastValue, parts[2]!)];
  const biases: OutputPort[] = [];
  if (p.mask) biases.push(maskOf(n, p.mask, k, all.fact.shape[0]!));
  if (p.bias) biases.push(p.bias);
  if (n.attributes.flag('unidirectional')) biases.push(causalBias(n, parts[0]!, k, pastKey));
  const scale = n.attributes.float('scale') || undefined;
  const { y } = attend(n, { q: parts[0]!, k, v }, { biases, scale, softcap: 0 });
  const stacked = () =>
    n.step(
      'Concat',
      [k, v].map((port) => n.step('Unsqueeze', [port, n.indices([0], 'axes')])),
      { axis: 0 },
    );
  return [joinHeads(n, y), n.outputNames[1] ? stacked() : undefined];
}

/** Inputs: data, weights and biases of queries, keys and values side by side, optional mask, past, bias of products. */
function attention(n: ImportNode): (OutputPort | undefined)[] {
  const width = n.input(1).fact.shape[1]!;
  const sizes = n.attributes.ints('qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const all = withBias(n, n.step('MatMul', [n.input(0), n.input(1)]), n.optional(2));
  return packedAttention(n, all, { sizes, mask: n.optional(3), past: n.optional(4), bias: n.optional(5) });
}

/** Inputs: data and weights in bytes, bias, their scales, optional mask, their zero points, optional past. */
function quantizedAttention(n: ImportNode): (OutputPort | undefined)[] {
  const third = n.input(1).fact.shape[1]! / 3;
  const [a, b] = [centred(n, n.input(0), n.optional(6), 'row'), centred(n, n.input(1), n.optional(7), 'column')];
  const all = scaledSum(n, integerMatMul(n, a, b).real, n.input(3), n.input(4), n.input(2));
  const sizes = [third, third, third];
  return packedAttention(n, all, { sizes, mask: n.optional(5), past: n.optional(8), bias: undefined });
}

/** Inputs: q, k, v, optional biases of the three, mask of keys, bias of products, past keys and values. */
function multiHeadAttention(n: ImportNode): (OutputPort | undefined)[] {
  const heads = headsOf(n, 'num_heads');
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

/** Inputs: data, positions, cosines and sines. One position is that of the first element of every sequence. */
function rotaryEmbedding(n: ImportNode): OutputPort[] {
  if (n.attributes.flag('is_packed_batching')) n.unsupported('is_packed_batching = 1');
  const x = n.input(0);
  const given = n.input(1);
  const row = () => n.countTo(n.sizeOf(x, n.rank(0) - 2));
  const positions =
    given.fact.shape.length === 2
      ? given
      : n.step('Unsqueeze', [
          n.step('Add', [row(), n.converted(n.reshaped(given, [1], 'first'), 'i64')]),
          n.indices([0], 'axes'),
        ]);
  const whole = n.rank(0) === 3 ? x.fact.shape[2]! / (2 * n.input(2).fact.shape[1]!) : 0;
  const heads = n.attributes.int('num_heads') || whole;
  const turned = rotated(n, x, [n.input(2), n.input(3)], positions, heads);
  const scale = n.attributes.float('scale') ?? 1;
  return [scale === 1 ? turned : n.with('Multiply', turned, scale)];
}

/** Queries, keys and values of a GroupQueryAttention as `[batch, heads, sequence, size]`, in one tensor or in three. */
function groupedHeads(n: ImportNode, heads: number, shared: number): OutputPort[] {
  if (n.optional(1)) return [heads, shared, shared].map((count, i) => splitHeads(n, n.input(i), count));
  const width = n.input(0).fact.shape[2]!;
  const size = width / (heads + 2 * shared);
  if (!Number.isInteger(size)) n.invalid(`${heads} and ${shared} heads do not divide ${width} elements`);
  const lengths = n.indices([heads * size, shared * size, shared * size], 'lengths');
  const parts = n.addAll('VariadicSplit', {}, [n.input(0), n.scalar('i64', 2, 'axis'), lengths], { suffix: 'parts' });
  return parts.map((part, i) => splitHeads(n, part, i === 0 ? heads : shared));
}

/**
 * How many of the earlier keys each sequence of the batch has, as a column `[batch, 1]`: its last place, less the new
 * ones, at least none and at most as many as there are.
 */
function pastLengths(n: ImportNode, q: OutputPort, past: OutputPort | undefined): OutputPort {
  const last = n.converted(n.reshaped(n.input(5), [-1, 1], 'seqlens_k'), 'i64');
  const before = n.step('Subtract', [n.with('Add', last, 1), n.sizeOf(q, 2)]);
  const most = past ? n.sizeOf(past, 2) : n.scalar('i64', 0, 'none');
  return n.step('Minimum', [n.with('Maximum', before, 0), most]);
}

/** New keys or values behind those that a sequence has; what is between them and the end is not read. */
function appended(n: ImportNode, past: OutputPort | undefined, x: OutputPort, lengths: OutputPort): OutputPort {
  if (!past) return x;
  const all = withPast(n, past, x);
  if (x.fact.shape[0] === 1) return all;
  const place = n.countTo(n.sizeOf(all, 2));
  const gap = n.step('Subtract', [n.sizeOf(past, 2), lengths]);
  const kept = n.step('Less', [place, lengths]);
  const last = n.with('Subtract', n.sizeOf(all, 2), 1);
  const moved = n.step('Minimum', [n.step('Add', [place, gap]), last]);
  const rows = n.step('Select', [kept, place, moved]);
  const swap = (port: OutputPort) => n.step('Transpose', [port, n.indices([0, 2, 1, 3], 'order')]);
  return swap(n.step('Gather', [swap(all), rows, n.scalar('i64', 1, 'axis')], { batch_dims: 1 }));
}

/** A query sees keys up to its own place, and of those the last `window` ones where there is a window. */
function windowBias(n: ImportNode, q: OutputPort, k: OutputPort, lengths: OutputPort, window: number): OutputPort {
  const places = n.step('Add', [lengths, n.countTo(n.sizeOf(q, 2))]);
  const rows = n.step('Unsqueeze', [places, n.indices([1, 3], 'axes')]);
  const columns = n.countTo(n.sizeOf(k, 2));
  const before = n.step('GreaterEqual', [rows, columns]);
  if (window < 0) return maskBias(n, before);
  const near = n.step('Less', [rows, n.with('Add', columns, window)]);
  return maskBias(n, n.step('LogicalAnd', [before, near]));
}

/** A value for each head that takes part in the sum of a softmax and stands for no key. */
function sinkOf(n: ImportNode, heads: number): OutputPort | undefined {
  const given = n.optional(11);
  if (given) return n.reshaped(given, [1, heads, 1, 1], 'sink');
  return n.attributes.int('smooth_softmax') === 1 ? n.constant(zeros('f32', [1, heads, 1, 1]), 'sink') : undefined;
}

/**
 * Inputs: q, k, v (or all three as q), past keys and values, last place of each sequence, largest length, optional
 * cosines and sines, positions, bias of products, sinks, scales of the cache, weights of norms of q and k.
 *
 * The past has no room for later steps: keys and values that come out are those that came in and the new ones.
 */
function groupQueryAttention(n: ImportNode): (OutputPort | undefined)[] {
  for (const name of ['k_quant_type', 'v_quant_type']) {
    if ((n.attributes.string(name) ?? 'NONE') !== 'NONE') n.unsupported('quantized keys and values');
  }
  if (n.attributes.int('sliding_window_cache') === 1) n.unsupported('sliding_window_cache = 1');
  if (n.outputNames[3]) n.unsupported('products of queries and keys as an output');
  const [heads, shared] = [headsOf(n, 'num_heads'), headsOf(n, 'kv_num_heads')];
  const [q0, k0, v0] = groupedHeads(n, heads, shared) as [OutputPort, OutputPort, OutputPort];
  const [pastKey, pastValue] = [n.optional(3), n.optional(4)];
  const lengths = pastLengths(n, q0, pastKey);
  const [q, newKeys] = turnedHeads(n, [normed(n, q0, 14), normed(n, k0, 15)], lengths);
  const k = appended(n, pastKey, newKeys, lengths);
  const v = appended(n, pastValue, v0, lengths);
  const biases: OutputPort[] = [];
  const window = n.attributes.int('local_window_size') ?? -1;
  if (n.attributes.flag('causal', true)) biases.push(windowBias(n, q, k, lengths, window));
  else biases.push(maskBias(n, beforeEnd(n, n.with('Add', n.converted(n.input(5), 'i64'), 1), k)));
  const bias = n.optional(10);
  if (bias) biases.push(bias);
  const options: AttentionOptions = {
    biases,
    scale: n.attributes.float('scale') || undefined,
    softcap: n.attributes.float('softcap') ?? 0,
    capsProducts: true,
    sink: sinkOf(n, heads),
  };
  const { y } = attend(n, { q, k: repeatHeads(n, k, heads), v: repeatHeads(n, v, heads) }, options);
  return [joinHeads(n, y), k, v];
}

/** Each head divided by its root mean square, where there are weights for it. */
function normed(n: ImportNode, x: OutputPort, weights: number): OutputPort {
  const scale = n.optional(weights);
  return scale ? rootMeanSquare(n, x, scale, n.attributes.float('qk_norm_epsilon') ?? 1e-6) : x;
}

/** Queries and keys turned by the angles of their places. */
function turnedHeads(n: ImportNode, pair: readonly [OutputPort, OutputPort], lengths: OutputPort) {
  if (!n.attributes.flag('do_rotary')) return pair;
  const tables = [n.input(7), n.input(8)] as const;
  const places = n.optional(9) ?? n.step('Add', [lengths, n.countTo(n.sizeOf(pair[0], 2))]);
  const half = tables[0].fact.shape[1]!;
  const form = { turned: 2 * half, neighbours: n.attributes.flag('rotary_interleaved') };
  return pair.map((x) => rotated(n, x, tables, places, 0, form)) as [OutputPort, OutputPort];
}
