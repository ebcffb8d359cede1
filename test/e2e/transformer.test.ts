// A trained transformer: FP32 and INT8 accuracy, nothing but its embeddings on the host, equal bits everywhere.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { describeExecution } from '../../lib/engines/describe.ts';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { type Model, openModel, quantize, type Tensor, tensor } from '../../lib/index.ts';
import { bitsOfTensor, runnableIsas } from '../support/isas.ts';
import { sharedFolder } from '../support/shared-folder.ts';

const models = sharedFolder('models');
const data = sharedFolder('data');
const skip = models.skip || data.skip;
const network = 'sst2_bert_small_op13';
const length = 64;

/** What reads the ids and the mask, or takes one row: everything else is native. */
const ofIntegers = new Set(['Gather', 'Unsqueeze', 'Convert', 'Subtract']);

type Sentence = readonly [ids: readonly number[], label: number];

function sentences(file: string): readonly Sentence[] {
  return JSON.parse(readFileSync(path.join(data.path, 'sst2', file), 'utf8')) as Sentence[];
}

/** Sentences as one batch, filled up with 0; the mask is 1 where there is a word. */
function feedsOf(batch: readonly Sentence[]): Record<string, Tensor> {
  const shape = [batch.length, length];
  const rows = batch.map(([words]) => Array.from({ length }, (_, i) => words[i] ?? 0));
  const mask = batch.map(([words]) => Array.from({ length }, (_, i) => (i < words.length ? 1 : 0)));
  return { ids: tensor('i64', shape, rows.flat()), mask: tensor('i64', shape, mask.flat()) };
}

/** Percent of the development set whose larger output is the label's. */
async function accuracyOf(model: Model): Promise<number> {
  const all = sentences('dev_ids.json');
  const size = 109;
  const shapes = { ids: [size, length], mask: [size, length] };
  await using executable = await compileNative(model, { shapes, threads: 1 });
  let right = 0;
  for (let i = 0; i + size <= all.length; i += size) {
    const batch = all.slice(i, i + size);
    const logits = (await executable.run(feedsOf(batch))).outputs.logits!.data;
    for (const [j, [, label]] of batch.entries()) if (logits[2 * j + 1]! > logits[2 * j]! === (label === 1)) right++;
  }
  return (100 * right) / all.length;
}

/** Outputs of some sentences on every instruction set, with the nodes that the host evaluates. */
async function bitsAndHosts(model: Model): Promise<{ bits: Set<string>; hosts: Set<string> }> {
  const bits = new Set<string>();
  const hosts = new Set<string>();
  const shapes = { ids: [3, length], mask: [3, length] };
  for (const maxIsa of runnableIsas())
    for (const threads of [1, 2]) {
      await using executable = await compileNative(model, { shapes, maxIsa, threads });
      bits.add(bitsOfTensor((await executable.run(feedsOf(sentences('dev_ids.json').slice(0, 3)))).outputs.logits!));
      for (const d of describeExecution(executable)) if (d.precision === 'host') hosts.add(d.type);
    }
  return { bits, hosts };
}

test('a BERT keeps its accuracy in FP32 and loses at most one point in INT8', { skip, timeout: 600_000 }, async () => {
  const model = await openModel(path.join(models.path, `${network}.onnx`));
  // MODELS.md: 80.85 %.
  assert.ok(Math.abs((await accuracyOf(model)) - 80.85) < 0.01);
  const samples = sentences('train_ids_1000.json').slice(0, 100);
  const calibration = (async function* () {
    for (const sentence of samples) yield feedsOf([sentence]);
  })();
  const { model: quantized } = await quantize(model, calibration, {
    modelType: 'transformer',
    subsetSize: 100,
    threads: 1,
  });
  const accuracy = await accuracyOf(quantized);
  assert.ok(accuracy >= 79.85, `${accuracy} %`);
  for (const m of [model, quantized]) {
    const { bits, hosts } = await bitsAndHosts(m);
    assert.equal(bits.size, 1);
    assert.deepEqual(
      [...hosts].filter((type) => !ofIntegers.has(type)),
      [],
    );
  }
});
