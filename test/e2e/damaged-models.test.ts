// Damaged models: the readers refuse them with a code, or they read, and what reads can be written, prepared and run. No
// other error, no crash, no hang. LOWP_FUZZ_CASES=1000000 LOWP_FUZZ_SEED=n looks further; a failure names its seed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { compile } from '../../lib/engines/session.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { readIr } from '../../lib/formats/ir/read.ts';
import { writeIr } from '../../lib/formats/ir/write.ts';
import { ModelProtoSchema } from '../../lib/formats/onnx/onnx_pb.ts';
import { readOnnx } from '../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../lib/formats/onnx/write.ts';
import { inputName, type Model } from '../../lib/graph/model.ts';
import { isStatic, spannedElements } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { type Random, random } from '../../lib/util/random.ts';
import { mutateBytes } from '../support/fuzz/mutate-bytes.ts';
import { mutateMessage } from '../support/fuzz/mutate-message.ts';
import { mutateXml } from '../support/fuzz/mutate-xml.ts';
import { irSeeds, onnxSeeds } from '../support/fuzz/seed-models.ts';

const cases = Number(process.env.LOWP_FUZZ_CASES ?? 4000);
const firstSeed = Number(process.env.LOWP_FUZZ_SEED ?? 1);
/** One of so many models that still read is also run. */
const runEvery = 8;
/** Models with larger values are not run. */
const mostElements = 4096;
/** Codes that would say that lowp itself is wrong. */
const defects = new Set(['ERR_INTERNAL', 'ERR_PROGRAM_INVALID']);

type Read = () => Model;

/** @returns the model, or undefined when it was refused as it should be */
function expected<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof LowpError && !defects.has(error.code)) return undefined;
    throw error;
  }
}

function isSmall(model: Model): boolean {
  return model
    .nodes()
    .every((node) =>
      node.outputs.every(({ fact }) => isStatic(fact.shape) && spannedElements(fact.shape) <= mostElements),
    );
}

function feedsOf(model: Model): Record<string, Tensor> {
  return Object.fromEntries(
    model.parameters().map((p) => {
      const { type, shape } = p.output.fact;
      return [inputName(p), tensor(type, shape, new Array<number>(shape.reduce((n, d) => n * d, 1)).fill(1))];
    }),
  );
}

async function run(model: Model): Promise<void> {
  try {
    await using session = await compile(model, { threads: 1 });
    await session.infer(feedsOf(model));
  } catch (error) {
    if (!(error instanceof LowpError) || defects.has(error.code)) throw error;
  }
}

/** Keeps one finding for each place in the code. */
function note(findings: Map<string, string>, seed: number, error: unknown): void {
  const stack = (error as Error).stack ?? String(error);
  const place = /\(?[^\s(]*\/(lib\/[^\s)]+)/.exec(stack)?.[1] ?? stack;
  if (!findings.has(place)) findings.set(place, `LOWP_FUZZ_SEED=${seed} LOWP_FUZZ_CASES=1: ${stack}`);
}

/** Runs the cases; `damage` gives the reader of one damaged file. */
async function fuzz(what: string, damage: (r: Random) => Read | undefined): Promise<void> {
  let read = 0;
  let refused = 0;
  let slowest = { seed: 0, ms: 0 };
  const findings = new Map<string, string>();
  for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
    const start = performance.now();
    try {
      const attempt = damage(random(seed));
      const model = attempt && expected(attempt);
      if (!model) {
        refused++;
        continue;
      }
      read++;
      expected(() => writeIr(model));
      if (read % 4 === 0) expected(() => writeOnnx(model));
      if (read % runEvery === 0 && isSmall(model)) await run(model);
    } catch (error) {
      note(findings, seed, error);
    }
    const ms = performance.now() - start;
    if (ms > slowest.ms) slowest = { seed, ms };
  }
  assert.deepEqual([...findings.values()], [], what);
  if (process.env.LOWP_FUZZ_CASES) {
    const rss = Math.round(process.memoryUsage().rss / 2 ** 20);
    console.log(
      `${what}: ${read} read, ${refused} refused, slowest seed ${slowest.seed} ${slowest.ms.toFixed(0)} ms, ${rss} MB`,
    );
  } else assert.ok(read > 0 && refused > 0, `${read} of ${cases} damaged models were read`);
}

function pick<T>(list: readonly T[], r: Random): T {
  return list[r.int(0, list.length)]!;
}

test('an IR whose elements and attributes were changed', async () => {
  const seeds = irSeeds();
  await fuzz('IR by structure', (r) => {
    const { xml, bin } = pick(seeds, r);
    const changed = mutateXml(xml, r);
    return () => readIr(changed, bin);
  });
});

test('an IR whose bytes were changed', async () => {
  const seeds = irSeeds();
  await fuzz('IR by bytes', (r) => {
    const { xml, bin } = pick(seeds, r);
    const changed = mutateBytes(new TextEncoder().encode(xml), r);
    const weights = r.int(0, 2) === 0 ? bin : mutateBytes(bin, r);
    return () => readIr(changed, weights);
  });
});

test('an ONNX model whose messages were changed', async () => {
  const seeds = onnxSeeds();
  await fuzz('ONNX by structure', (r) => {
    const proto = fromBinary(ModelProtoSchema, pick(seeds, r).bytes);
    mutateMessage(proto, r);
    let bytes: Uint8Array;
    try {
      bytes = toBinary(ModelProtoSchema, proto);
    } catch {
      return undefined; // no file holds such a message
    }
    return () => readOnnx(bytes);
  });
});

test('an ONNX model whose bytes were changed', async () => {
  const seeds = onnxSeeds();
  await fuzz('ONNX by bytes', (r) => {
    const bytes = mutateBytes(pick(seeds, r).bytes, r);
    return () => readOnnx(bytes);
  });
});
