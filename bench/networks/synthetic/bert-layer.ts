// One encoder layer of BERT (Devlin et al. 2018), by default that of BERT-base for 128 tokens, in the small operations that
// exporters write: layer normalization and GELU are not single nodes.
import type { OutputPort } from '../../../lib/graph/node.ts';
import type { Model } from '../../../lib/index.ts';
import { Graph } from './graph.ts';

export interface BertSizes {
  readonly tokens: number;
  readonly hidden: number;
  readonly heads: number;
  /** Of the wide layer. */
  readonly inner: number;
}

const base: BertSizes = { tokens: 128, hidden: 768, heads: 12, inner: 3072 };

/** [batch, tokens, hidden] → [batch, heads, tokens, hidden / heads], or the last two axes swapped. */
function split(g: Graph, x: OutputPort, { tokens, hidden, heads }: BertSizes, order: readonly number[]): OutputPort {
  const shaped = g.add('Reshape', [x, g.integers(-1, tokens, heads, hidden / heads)], { special_zero: false });
  return g.add('Transpose', [shaped, g.integers(...order)]);
}

function attention(g: Graph, x: OutputPort, sizes: BertSizes): OutputPort {
  const { tokens, hidden, heads } = sizes;
  const query = split(g, g.linear(x, hidden), sizes, [0, 2, 1, 3]);
  const key = split(g, g.linear(x, hidden), sizes, [0, 2, 3, 1]);
  const value = split(g, g.linear(x, hidden), sizes, [0, 2, 1, 3]);
  const scores = g.add('Divide', [g.add('MatMul', [query, key]), g.number(Math.sqrt(hidden / heads))]);
  const mixed = g.add('MatMul', [g.add('SoftMax', [scores], { axis: 3 }), value]);
  const merged = g.add('Transpose', [mixed, g.integers(0, 2, 1, 3)]);
  return g.linear(g.add('Reshape', [merged, g.integers(-1, tokens, hidden)], { special_zero: false }), hidden);
}

function layerNorm(g: Graph, x: OutputPort): OutputPort {
  const hidden = x.fact.shape.at(-1)!;
  const centred = g.add('Subtract', [x, g.add('ReduceMean', [x, g.integers(-1)], { keep_dims: true })]);
  const squared = g.add('Power', [centred, g.number(2)]);
  const variance = g.add('ReduceMean', [squared, g.integers(-1)], { keep_dims: true });
  const deviation = g.add('Sqrt', [g.add('Add', [variance, g.number(1e-12)])]);
  const scaled = g.add('Multiply', [g.add('Divide', [centred, deviation]), g.normal([hidden], 0.1, 1)]);
  return g.add('Add', [scaled, g.normal([hidden], 0.1)]);
}

function gelu(g: Graph, x: OutputPort): OutputPort {
  const erf = g.add('Erf', [g.add('Divide', [x, g.number(Math.SQRT2)])]);
  return g.add('Multiply', [g.add('Multiply', [x, g.add('Add', [erf, g.number(1)])]), g.number(0.5)]);
}

export function bertLayer(sizes: BertSizes = base): Model {
  const { tokens, hidden, inner } = sizes;
  const g = new Graph('bert_layer');
  const x = g.input('input', [-1, tokens, hidden]);
  const attended = layerNorm(g, g.add('Add', [attention(g, x, sizes), x]));
  const widened = gelu(g, g.linear(attended, inner));
  g.output(layerNorm(g, g.add('Add', [g.linear(widened, hidden), attended])), 'output');
  return g.model;
}
