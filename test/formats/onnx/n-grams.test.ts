import assert from 'node:assert/strict';
import test from 'node:test';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { evaluate } from '../../support/model-builder.ts';
import { node, onnxBytes } from '../../support/onnx.ts';

type Attributes = NonNullable<Parameters<typeof node>[3]>;

/** The single numbers 7 and 8, the pairs 7 8 and 8 8; place 2 of the output belongs to none. */
const usual: Attributes = {
  mode: 'TF',
  min_gram_length: 1n,
  max_gram_length: 2n,
  max_skip_count: 1n,
  pool_int64s: [7n, 8n, 7n, 8n, 8n, 8n],
  ngram_counts: [0n, 2n],
  ngram_indexes: [4n, 0n, 1n, 3n],
};

function model(attributes: Attributes, shape: readonly number[]): Uint8Array {
  const nodes = [node('TfIdfVectorizer', ['x'], ['y'], { ...usual, ...attributes }, 'v')];
  return onnxBytes({ opset: 9, inputs: { x: ['i64', shape] }, nodes, outputs: ['y'] });
}

// 7 8 side by side: once; with one number in between: twice. 8 8 with one in between: once.
const x = tensor('i64', [5], [7, 8, 7, 8, 8]);

test('sequences are counted with gaps, single numbers once', async () => {
  assert.deepEqual((await evaluate(readOnnx(model({}, [5])), { x })).y, tensor('f32', [5], [3, 3, 0, 2, 2]));
  const pairs = model({ min_gram_length: 2n, max_skip_count: 0n }, [5]);
  assert.deepEqual((await evaluate(readOnnx(pairs), { x })).y, tensor('f32', [5], [0, 2, 0, 1, 0]));
  const two = tensor('i64', [2, 2], [7, 8, 8, 1]);
  const rows = await evaluate(readOnnx(model({}, [2, 2])), { x: two });
  assert.deepEqual(rows.y, tensor('f32', [2, 5], [1, 1, 0, 0, 1, 1, 0, 0, 0, 0]));
});

test('weights stand in place of counts, or beside them', async () => {
  const weights = [0.5, 2, 3, 4];
  const idf = await evaluate(readOnnx(model({ mode: 'IDF', weights, max_skip_count: 0n }, [5])), { x });
  assert.deepEqual(idf.y, tensor('f32', [5], [2, 3, 0, 4, 0.5]));
  const both = await evaluate(readOnnx(model({ mode: 'TFIDF', weights, max_skip_count: 0n }, [5])), { x });
  assert.deepEqual(both.y, tensor('f32', [5], [6, 6, 0, 4, 1]));
});

test('lists that do not fit each other are refused', () => {
  const refuses = (attributes: Attributes, message: RegExp, shape = [5]) =>
    assert.throws(() => readOnnx(model(attributes, shape)), message);
  refuses({ ngram_counts: [0n, 3n] }, /'ngram_counts' is 0,3; the pool has 6 numbers/);
  refuses({ ngram_indexes: [0n, 1n, 1n, 2n] }, /'ngram_indexes' must name different places/);
  refuses({ ngram_indexes: [0n, 1n] }, /'ngram_indexes' has 2 elements/);
  refuses({ weights: [1.5] }, /'weights' has 1 elements/);
  refuses({ max_gram_length: 0n }, /'max_gram_length' is 0, expected 1 or more/);
  refuses({ pool_strings: ['a'] }, /its pool holds strings/);
  refuses({}, /dynamic size/, [-1]);
});
