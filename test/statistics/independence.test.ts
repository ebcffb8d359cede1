// Statistics do not depend on the batch, the order of the samples or the threads, bit for bit.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Feeds } from '../../lib/engines/engine.ts';
import { nativeEngine } from '../../lib/engines/native-engine.ts';
import { inferModel } from '../../lib/ops/infer-model.ts';
import { collectStatistics } from '../../lib/statistics/collect.ts';
import type { CollectedStatistics } from '../../lib/statistics/collected.ts';
import { modelFingerprint } from '../../lib/statistics/fingerprint.ts';
import { aggregators, type SampleStatistic, type StatisticRequest } from '../../lib/statistics/request.ts';
import { checkedSamples } from '../../lib/statistics/samples.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { Network } from '../support/network.ts';

const size = [5, 20, 20] as const;
const elements = size[0] * size[1] * size[2];
const channelOut = 24;

interface Watched {
  readonly model: Network['model'];
  readonly requests: readonly StatisticRequest[];
}

/** Convolutions, a clamp, a pool and a product, with everything that can be asked of their values. */
function network(batch: number): Watched {
  const net = new Network(3);
  const x = net.input('x', [batch, ...size]);
  const conv = net.convolution('conv', x, channelOut);
  const relu = net.op('ReLU', 'relu', [conv]);
  const next = net.convolution('next', relu, 8, { stride: 2 });
  const flat = net.op('Reshape', 'flat', [next, net.integers('rows', [0, -1])], { special_zero: true });
  const product = net.op('MatMul', 'product', [flat, net.weights('w', [7, 800])], { transpose_b: true });
  net.result(product);
  const statistics: SampleStatistic[] = [
    { kind: 'min' },
    { kind: 'max' },
    { kind: 'absMax' },
    { kind: 'mean' },
    { kind: 'quantile', share: 0.3 },
    { kind: 'absQuantile', share: 0.999 },
  ];
  const requests = [x, conv, relu, next, product].flatMap((port) =>
    statistics.flatMap((statistic) =>
      aggregators.flatMap((aggregator): StatisticRequest[] => [
        { port, granularity: 'perTensor', statistic, aggregator },
        { port, granularity: 'perChannel', channelAxis: 1, statistic, aggregator },
      ]),
    ),
  );
  for (const port of [x, conv, relu, next, product])
    requests.push({ port, granularity: 'perTensor', statistic: { kind: 'histogram' }, aggregator: 'sum' });
  return { model: net.model, requests };
}

function images(count: number): Feeds[] {
  const r = random(11);
  return Array.from({ length: count }, () => {
    const scale = 2 ** r.int(-3, 4);
    return {
      x: tensor(
        'f32',
        [1, ...size],
        Float32Array.from({ length: elements }, () => scale * r.normal()),
      ),
    };
  });
}

/** Samples stacked along axis 0, `batch` at a time. */
function stacked(samples: readonly Feeds[], batch: number): Feeds[] {
  const all: Feeds[] = [];
  for (let i = 0; i < samples.length; i += batch) {
    const part = samples.slice(i, i + batch);
    const data = new Float32Array(part.length * elements);
    for (const [k, { x }] of part.entries()) data.set(x!.data as Float32Array, k * elements);
    all.push({ x: tensor('f32', [part.length, ...size], data) });
  }
  return all;
}

async function collected(
  { model, requests }: Watched,
  samples: readonly Feeds[],
  options: { readonly threads?: number; readonly subsetSize?: number } = {},
): Promise<CollectedStatistics> {
  const { threads = 1, subsetSize = 1000 } = options;
  const batches = checkedSamples(model, samples, { subsetSize });
  const fingerprint = modelFingerprint(model);
  return collectStatistics(model, requests, batches, { engine: nativeEngine, threads, fingerprint });
}

describe('statistics', () => {
  const samples = images(11);
  const single = network(1);
  let expected: CollectedStatistics;
  before(async () => {
    expected = await collected(single, samples);
  });

  function same(found: CollectedStatistics, { requests }: Watched): void {
    assert.equal(found.samples, expected.samples);
    assert.equal(found.source.data, expected.source.data);
    for (const [i, request] of requests.entries()) {
      const { port, granularity, statistic, aggregator } = request;
      const what = `${port.node.name} ${granularity} ${statistic.kind} ${aggregator}`;
      assert.deepEqual(found.get(request), expected.get(single.requests[i]!), what);
    }
  }

  it('are the same in any order of the samples', async () => {
    same(await collected(single, samples.toReversed()), single);
  });

  it('are the same on two threads', async () => {
    same(await collected(single, samples, { threads: 2 }), single);
  });

  it('are the same for samples that come stacked', async () => {
    same(await collected(single, stacked(samples, 4)), single);
  });

  it('are the same for a model that takes four samples at a time, the last batch filled up', async () => {
    const four = network(4);
    same(await collected(four, samples), four);
    same(await collected(four, stacked(samples, 4)), four);
    same(await collected(four, stacked(samples, 3), { threads: 2 }), four);
  });

  it('are the same for a model of dynamic batch, whatever comes at a time', async () => {
    const free = network(1);
    inferModel(free.model, { x: [-1, ...size] });
    same(await collected(free, samples), free);
    same(await collected(free, stacked(samples, 5)), free);
  });

  it('are the same when more shapes come than stay compiled', async () => {
    const free = network(1);
    inferModel(free.model, { x: [-1, ...size] });
    const many = [...samples, ...samples.slice(0, 4)];
    const sizes = [1, 2, 3, 4, 5];
    const batches = sizes.map((n, i) => stacked(many.slice((i * n) / 2, ((i + 2) * n) / 2), n)[0]!);
    const [found, alone] = [await collected(free, batches), await collected(single, many)];
    for (const [i, request] of free.requests.entries())
      assert.deepEqual(found.get(request), alone.get(single.requests[i]!));
  });

  it('of two halves merge to those of the whole', async () => {
    const halves = [await collected(single, samples.slice(6)), await collected(single, samples.slice(0, 6))];
    same(halves[0]!.merge(halves[1]!), single);
  });

  it('count no more samples than the subset, also within a batch', async () => {
    const few = await collected(single, samples.slice(0, 6));
    for (const [watched, given] of [
      [single, stacked(samples, 4)],
      [network(4), samples],
      [network(4), stacked(samples, 4)],
    ] as const) {
      const found = await collected(watched, given, { subsetSize: 6 });
      assert.equal(found.samples, 6);
      for (const [i, request] of watched.requests.entries())
        assert.deepEqual(found.get(request), few.get(single.requests[i]!));
    }
  });

  it('refuse inputs that hold different numbers of samples', async () => {
    const net = new Network();
    net.result(net.op('Add', 'sum', [net.input('a', [1, 2]), net.input('b', [1, 2])]));
    const bad = { a: tensor('f32', [2, 2], [1, 2, 3, 4]), b: tensor('f32', [1, 2], [1, 2]) };
    await assert.rejects(collected({ model: net.model, requests: [] }, [bad]), {
      code: 'ERR_DATA_SHAPE',
      message: /'b' holds 1 samples, 'a' holds 2/,
    });
  });
});
