import assert from 'node:assert/strict';
import test from 'node:test';
import { kernelTimes, profileLayers } from '../../lib/benchmark/per-layer.ts';
import { benchmark, benchmarkInputs, isQuantized, weightBytes } from '../../lib/benchmark/run.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { Model } from '../../lib/graph/model.ts';
import { unknownRank } from '../../lib/tensor/shape.ts';
import { hostOp } from '../support/host-op.ts';
import { ModelBuilder } from '../support/model-builder.ts';

function net(batch: number, size = 8): Model {
  const b = new ModelBuilder('net');
  b.result(b.op('ReLU', [b.convolution(b.parameter('x', [batch, 2, size, size]), b.weights('w', [4, 2, 3, 3]))]));
  return b.model;
}

const code = (wanted: string) => (error: unknown) => error instanceof LowpError && error.code === wanted;

test('measures every model in every round and compares it with the first', async () => {
  const models = [net(1), net(1, 16)];
  const results = await benchmark(models, { seconds: 0.06, streams: 2, threads: 2 });
  assert.equal(results.length, 2);
  for (const r of results) {
    assert.equal(r.precision, 'FP32');
    assert.equal(r.streams, 2);
    assert.ok(r.latencyMs.min > 0 && r.latencyMs.min <= r.latencyMs.median);
    assert.ok(r.throughputPerSecond > 0 && r.firstInferenceMs > 0 && r.compileMs > 0);
    assert.ok(r.peakRssBytes > 10e6);
    assert.equal(r.weightBytes, 4 * 2 * 9 * 4);
    assert.ok(r.ratioToFirst.ci95[0] <= r.ratioToFirst.ci95[1]);
  }
  assert.equal(results[0]!.ratioToFirst.latencyMedian, 1);
});

test('no more streams run than there are threads', async () => {
  const [result] = await benchmark([net(1)], { seconds: 0.02, streams: 5, threads: 1 });
  assert.equal(result!.streams, 1);
});

test('inputs get the shape that is given, then the batch, then their own', () => {
  const shape = (model: Model, options: Parameters<typeof benchmarkInputs>[1]) =>
    benchmarkInputs(model, options)[0]!.shape;
  assert.deepEqual(shape(net(1), {}), [1, 2, 8, 8]);
  assert.deepEqual(shape(net(-1), {}), [1, 2, 8, 8]);
  assert.deepEqual(shape(net(-1), { batch: 4 }), [4, 2, 8, 8]);
  assert.deepEqual(shape(net(1), { shapes: { x: [3, 2, 9, 9] } }), [3, 2, 9, 9]);
  const isAsked = (help: string) => (e: unknown) =>
    e instanceof LowpError && e.code === 'ERR_SHAPE_DYNAMIC' && e.help?.includes(help);
  assert.throws(() => benchmarkInputs(net(1, -1), {}), isAsked('--shape x=1,2,224,224.'));
  const b = new ModelBuilder('any');
  b.result(b.op('ReLU', [b.parameter('x', unknownRank)]));
  assert.throws(() => benchmarkInputs(b.model, { batch: 2 }), isAsked('Give all its sizes'));
  assert.deepEqual(shape(b.model, { shapes: { x: [3, 2] } }), [3, 2]);
});

test('no model, and an aborted run, are errors', async () => {
  await assert.rejects(benchmark([]), code('ERR_CONFIG_INVALID'));
  await assert.rejects(benchmark([net(1)], { signal: AbortSignal.abort() }), code('ERR_ABORTED'));
});

test('constants that share their data count once', () => {
  const b = new ModelBuilder('shared');
  const c = b.constant('c', [4], [1, 2, 3, 4]);
  b.result(b.op('Add', [b.op('Add', [b.parameter('x', [4]), c]), c]));
  assert.equal(weightBytes(b.model), 16);
  assert.equal(isQuantized(b.model), false);
});

test('a profile names the kernel of each layer, and shares add up to one', async () => {
  const layers = await profileLayers(net(1), { threads: 1 });
  const convolution = layers.find((l) => l.kernel === 'convolution')!;
  assert.match(convolution.row, /^(gemm|shallow)_f32/);
  assert.ok(convolution.ms > 0 && convolution.gops > 0 && convolution.gbps > 0);
  assert.ok(Math.abs(layers.reduce((sum, l) => sum + l.share, 0) - 1) < 1e-9);
});

test('a profile shows nodes on the host with their time and reason', async () => {
  const b = new ModelBuilder('hosted');
  b.result(b.op('ReLU', [b.op(hostOp, [b.op('ReLU', [b.parameter('x', [2, 3])])])]));
  const layers = await profileLayers(b.model, { threads: 1 });
  const host = layers.find((l) => l.kernel === 'host')!;
  assert.ok(host.ms > 0 && host.gops === 0);
  assert.match(host.row, /HostSinh has no native kernel/);
});

test('sums by kernel hold every layer once, the most expensive kernel first', () => {
  const layer = { name: '', row: '', gbps: 0 };
  const layers = [
    { ...layer, kernel: 'a', ms: 1, share: 0.1, gops: 5 },
    { ...layer, kernel: 'b', ms: 6, share: 0.6, gops: 1 },
    { ...layer, kernel: 'a', ms: 3, share: 0.3, gops: 9 },
  ];
  assert.deepEqual(kernelTimes(layers), [
    { kernel: 'b', layers: 1, ms: 6, share: 0.6, gops: 1 },
    { kernel: 'a', layers: 2, ms: 4, share: 0.4, gops: 8 },
  ]);
});
