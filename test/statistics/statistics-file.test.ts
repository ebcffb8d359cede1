import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Feeds } from '../../lib/engines/engine.ts';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import type { Batch } from '../../lib/statistics/batches.ts';
import { aggregators, type StatisticRequest } from '../../lib/statistics/request.ts';
import { openStatistics, readStatistics, writeStatistics } from '../../lib/statistics/statistics-file.ts';
import { StatisticsStore } from '../../lib/statistics/store.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { Network } from '../support/network.ts';

function network(slope = 0.5): { net: Network; requests: StatisticRequest[] } {
  const net = new Network();
  const x = net.input('x', [1, 3, 4]);
  const port = net.op('Multiply', 'scaled', [x, net.value('slope', tensor('f32', [1], [slope]))]);
  net.result(net.op('ReLU', 'relu', [port]));
  const requests = aggregators.flatMap((aggregator): StatisticRequest[] => [
    { port, granularity: 'perTensor', statistic: { kind: 'absMax' }, aggregator },
    { port, granularity: 'perChannel', channelAxis: 1, statistic: { kind: 'mean' }, aggregator },
    { port, granularity: 'perTensor', statistic: { kind: 'quantile', share: 0.9 }, aggregator },
  ]);
  requests.push({ port, granularity: 'perTensor', statistic: { kind: 'histogram' }, aggregator: 'sum' });
  return { net, requests };
}

function samples(count: number, seed = 1): Feeds[] {
  const r = random(seed);
  return Array.from({ length: count }, () => {
    return {
      x: tensor(
        'f32',
        [1, 3, 4],
        Float32Array.from({ length: 12 }, () => r.normal()),
      ),
    };
  });
}

async function* batches(feeds: readonly Feeds[], read: { count: number } = { count: 0 }): AsyncGenerator<Batch> {
  for (const f of feeds) {
    read.count++;
    yield { feeds: f, samples: 1 };
  }
}

const neverRuns = {
  name: 'never',
  compile: () => {
    throw new Error('the model was run');
  },
};

describe('a statistics file', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lowp-statistics-'));
  });
  after(() => rm(folder, { recursive: true }));

  const { net, requests } = network();
  const collect = async (feeds: readonly Feeds[], needed = requests): Promise<StatisticsStore> => {
    const store = new StatisticsStore();
    await store.answer(
      { model: net.model, needed, more: () => [], batches: batches(feeds) },
      { engine: referenceEngine },
    );
    return store;
  };
  const numbers = (store: StatisticsStore): number[][] => requests.map((r) => [...store.parts()[0]!.get(r)]);

  it('gives back what was written, and the same bytes again', async () => {
    const file = path.join(folder, 'a.json');
    const store = await collect(samples(9));
    await writeStatistics(file, store);
    const again = await readStatistics(file);
    assert.deepEqual(numbers(again), numbers(store));
    assert.equal(again.samples, 9);
    await writeStatistics(path.join(folder, 'b.json'), again);
    assert.deepEqual(await readFile(path.join(folder, 'b.json')), await readFile(file));
    assert.deepEqual((await readdir(folder)).sort(), ['a.json', 'b.json']);
  });

  it('is the same for any order of the samples', async () => {
    const [one, two] = [path.join(folder, 'one.json'), path.join(folder, 'two.json')];
    await writeStatistics(one, await collect(samples(40)));
    await writeStatistics(two, await collect(samples(40).toReversed()));
    assert.deepEqual(await readFile(one), await readFile(two));
  });

  it('of two halves merged is that of the whole, bit for bit', async () => {
    const all = samples(50);
    const [left, right] = [await collect(all.slice(0, 17)), await collect(all.slice(17))];
    const [whole, merged] = [path.join(folder, 'whole.json'), path.join(folder, 'merged.json')];
    await writeStatistics(whole, await collect(all));
    await writeStatistics(merged, right.merge(left));
    assert.deepEqual(await readFile(merged), await readFile(whole));
  });

  it('answers without running the model, also without samples', async () => {
    const file = path.join(folder, 'known.json');
    await writeStatistics(file, await collect(samples(5)));
    for (const given of [batches(samples(5).toReversed()), undefined]) {
      const store = await readStatistics(file);
      const answer = { model: net.model, needed: requests, more: () => [], batches: given };
      const found = await store.answer(answer, { engine: neverRuns });
      assert.equal(found.samples, 5);
    }
  });

  it('collects only what it lacks, and keeps it', async () => {
    const store = await collect(samples(5), requests.slice(0, 1));
    const asked: number[] = [];
    const engine: typeof referenceEngine = {
      ...referenceEngine,
      compile: (model, options) => {
        asked.push(options?.observe?.length ?? 0);
        return referenceEngine.compile(model, options);
      },
    };
    const request = { model: net.model, needed: requests.slice(0, 2), more: () => requests.slice(2) };
    await store.answer({ ...request, batches: batches(samples(5)) }, { engine });
    await store.answer({ ...request, needed: requests, batches: undefined }, { engine: neverRuns });
    assert.deepEqual(asked, [2]);
    assert.deepEqual(numbers(store), numbers(await collect(samples(5))));
  });

  it('is refused for other samples, another number of them, and another model', async () => {
    const file = path.join(folder, 'other.json');
    await writeStatistics(file, await collect(samples(5)));
    const answer = async (feeds: readonly Feeds[]): Promise<unknown> =>
      (await readStatistics(file)).answer(
        { model: net.model, needed: requests, more: () => [], batches: batches(feeds) },
        { engine: neverRuns },
      );
    await assert.rejects(answer(samples(5, 2)), { code: 'ERR_STATISTICS_MISMATCH', message: /5 other samples/ });
    await assert.rejects(answer(samples(4)), { code: 'ERR_STATISTICS_MISMATCH', message: /5 samples, these are 4/ });
    const store = await readStatistics(file);
    store.requireModel(net.model);
    assert.throws(() => store.requireModel(network(0.25).net.model), {
      code: 'ERR_STATISTICS_MISMATCH',
      message: /another model/,
    });
    assert.throws(() => store.merge(new StatisticsStore()), { code: 'ERR_STATISTICS_MISMATCH' });
  });

  it('says what it lacks when there are no samples', async () => {
    const store = await collect(samples(3), requests.slice(0, 1));
    const answer = { model: net.model, needed: requests, more: () => [], batches: undefined };
    await assert.rejects(store.answer(answer, { engine: neverRuns }), { code: 'ERR_DATA_EMPTY', message: /lacks/ });
  });

  it('that does not exist is an empty store; one that cannot be written is an error', async () => {
    assert.equal((await openStatistics(path.join(folder, 'none.json'))).samples, 0);
    await assert.rejects(readStatistics(path.join(folder, 'none.json')), { code: 'ERR_IO_NOT_FOUND' });
    await assert.rejects(openStatistics(folder), { code: 'ERR_IO_READ' });
    await assert.rejects(writeStatistics(path.join(folder, 'empty.json'), new StatisticsStore()), {
      code: 'ERR_DATA_EMPTY',
    });
  });

  it('that is damaged is refused with the reason', async () => {
    const file = path.join(folder, 'damaged.json');
    await writeStatistics(file, await collect(samples(3)));
    const text = await readFile(file, 'utf8');
    const broken: readonly (readonly [string, RegExp])[] = [
      [text.slice(0, -20), /not JSON/],
      ['[]', /the file/],
      [text.replace('"version":1', '"version":2'), /version/],
      [text.replace('"format":"lowp-statistics"', '"format":"x"'), /format/],
      [text.replace('"kind":"extreme"', '"kind":"sums"'), /./],
      [text.replace(/"values":"[^"]*"/, '"values":"AAA="'), /2 bytes/],
      [text.replace(/"keys":"[^"]*"/, '"keys":"AAAAAAAAAAA="'), /multiset/],
      [text.replace(/\[(\d+),"[^"]*"\]/, '[$1,"AAAAAAAA8H8="]'), /sum/],
      [text.replace('"samples":3', '"samples":0'), /samples/],
    ];
    for (const [content, message] of broken) {
      assert.notEqual(content, text);
      await writeFile(file, content);
      await assert.rejects(readStatistics(file), { code: 'ERR_STATISTICS_INVALID', message });
    }
  });

  it('whose numbers do not fit the channels of the model is refused when it is used', async () => {
    const file = path.join(folder, 'short.json');
    const needed = requests.filter((r) => r.granularity === 'perChannel' && r.aggregator === 'max');
    await writeStatistics(file, await collect(samples(3), needed));
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/"values":"[^"]*"/, '"values":"AAAAAA=="'));
    const store = await readStatistics(file);
    await assert.rejects(
      store.answer({ model: net.model, needed, more: () => [], batches: undefined }, { engine: neverRuns }),
      {
        code: 'ERR_STATISTICS_INVALID',
        node: 'scaled',
      },
    );
  });
});
