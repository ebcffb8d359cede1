// Properties of lowering as a whole: random networks give the outputs of the reference engine.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { Model } from '../../lib/graph/model.ts';
import { quantize } from '../../lib/quantize.ts';
import { maxAbsError, sqnr } from '../../lib/tensor/compare.ts';
import { toFloat64 } from '../../lib/tensor/convert.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { bitsOfTensor, runnableIsas } from '../support/isas.ts';
import { evaluate, randomFeeds } from '../support/model-builder.ts';
import { buildNetwork, networkPlans } from '../support/random-network.ts';

/** More networks, or others: `LOWP_PROPERTY_RUNS=5000 LOWP_PROPERTY_SEED=7`. */
const settings = {
  numRuns: Number(process.env.LOWP_PROPERTY_RUNS ?? 100),
  seed: Number(process.env.LOWP_PROPERTY_SEED ?? 1),
};

async function outputsOf(model: Model, feeds: Record<string, Tensor>, maxIsa: 'scalar' | 'native', threads = 1) {
  await using executable = await compileNative(model, { maxIsa, threads });
  return (await executable.run(feeds)).outputs;
}

test('a random network in FP32 gives the outputs of the reference engine', async () => {
  await fc.assert(
    fc.asyncProperty(networkPlans(8), async (plan) => {
      const model = buildNetwork(plan);
      const feeds = randomFeeds(model, plan.seed);
      const expected = await evaluate(model, feeds);
      const actual = await outputsOf(model, feeds, 'native', 2);
      assert.deepEqual(Object.keys(actual), Object.keys(expected));
      for (const [name, tensor] of Object.entries(expected)) {
        const error = relativeError(actual[name]!, tensor);
        assert.ok(error <= 1e-5, `${name} is off by ${error} of its largest value`);
      }
    }),
    settings,
  );
});

/** The largest error by the largest magnitude of the expectation; sums that cancel out leave errors of their terms. */
function relativeError(actual: Tensor, expected: Tensor): number {
  const largest = toFloat64(expected).reduce((most, v) => Math.max(most, Math.abs(v)), 0.1);
  return maxAbsError(actual, expected) / largest;
}

test('a network with random quantizers gives equal bits on every instruction set, near the reference', async () => {
  await fc.assert(
    fc.asyncProperty(networkPlans(8), async (plan) => {
      const model = buildNetwork(plan, { quantizers: true });
      await agrees(model, randomFeeds(model, plan.seed));
    }),
    settings,
  );
});

test('a random network after quantize() gives equal bits on every instruction set, near the reference', async () => {
  await fc.assert(
    fc.asyncProperty(networkPlans(6), fc.boolean(), async (plan, mixed) => {
      const original = buildNetwork(plan);
      const samples = [1, 2].map((seed) => randomFeeds(original, plan.seed + seed));
      let model: Model;
      try {
        ({ model } = await quantize(original, samples, { preset: mixed ? 'mixed' : 'performance', subsetSize: 2 }));
      } catch (error) {
        if (error instanceof LowpError && error.code === 'ERR_ALGO_NOTHING_QUANTIZED') return;
        throw error;
      }
      await agrees(model, samples[0]!);
    }),
    settings,
  );
});

/**
 * Sums of floats in another order, and padding whose zero lies beside a byte, round some elements to the other of two
 * neighbours. That leaves 20 dB, or an error of two steps of the widest grid (7.5 / 255) where values are not much
 * larger than steps.
 */
async function agrees(model: Model, feeds: Record<string, Tensor>): Promise<void> {
  const expected = await evaluate(model, feeds);
  let first: Record<string, Tensor> | undefined;
  for (const maxIsa of runnableIsas()) {
    await using executable = await compileNative(model, { maxIsa, threads: maxIsa === 'avx2' ? 2 : 1 });
    const { outputs } = await executable.run(feeds);
    first ??= outputs;
    for (const [name, tensor] of Object.entries(outputs)) {
      assert.equal(bitsOfTensor(tensor), bitsOfTensor(first[name]!), `${name}: ${maxIsa} differs from scalar`);
    }
  }
  for (const [name, tensor] of Object.entries(expected)) {
    const ratio = sqnr(first![name]!, tensor);
    const error = maxAbsError(first![name]!, tensor);
    assert.ok(ratio >= 20 || error <= 0.06, `${name} has ${ratio} dB, the largest error is ${error}`);
  }
}
