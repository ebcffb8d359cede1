/** Attention and rotary embeddings, composed from products, SoftMax and moves. */
import type { OutputPort } from '../../../graph/node.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const attentionImporters: ImporterTable = { Attention: attention, RotaryEmbedding: rotaryEmbedding };

/** Queries, keys and values as `[batch, heads, sequence, size]`. */
export interface Heads {
  readonly q: OutputPort;
  readonly k: OutputPort;
  readonly v: OutputPort;
}

export interface AttentionOptions {
  /** Added to the products, broadcast to `[batch, heads, queries, keys]`. */
  readonly biases: readonly OutputPort[];
  /** Factor of the products; `1 / sqrt(size)` when absent. */
  readonly scale: number | undefined;
  /** `c · tanh(x / c)` of the products, unless 0. */
  readonly softcap: number;
  /** The cap is for the products alone, not for their sums with the biases. Default false. */
  readonly capsProducts?: boolean;
  /** A logit beside those of the keys, `[1, heads, 1, 1]`: it takes a share of the weights and has no value. */
  readonly sink?: OutputPort | undefined;
}

/** The steps of an attention; `products` are those of queries and keys. */
export interface Attended {
  readonly products: OutputPort;
  readonly biased: OutputPort;
  readonly capped: OutputPort;
  readonly weights: OutputPort;
  readonly y: OutputPort;
}

/** `softmax(cap(scale · q · kᵀ + bias)) · v`. */
export function attend(n: ImportNode, { q, k, v }: Heads, options: AttentionOptions): Attended {
  const size = q.fact.shape.at(-1)!;
  if (size < 0 && options.scale === undefined) n.unsupported('a dynamic size of its heads');
  const scaled = n.with('Multiply', q, options.scale ?? 1 / Math.sqrt(size));
  const products = n.step('MatMul', [scaled, k], { transpose_a: false, transpose_b: true });
  const { softcap, sink } = options;
  const cap = (x: OutputPort): OutputPort =>
    softcap === 0 ? x : n.with('Multiply', n.step('Tanh', [n.with('Divide', x, softcap)]), softcap);
  const sums = (x: OutputPort) => options.biases.reduce((sum, bias) => n.step('Add', [sum, bias]), x);
  const biased = sums(options.capsProducts ? cap(products) : products);
  const capped = options.capsProducts ? biased : cap(biased);
  const weights = sink ? weightsWithSink(n, q, capped, sink) : n.step('SoftMax', [capped], { axis: -1 });
  return {
    products,
    biased,
    capped,
    weights,
    y: n.step('MatMul', [weights, v], { transpose_a: false, transpose_b: false }),
  };
}

/** A softmax over the logits and the sink, without the share of the sink. */
function weightsWithSink(n: ImportNode, q: OutputPort, logits: OutputPort, sink: OutputPort): OutputPort {
  const rows = n.step('ReduceMax', [q, n.indices([3], 'axes')], { keep_dims: true });
  const column = n.step('Add', [n.with('Multiply', rows, 0), sink]);
  const all = n.step('SoftMax', [n.step('Concat', [column, logits], { axis: 3 })], { axis: -1 });
  return n.step('Slice', [all, ...[[1], [2 ** 31], [1], [3]].map((list) => n.indices(list, 'keys'))]);
}

/** `[batch, sequence, heads · size]` as `[batch, heads, sequence, size]`. */
export function splitHeads(n: ImportNode, x: OutputPort, heads: number): OutputPort {
  const split = n.step('Reshape', [x, n.indices([0, 0, heads, -1], 'heads')], { special_zero: true });
  return n.step('Transpose', [split, n.indices([0, 2, 1, 3], 'order')]);
}

/** The way back of {@link splitHeads}. */
export function joinHeads(n: ImportNode, x: OutputPort): OutputPort {
  const turned = n.step('Transpose', [x, n.indices([0, 2, 1, 3], 'order')]);
  return n.step('Reshape', [turned, n.indices([0, 0, -1], 'joined')], { special_zero: true });
}

/** 0 where a mask is true, minus infinity, or another filter, elsewhere. */
export function maskBias(n: ImportNode, mask: OutputPort, filter = -Infinity): OutputPort {
  return n.step('Select', [mask, n.scalar('f32', 0, 'kept'), n.scalar('f32', filter, 'filter')]);
}

/** A query sees the keys up to its own place; the `past` keys come before the first query. */
export function causalBias(n: ImportNode, q: OutputPort, k: OutputPort, past: OutputPort | undefined): OutputPort {
  const rows = n.step('Unsqueeze', [n.countTo(n.sizeOf(q, 2)), n.indices([1], 'axes')]);
  const place = past ? n.step('Add', [rows, n.sizeOf(past, 2)]) : rows;
  return maskBias(n, n.step('GreaterEqual', [place, n.countTo(n.sizeOf(k, 2))]));
}

/** True for keys before the end of their sequence: `[batch, 1, 1, keys]` of ends `[batch]`. */
export function beforeEnd(n: ImportNode, ends: OutputPort, k: OutputPort): OutputPort {
  const column = n.step('Unsqueeze', [n.converted(ends, 'i64'), n.indices([1, 2, 3], 'axes')]);
  return n.step('Less', [n.countTo(n.sizeOf(k, 2)), column]);
}

/** Keys or values of earlier steps in front of those of this one: `[batch, heads, sequence, size]`. */
export function withPast(n: ImportNode, past: OutputPort | undefined, x: OutputPort): OutputPort {
  return past ? n.step('Concat', [past, x], { axis: 2 }) : x;
}

/** Each head several times in a row, for groups of queries that share keys and values. */
export function repeatHeads(n: ImportNode, x: OutputPort, heads: number): OutputPort {
  const own = x.fact.shape[1]!;
  if (own === heads) return x;
  if (own < 1 || heads % own !== 0) n.invalid(`${heads} heads of queries cannot share ${own} heads of keys`);
  const apart = n.step('Unsqueeze', [x, n.indices([2], 'axes')]);
  const tiled = n.step('Tile', [apart, n.indices([1, 1, heads / own, 1, 1], 'repeats')]);
  const [size] = x.fact.shape.slice(-1);
  return n.step('Reshape', [tiled, n.indices([0, heads, -1, size!], 'heads')], { special_zero: true });
}

/** Inputs: q, k, v, optional mask, past keys and values, and ends of sequences (opset 24). */
function attention(n: ImportNode): (OutputPort | undefined)[] {
  const flat = n.rank(0) === 3;
  const heads = (name: string, port: OutputPort): OutputPort =>
    flat ? splitHeads(n, port, n.attributes.int(name) ?? n.attributes.fail(name, 'is missing')) : port;
  const q = heads('q_num_heads', n.input(0));
  const [pastKey, pastValue] = [n.optional(4), n.optional(5)];
  const key = withPast(n, pastKey, heads('kv_num_heads', n.input(1)));
  const value = withPast(n, pastValue, heads('kv_num_heads', n.input(2)));
  const count = q.fact.shape[1]!;
  const parts = { q, k: repeatHeads(n, key, count), v: repeatHeads(n, value, count) };
  const biases: OutputPort[] = [];
  const [mask, ends] = [n.optional(3), n.optional(6)];
  if (mask) biases.push(attentionMask(n, mask, parts.k));
  if (n.attributes.flag('is_causal')) biases.push(causalBias(n, q, parts.k, pastKey));
  if (ends) biases.push(maskBias(n, beforeEnd(n, ends, parts.k)));
  const options = { biases, scale: n.attributes.float('scale'), softcap: n.attributes.float('softcap') ?? 0 };
  const done = attend(n, parts, options);
  const mode = n.attributes.int('qk_matmul_output_mode') ?? 0;
  const shown = [done.products, done.biased, done.capped, done.weights][mode];
  if (!shown) n.attributes.fail('qk_matmul_output_mode', `is ${mode}, expected 0 to 3`);
  return [flat ? joinHeads(n, done.y) : done.y, key, value, shown];
}

/** Booleans say which keys are seen. A mask that is shorter than the keys hides the rest. */
function attentionMask(n: ImportNode, mask: OutputPort, k: OutputPort): OutputPort {
  const bias = mask.fact.type === 'boolean' ? maskBias(n, mask) : n.converted(mask, 'f32');
  const [have, want] = [bias.fact.shape.at(-1)!, k.fact.shape[2]!];
  if (have < 0 || want < 0 || have >= want || have === 1) return bias;
  const rank = bias.fact.shape.length;
  const side = (last: number) =>
    n.indices(
      Array.from({ length: rank }, (_, i) => (i === rank - 1 ? last : 0)),
      'pads',
    );
  const inputs = [bias, side(0), side(want - have), n.scalar('f32', -Infinity, 'hidden')];
  return n.step('Pad', inputs, { pad_mode: 'constant' });
}

/** Pairs of elements turned by an angle for each place. Inputs: data, cosines, sines, optional places in these tables. */
function rotaryEmbedding(n: ImportNode): OutputPort[] {
  const heads = n.attributes.int('num_heads') ?? 0;
  return [rotated(n, n.input(0), [n.input(1), n.input(2)], n.optional(3), heads)];
}

/** Which elements of a head are turned, and which of them belong together. */
export interface RotaryForm {
  /** How many elements, from the first on. */
  readonly turned: number;
  /** Pairs are neighbours, else elements of the two halves. */
  readonly neighbours: boolean;
}

/**
 * @param tables  cosines and sines: `[places, pairs]` where positions choose, else `[batch, sequence, pairs]`
 * @param form  that of the attributes `rotary_embedding_dim` and `interleaved` when absent
 */
export function rotated(
  n: ImportNode,
  x: OutputPort,
  tables: readonly [OutputPort, OutputPort],
  positions: OutputPort | undefined,
  heads: number,
  form?: RotaryForm,
): OutputPort {
  const flat = x.fact.shape.length === 3;
  if (flat && heads < 1) n.attributes.fail('num_heads', 'is missing');
  const split = flat ? n.step('Reshape', [x, n.indices([0, 0, heads, -1], 'heads')], { special_zero: true }) : x;
  const size = split.fact.shape[3]!;
  const turned = form?.turned ?? (n.attributes.int('rotary_embedding_dim') || size);
  if (size < 0 || turned % 2 !== 0 || turned > size) n.invalid(`it turns ${turned} of ${size} elements`);
  const last = n.scalar('i64', 3, 'axis');
  const lengths = n.indices([turned, size - turned], 'lengths');
  const [part, rest] =
    turned === size ? [split] : n.addAll('VariadicSplit', {}, [split, last, lengths], { suffix: 'parts' });
  const zero = n.scalar('i64', 0, 'axis');
  const [cos, sin] = tables.map((table) => {
    const chosen = positions ? n.step('Gather', [table, positions, zero], { batch_dims: 0 }) : table;
    return n.step('Unsqueeze', [chosen, n.indices([flat ? 2 : 1], 'axes')]);
  });
  const result = rotatePairs(n, part!, [cos!, sin!], form?.neighbours ?? n.attributes.flag('interleaved'));
  const whole = rest ? n.step('Concat', [result, rest], { axis: 3 }) : result;
  return flat ? n.step('Reshape', [whole, n.indices([0, 0, -1], 'joined')], { special_zero: true }) : whole;
}

/** Pairs are neighbours, or the halves of the last axis. */
function rotatePairs(
  n: ImportNode,
  x: OutputPort,
  [cos, sin]: readonly [OutputPort, OutputPort],
  neighbours: boolean,
): OutputPort {
  const pairs = neighbours ? n.step('Reshape', [x, n.indices([0, 0, 0, -1, 2], 'pairs')], { special_zero: true }) : x;
  const axis = n.scalar('i64', normalizeAxis(-1, pairs.fact.shape.length), 'axis');
  const last = n.indices([-1], 'last');
  const [a, b] = n
    .addAll('Split', { num_splits: 2 }, [pairs, axis], { suffix: 'Split' })
    .map((half) => (neighbours ? n.step('Squeeze', [half, last]) : half));
  const times = (u: OutputPort, v: OutputPort) => n.step('Multiply', [u, v]);
  const real = n.step('Subtract', [times(cos, a!), times(sin, b!)]);
  const imaginary = n.step('Add', [times(sin, a!), times(cos, b!)]);
  if (!neighbours) return n.step('Concat', [real, imaginary], { axis: 3 });
  const joined = n.step('Concat', [n.step('Unsqueeze', [real, last]), n.step('Unsqueeze', [imaginary, last])], {
    axis: 4,
  });
  return n.step('Reshape', [joined, n.indices([0, 0, 0, -1], 'whole')], { special_zero: true });
}
