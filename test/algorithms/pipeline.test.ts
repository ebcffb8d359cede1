import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Algorithm } from '../../lib/algorithms/algorithm.ts';
import { setConstant } from '../../lib/graph/edit.ts';
import type { StatisticRequest } from '../../lib/statistics/request.ts';
import { scalar, tensor } from '../../lib/tensor/tensor.ts';
import { Network } from '../support/network.ts';
import { runAlgorithms } from '../support/pipeline.ts';

/** y = x · factor */
function scaled(): Network {
  const net = new Network();
  net.result(net.op('Multiply', 'y', [net.input('x', [1, 2]), net.value('factor', scalar('f32', 2))]));
  return net;
}

const samples = [
  [1, 3],
  [2, 5],
].map((x) => ({ x: tensor('f32', [1, 2], x) }));

/** Remembers the largest `y` that it was told. */
function listener(seen: number[]): Algorithm {
  let request: StatisticRequest;
  return {
    name: 'listener',
    request: ({ original }) => {
      request = {
        port: original.node('y').output,
        granularity: 'perTensor',
        statistic: { kind: 'max' },
        aggregator: 'max',
      };
      return [request];
    },
    apply: async (_, statistics) => {
      seen.push(statistics.get(request)[0]!);
    },
  };
}

const tripler: Algorithm = {
  name: 'tripler',
  changesOriginal: true,
  request: () => [],
  apply: async ({ work }) => setConstant(work.node('factor'), scalar('f32', 6)),
};

describe('pipeline', () => {
  it('gives statistics of the changed model to the algorithms behind one that changes the original', async () => {
    const seen: number[] = [];
    await runAlgorithms(scaled().model, [listener(seen), tripler, listener(seen)], samples);
    assert.deepEqual(seen, [10, 30]);
  });

  it('reads no sample for a stage that asks for nothing', async () => {
    const ran = await runAlgorithms(scaled().model, [tripler], []);
    assert.equal(ran.samples, 0);
    assert.equal(Number(ran.work.node('factor').output.fact.value!.data[0]), 6);
  });

  it('lets an algorithm read the samples from the first one on', async () => {
    const first: number[] = [];
    const reader: Algorithm = {
      name: 'reader',
      readsSamples: true,
      request: () => [],
      apply: async (context) => {
        for await (const { feeds } of context.samples()) first.push(Number(feeds.x!.data[0]));
      },
    };
    await runAlgorithms(scaled().model, [listener([]), reader, reader], samples);
    assert.deepEqual(first, [1, 2, 1, 2]);
  });
});
