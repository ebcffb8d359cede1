import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Dataset, Sample } from '../../lib/data/dataset.ts';
import { sampleDataset, sampleIndices } from '../../lib/data/sampling.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

function numbered(length: number, read: number[] = []): Dataset {
  const sample = (i: number): Sample => ({ id: `${i}`, inputs: { x: tensor('f32', [1], [i]) } });
  return {
    name: 'numbers',
    length,
    at: async (i) => {
      read.push(i);
      return sample(i);
    },
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < length; i++) yield sample(i);
    },
  };
}

async function idsOf(dataset: Dataset): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of dataset) ids.push(Number(id));
  return ids;
}

describe('a random subset', () => {
  it('holds different numbers in ascending order, as many as were asked for, the same for the same seed', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.nat(), (length, count, seed) => {
        const chosen = sampleIndices(length, count, seed);
        assert.equal(chosen.length, Math.min(length, count));
        assert.ok(chosen.every((v, i) => v >= 0 && v < length && (i === 0 || v > chosen[i - 1]!)));
        assert.deepEqual(sampleIndices(length, count, seed), chosen);
      }),
    );
  });

  it('of a given seed never changes', () => {
    assert.deepEqual(sampleIndices(1000, 5, 0), golden[0]);
    assert.deepEqual(sampleIndices(1000, 5, 1), golden[1]);
  });

  it('takes every number equally often', () => {
    const taken = new Array<number>(20).fill(0);
    for (let seed = 0; seed < 4000; seed++) for (const i of sampleIndices(20, 5, seed)) taken[i]!++;
    // 1000 expected with a standard deviation of 27.
    for (const [i, times] of taken.entries()) assert.ok(Math.abs(times - 1000) < 140, `${i} came ${times} times`);
  });

  it('of a dataset reads only what was chosen, in the order of the dataset', async () => {
    const read: number[] = [];
    const subset = sampleDataset(numbered(500, read), 7, 3);
    const ids = await idsOf(subset);
    assert.deepEqual(ids, sampleIndices(500, 7, 3));
    assert.deepEqual(read, ids);
    assert.equal(subset.length, 7);
    assert.deepEqual(await idsOf(subset), ids);
  });

  it('of a dataset that can only be read in order is the same', async () => {
    const { at: _, ...ordered } = numbered(500);
    assert.deepEqual(await idsOf(sampleDataset(ordered, 7, 3)), sampleIndices(500, 7, 3));
  });

  it('that is larger than the dataset is the dataset', async () => {
    assert.deepEqual(await idsOf(sampleDataset(numbered(4), 9)), [0, 1, 2, 3]);
  });
});

const golden = [
  [16, 558, 689, 734, 939],
  [116, 227, 414, 490, 903],
];
