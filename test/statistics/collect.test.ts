import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CompileOptions, Engine } from '../../lib/engines/engine.ts';
import { nativeEngine } from '../../lib/engines/native-engine.ts';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import type { Model } from '../../lib/graph/model.ts';
import type { Batch } from '../../lib/statistics/batches.ts';
import { collectStatistics } from '../../lib/statistics/collect.ts';
import type { StatisticRequest } from '../../lib/statistics/request.ts';
import { checkedSamples } from '../../lib/statistics/samples.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { Network } from '../support/network.ts';

/** The reference engine, counting how often it compiles. */
function counting(): Engine & { compiled: number } {
  const engine = {
    name: 'counting',
    compiled: 0,
    compile: (model: Model, options?: CompileOptions) => {
      engine.compiled++;
      return referenceEngine.compile(model, options);
    },
  };
  return engine;
}

async function* streamed(values: readonly (readonly number[])[]): AsyncGenerator<Batch> {
  for (const v of values) yield { feeds: { x: tensor('f32', [1, 2, v.length / 2], v) }, samples: 1 };
}

function negated(): { net: Network; port: StatisticRequest['port'] } {
  const net = new Network();
  const port = net.op('Multiply', 'twice', [net.input('x', [1, 2, -1]), net.value('two', tensor('f32', [1], [2]))]);
  net.result(net.op('ReLU', 'relu', [port]));
  return { net, port };
}

const values = [
  [1, -2, 3, 4],
  [5, 6, -7, 8],
];

describe('collectStatistics', () => {
  it('answers all requests from one compiled model', async () => {
    const { net, port } = negated();
    const engine = counting();
    const request = (
      kind: 'min' | 'max' | 'absMax' | 'mean',
      aggregator: 'mean' | 'max' | 'min',
    ): StatisticRequest => ({
      port,
      granularity: 'perTensor',
      statistic: { kind },
      aggregator,
    });
    const perChannel: StatisticRequest = { ...request('absMax', 'max'), granularity: 'perChannel', channelAxis: 1 };
    const half: StatisticRequest = { ...request('max', 'mean'), statistic: { kind: 'quantile', share: 0.5 } };
    const wanted = [request('absMax', 'mean'), request('min', 'min'), request('max', 'mean'), perChannel, half];
    const statistics = await collectStatistics(net.model, wanted, streamed(values), { engine });
    assert.equal(engine.compiled, 1);
    assert.equal(statistics.samples, 2);
    assert.deepEqual(statistics.inputShapes, { x: [1, 2, 2] });
    assert.deepEqual(
      wanted.map((w) => [...statistics.get(w)]),
      [[12], [-14], [12], [12, 16], [(4 + 11) / 2]],
    );
  });

  it('compiles once for each shape of a dynamic input', async () => {
    const { net, port } = negated();
    const engine = counting();
    const request: StatisticRequest = { port, granularity: 'perTensor', statistic: { kind: 'max' }, aggregator: 'max' };
    const samples = streamed([
      [1, 2],
      [1, 2, 3, 4],
      [5, 6],
      [7, 8, 9, 10],
    ]);
    const statistics = await collectStatistics(net.model, [request], samples, { engine });
    assert.equal(engine.compiled, 2);
    assert.deepEqual([...statistics.get(request)], [20]);
  });

  it('reads the extremes of a whole value from its channels, so that each value is observed once', async () => {
    const { net, port } = negated();
    const observed: number[] = [];
    const engine: Engine = {
      name: 'looking',
      compile: (model, options) => {
        observed.push(options?.observe?.length ?? 0);
        return referenceEngine.compile(model, options);
      },
    };
    const all: StatisticRequest[] = (['min', 'max', 'absMax'] as const).flatMap((kind) => [
      { port, granularity: 'perTensor', statistic: { kind }, aggregator: kind === 'min' ? 'min' : 'max' },
      { port, granularity: 'perChannel', channelAxis: 1, statistic: { kind }, aggregator: 'max' },
    ]);
    all.push({ port, granularity: 'perTensor', statistic: { kind: 'histogram' }, aggregator: 'sum' });
    const statistics = await collectStatistics(net.model, all, streamed(values), { engine });
    assert.deepEqual(observed, [1]);
    assert.equal(
      statistics.get(all.at(-1)!).reduce((a, b) => a + b),
      2 * 4,
    );
    assert.deepEqual(
      all.slice(0, -1).map((request) => [...statistics.get(request)]),
      [[-14], [10, 6], [16], [12, 16], [16], [12, 16]],
    );
  });

  it('reports progress', async () => {
    const { net, port } = negated();
    const done: number[] = [];
    const request: StatisticRequest = { port, granularity: 'perTensor', statistic: { kind: 'max' }, aggregator: 'max' };
    await collectStatistics(net.model, [request], streamed(values), {
      engine: referenceEngine,
      onSample: (n) => done.push(n),
    });
    assert.deepEqual(done, [1, 2]);
  });

  it('refuses an empty dataset', async () => {
    const { net } = negated();
    await assert.rejects(collectStatistics(net.model, [], streamed([]), { engine: referenceEngine }), {
      code: 'ERR_DATA_EMPTY',
    });
  });

  it('names the sample and the first node whose value is not finite', async () => {
    const net = new Network();
    const x = net.input('x', [1, 2, 2]);
    const log = net.op('Log', 'log', [x]);
    const port = net.op('ReLU', 'relu', [net.op('Add', 'sum', [log, x])]);
    net.result(port);
    const request: StatisticRequest = { port, granularity: 'perTensor', statistic: { kind: 'max' }, aggregator: 'max' };
    await assert.rejects(
      collectStatistics(
        net.model,
        [request],
        streamed([
          [1, 1, 1, 1],
          [1, -1, 1, 1],
        ]),
        { engine: referenceEngine },
      ),
      { code: 'ERR_DATA_NOT_FINITE', node: 'log', message: /sample 1 .*'log'/ },
    );
  });

  it('names a sample that is not finite, whether its inputs are observed or not, before what becomes of it', async () => {
    const net = new Network();
    const x = net.input('x', [1, 2, 2]);
    // NaN does not pass.
    const port = net.op('ReLU', 'relu', [x]);
    net.result(port);
    const samples = [tensor('f32', [1, 2, 2], [1, 2, 3, 4]), tensor('f32', [1, 2, 2], [1, 2, Number.NaN, 4])];
    const failing: Engine = {
      name: 'failing',
      async compile(model, options) {
        const executable = await referenceEngine.compile(model, options);
        const run: typeof executable.run = async (feeds) => {
          const result = await executable.run(feeds);
          assert.ok(!(feeds.x!.data as Float32Array).some(Number.isNaN), 'the run fails');
          return result;
        };
        return {
          streams: 1,
          run,
          histograms: () => executable.histograms(),
          close: () => executable.close(),
          [Symbol.asyncDispose]: () => executable.close(),
        };
      },
    };
    for (const engine of [nativeEngine, referenceEngine, failing])
      for (const ports of [[x, port], [x], [port]]) {
        const requests = ports.map(
          (p): StatisticRequest => ({
            port: p,
            granularity: 'perTensor',
            statistic: { kind: 'max' },
            aggregator: 'max',
          }),
        );
        await assert.rejects(
          collectStatistics(net.model, requests, checkedSamples(net.model, samples, { subsetSize: 4 }), { engine }),
          { code: 'ERR_DATA_NOT_FINITE', message: /^sample 1: 'x' contains NaN/ },
        );
      }
  });

  it('stops when it is interrupted', async () => {
    const { net, port } = negated();
    const controller = new AbortController();
    const request: StatisticRequest = { port, granularity: 'perTensor', statistic: { kind: 'max' }, aggregator: 'max' };
    const running = collectStatistics(net.model, [request], streamed(values), {
      engine: referenceEngine,
      signal: controller.signal,
      onSample: () => controller.abort(),
    });
    await assert.rejects(running, { code: 'ERR_ABORTED' });
  });
});
