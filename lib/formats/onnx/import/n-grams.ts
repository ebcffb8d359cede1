/** TfIdfVectorizer on whole numbers: how often each of a list of short sequences occurs, with gaps between its elements. */
import { limits } from '../../../errors/limits.ts';
import type { OutputPort } from '../../../graph/node.ts';
import { fromFloat64 } from '../../../tensor/convert.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const nGramImporters: ImporterTable = { TfIdfVectorizer: tfIdfVectorizer };

/** The n-grams of one size, and their places in the list of all. */
interface Grams {
  readonly size: number;
  readonly values: readonly number[];
  readonly first: number;
}

function tfIdfVectorizer(n: ImportNode): OutputPort[] {
  const least = wholeAttribute(n, 'min_gram_length', 1);
  const most = wholeAttribute(n, 'max_gram_length', least);
  const gaps = wholeAttribute(n, 'max_skip_count', 0);
  const places = n.attributes.ints('ngram_indexes') ?? n.attributes.fail('ngram_indexes', 'is missing');
  const length = n.input(0).fact.shape.at(-1) ?? n.invalid('its input is a scalar');
  if (length < 0) n.unsupported('the last axis of its input has a dynamic size');
  const parts = [zeros(n)];
  const columns = places.map(() => 0);
  let next = 1;
  for (const grams of gramsOf(n)) {
    const count = grams.values.length / grams.size;
    const total = grams.size < least || grams.size > most || count === 0 ? undefined : counted(n, grams, length, gaps);
    if (!total) continue;
    parts.push(total);
    for (let i = 0; i < count; i++) columns[grams.first + i] = next++;
  }
  if (columns.length !== places.length) n.attributes.fail('ngram_indexes', `has ${places.length} elements`);
  return [arranged(n, n.step('Concat', parts, { axis: n.rank(0) - 1 }), columns, places)];
}

function wholeAttribute(n: ImportNode, name: string, least: number): number {
  const value = n.attributes.int(name) ?? n.attributes.fail(name, 'is missing');
  return value >= least ? value : n.attributes.fail(name, `is ${value}, expected ${least} or more`);
}

/** The pool cut at the starts of the sizes 1, 2 and so on. */
function gramsOf(n: ImportNode): Grams[] {
  if (n.attributes.has('pool_strings')) n.unsupported('its pool holds strings; lowp reads numbers only');
  const pool = n.attributes.ints('pool_int64s') ?? n.attributes.fail('pool_int64s', 'is missing');
  const starts = n.attributes.ints('ngram_counts') ?? n.attributes.fail('ngram_counts', 'is missing');
  let first = 0;
  return starts.map((start, i) => {
    const values = pool.slice(start, starts[i + 1] ?? pool.length);
    const size = i + 1;
    if (start < 0 || start > pool.length || values.length % size !== 0) {
      n.attributes.fail('ngram_counts', `is ${starts}; the pool has ${pool.length} numbers`);
    }
    const grams = { size, values, first };
    first += values.length / size;
    return grams;
  });
}

/** Occurrences of each n-gram in every row, `[..., count]`; undefined when rows are too short for one. */
function counted(n: ImportNode, { size, values }: Grams, length: number, gaps: number): OutputPort | undefined {
  const data = n.input(0);
  const axes = [n.scalar('i64', -1, 'axis'), n.indices([-1], 'axes')] as const;
  const number = values.length / size;
  const pool = n.constant(fromFloat64(Float64Array.from(values), [number, 1, size], data.fact.type), 'pool');
  let sum: OutputPort | undefined;
  // A single element has no gaps.
  for (let step = 1; step <= (size === 1 ? 1 : gaps + 1); step++) {
    const starts = length - (size - 1) * step;
    if (starts < 1) break;
    if (starts * values.length > limits.nGramComparisons.value)
      n.unsupported(`it compares ${values.length} numbers at ${starts} places`);
    const at = Array.from({ length: starts * size }, (_, i) => Math.floor(i / size) + (i % size) * step);
    const windows = n.constant(tensor('i64', [1, starts, size], at), 'windows');
    const taken = n.step('Gather', [data, windows, axes[0]], { batch_dims: 0 });
    const equal = n.converted(n.step('Equal', [taken, pool]), 'f32');
    const found = n.step('ReduceProd', [equal, axes[1]], { keep_dims: false });
    const count = n.step('ReduceSum', [found, axes[1]], { keep_dims: false });
    sum = sum ? n.step('Add', [sum, count]) : count;
  }
  return sum;
}

/** The columns, weighted as the mode says, where the output has them; column 0 holds zeros. */
function arranged(n: ImportNode, all: OutputPort, columns: readonly number[], places: readonly number[]): OutputPort {
  const mode = n.attributes.choice('mode', ['TF', 'IDF', 'TFIDF'], 'TF');
  const weights = n.attributes.floats('weights') ?? columns.map(() => 1);
  if (weights.length !== columns.length) n.attributes.fail('weights', `has ${weights.length} elements`);
  if (places.length === 0 || new Set(places).size < places.length || places.some((p) => p < 0 || p >= 2 ** 24)) {
    n.attributes.fail('ngram_indexes', 'must name different places of the output');
  }
  const picked = new Array<number>(places.reduce((a, b) => Math.max(a, b)) + 1).fill(0);
  const factors = picked.map(() => 0);
  for (const [i, place] of places.entries()) {
    picked[place] = columns[i]!;
    factors[place] = weights[i]!;
  }
  const counts = n.step('Gather', [all, n.indices(picked, 'columns'), n.scalar('i64', -1, 'axis')], { batch_dims: 0 });
  if (mode === 'TF') return counts;
  const values = mode === 'IDF' ? n.converted(n.with('Greater', counts, 0), 'f32') : counts;
  return n.step('Multiply', [values, n.constant(tensor('f32', [factors.length], factors), 'weights')]);
}

/** One 0 for each row. */
function zeros(n: ImportNode): OutputPort {
  const first = [n.input(0), n.indices([0], 'first'), n.scalar('i64', -1, 'axis')];
  return n.converted(n.with('Multiply', n.step('Gather', first, { batch_dims: 0 }), 0), 'f32');
}
