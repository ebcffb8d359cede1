// The backend tests of the ONNX project on lowp's own engine: native calls, and the host where there is no kernel.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { compile } from '../../lib/engines/session.ts';
import { ModelProtoSchema } from '../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../lib/formats/onnx/read.ts';
import {
  caseDifference,
  caseElements,
  caseFeeds,
  caseModel,
  type OnnxCase,
  onnxCases,
  skipCases,
} from '../support/onnx-cases.ts';
import { repositoryRoot, sharedFolder } from '../support/shared-folder.ts';

/** The cases that do not pass, each with its reason. UPDATE_GOLDEN=1 writes it anew and keeps the reasons. */
const listFile = path.join(repositoryRoot(), 'test/golden/onnx-node-tests.md');

const models = sharedFolder('models');

const trainingOperators = new Set(['NegativeLogLikelihoodLoss', 'SoftmaxCrossEntropyLoss']);
const randomOperators = new Set(['Bernoulli', 'RandomUniformLike', 'RandomNormalLike']);
/** Operators that opset 23 does not have. */
const newOperators = new Set(['BitCast', 'CumProd', 'Swish', 'TensorScatter']);

/** Why a case is not counted; undefined when it is. */
function outside({ name, proto }: OnnxCase): string | undefined {
  const operators = operatorsOf(proto.graph!.node);
  if (proto.opsetImport.some((o) => o.domain.includes('training'))) return 'training';
  if (operators.some((o) => trainingOperators.has(o)) || /training/.test(name)) return 'training';
  if (operators.some((o) => randomOperators.has(o))) return 'random';
  if (operators.some((o) => newOperators.has(o))) return 'newer than opset 23';
  if (proto.opsetImport.every((o) => o.domain !== '')) return 'another domain';
  return undefined;
}

function operatorsOf(nodes: readonly { readonly opType: string }[]): string[] {
  return nodes.map((n) => n.opType);
}

/** What went wrong; undefined for nothing. */
async function check(c: OnnxCase): Promise<string | undefined> {
  try {
    await using session = await compile(readOnnx(caseModel(c), { elements: caseElements(c) }));
    return caseDifference(c, await session.infer(caseFeeds(c)));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Operators of the networks in `../shared/models`. */
function corpusOperators(): Set<string> {
  const files = readdirSync(models.path).filter((f) => f.endsWith('.onnx'));
  const protos = files.map((f) => fromBinary(ModelProtoSchema, readFileSync(path.join(models.path, f))));
  return new Set(protos.flatMap((p) => operatorsOf(p.graph?.node ?? [])));
}

function readList(): Map<string, string> {
  const rows = readFileSync(listFile, 'utf8').matchAll(/^- `(test_\w+)`: (.*)$/gm);
  return new Map([...rows].map(([, name, reason]) => [name!, reason!]));
}

function writeList(failures: ReadonlyMap<string, string>): void {
  const known = readList();
  const rows = [...failures]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => {
      const reason =
        known.get(name) ??
        text
          .replaceAll(/[\n*_<>]/g, ' ')
          .slice(0, 160)
          .trim();
      return `- \`${name}\`: ${reason}`;
    });
  const [head] = readFileSync(listFile, 'utf8').split('\n- ');
  writeFileSync(listFile, `${head!.trimEnd()}\n\n${rows.join('\n')}\n`);
}

test('the backend tests of ONNX pass, except those on the list', { skip: skipCases || models.skip }, async () => {
  const corpus = corpusOperators();
  const failures = new Map<string, string>();
  const count = { all: 0, passed: 0, corpus: 0, corpusPassed: 0 };
  for (const c of onnxCases()) {
    if (outside(c)) continue;
    const text = await check(c);
    const inCorpus = operatorsOf(c.proto.graph!.node).every((o) => corpus.has(o));
    count.all++;
    if (inCorpus) count.corpus++;
    if (text !== undefined) failures.set(c.name, text);
    else count.passed++;
    if (text === undefined && inCorpus) count.corpusPassed++;
  }
  if (process.env.UPDATE_GOLDEN === '1') writeList(failures);
  const listed = readList();
  const news = [...failures].filter(([name]) => !listed.has(name)).map(([name, text]) => `${name}: ${text}`);
  const mended = [...listed.keys()].filter((name) => !failures.has(name));
  assert.deepEqual(news, [], 'cases that fail and are not listed');
  assert.deepEqual(mended, [], 'cases that are listed and pass; UPDATE_GOLDEN=1 removes them');
  const share = `${count.passed} of ${count.all} pass, ${count.corpusPassed} of ${count.corpus} with known operators`;
  console.log(share);
  assert.ok(count.all > 1600 && count.passed >= 0.96 * count.all, share);
  assert.ok(count.corpus > 500 && count.corpusPassed >= 0.995 * count.corpus, share);
});
