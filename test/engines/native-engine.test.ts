import assert from 'node:assert/strict';
import test from 'node:test';
import type { Observation, ObservePoint } from '../../lib/engines/engine.ts';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { HistogramCounter, observe } from '../../lib/engines/observe.ts';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { setConstant } from '../../lib/graph/edit.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { hostOp } from '../support/host-op.ts';
import { evaluate, ModelBuilder, randomFeeds } from '../support/model-builder.ts';
import { quantizedWeights, quantizer } from '../support/quantizers.ts';

async function codeOf(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'nothing was thrown',
    (error: unknown) => (error instanceof LowpError ? error.code : String(error)),
  );
}

/** Native parts on bytes and floats around a host node, with a value that no output needs. */
function mixed() {
  const b = new ModelBuilder('mixed', 5);
  const x = b.parameter('x', [2, 3, 6, 6]);
  const q = quantizer(b, x, (-3 * 128) / 127, 3);
  const conv = b.convolution(q, quantizedWeights(b, [4, 3, 3, 3], 4));
  const relu = b.op('ReLU', [conv]);
  const host = b.op(hostOp, [relu], {}, 'sinh');
  const product = b.op('MatMul', [host, b.weights('w', [6, 5])]);
  const constant = b.op('Sigmoid', [b.weights('c', [3])]);
  const idle = b.op('Sigmoid', [conv], {}, 'idle');
  b.result(product, 'y');
  return { b, x, q, conv, relu, host, product, constant, idle };
}

test('outputs on both sides of a host node are those of the reference engine', async () => {
  const { b, relu, host } = mixed();
  b.result(relu, 'z');
  b.result(host, 'h');
  const feeds = randomFeeds(b.model);
  const expected = await evaluate(b.model, feeds);
  await using executable = await compileNative(b.model);
  assert.deepEqual(
    executable.steps.map((s) => s.kind),
    ['native', 'host', 'native'],
  );
  const { outputs } = await executable.run(feeds);
  for (const [name, value] of Object.entries(expected)) assert.ok(maxAbsError(outputs[name]!, value) < 0.05, name);
});

const everywhere: readonly (readonly [string, Omit<ObservePoint, 'port'>])[] = [
  ['whole', { granularity: 'perTensor' }],
  ['by channel', { granularity: 'perChannel' }],
  ['by the last axis', { granularity: 'perChannel', channelAxis: -1 }],
  ['by the first axis', { granularity: 'perChannel', channelAxis: 0 }],
  ['counted', { granularity: 'perChannel', channelAxis: 1, histogram: true }],
  ['counted by item', { granularity: 'perTensor', items: 2, histogram: true }],
];

test('observers of every kind of value give what the definition gives', async () => {
  const m = mixed();
  const ports = { x: m.x, q: m.q, conv: m.conv, relu: m.relu, host: m.host, product: m.product, idle: m.idle };
  const points: { name: string; port: OutputPort; point: ObservePoint }[] = [];
  for (const [name, port] of Object.entries(ports))
    for (const [how, rest] of everywhere) points.push({ name: `${name} ${how}`, port, point: { port, ...rest } });
  points.push({ name: 'constant', port: m.constant, point: { port: m.constant, granularity: 'perTensor' } });
  const feeds = randomFeeds(m.b.model);
  await using values = await compileNative(m.b.model, { taps: points.map((p) => p.port) });
  const { taps } = await values.run(feeds);
  await using executable = await compileNative(m.b.model, { observe: points.map((p) => p.point), threads: 2 });
  await executable.run(feeds);
  const { observations } = await executable.run(feeds);
  const histograms = await executable.histograms();
  const counter = new HistogramCounter();
  assert.equal(observations.length, points.length);
  for (const [i, { name, point }] of points.entries()) {
    const expected = observe(taps[i]!, point);
    const found = observations[i]!;
    assert.deepEqual(found.min, expected.min, `${name}: minimum`);
    assert.deepEqual(found.max, expected.max, `${name}: maximum`);
    assert.deepEqual(found.absMax, expected.absMax, `${name}: largest magnitude`);
    assert.equal(found.nonFinite, expected.nonFinite, name);
    counter.count(taps[i]!, point);
    counter.count(taps[i]!, point);
    assert.deepEqual(histograms[i], counter.of(point), `${name}: histogram`);
    for (const [c, mean] of found.mean.entries())
      assert.ok(Math.abs(mean - expected.mean[c]!) <= 1e-6, `${name}: mean ${mean} for ${expected.mean[c]}`);
  }
});

test('an observer clamps on its way, and observes the result where that is asked for in the same way', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [1, 8, 20, 20]);
  const sum = b.op('Add', [x, b.constant('c', [1, 8, 1, 1], [1, -1, 0, 2, -2, 0.5, 3, -3])]);
  const relu = b.op('ReLU', [sum]);
  b.result(relu, 'y');
  const points = [sum, relu].map((port): ObservePoint => ({ port, granularity: 'perChannel', channelAxis: 1 }));
  const feeds = randomFeeds(b.model);
  await using together = await compileNative(b.model, { observe: points });
  await using apart = await compileNative(b.model, { observe: points.toReversed(), taps: [sum, relu] });
  const kernels = together.steps.flatMap((s) =>
    s.kind === 'native' ? s.executable.info.calls.map((c) => c.kernel) : [],
  );
  assert.equal(kernels.filter((k) => k === 'observe_clamp').length, 1);
  assert.ok(!kernels.includes('unary') && !kernels.includes('observe'));
  const [found, expected] = [await together.run(feeds), await apart.run(feeds)];
  assert.deepEqual(found.outputs, expected.outputs);
  for (const [i, point] of points.entries()) {
    const direct = observe(expected.taps[i]!, point);
    const { min, max, absMax, nonFinite } = found.observations[i]!;
    assert.deepEqual([min, max, absMax, nonFinite], [direct.min, direct.max, direct.absMax, 0]);
  }
});

test('values that are written side by side are observed where they lie', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [2, 4, 18, 17]);
  const part = (channels: number) => b.convolution(x, b.weights('w', [channels, 4, 3, 3]));
  const parts = [part(3), b.op('ReLU', [part(20)]), part(1), part(6)];
  b.result(b.convolution(b.op('Concat', parts, { axis: 1 }, 'concat'), b.weights('w', [5, 30, 3, 3])), 'y');
  const copies = async (observe: readonly ObservePoint[]): Promise<number> => {
    const feeds = randomFeeds(b.model);
    await using within = await compileNative(b.model, { observe, threads: 2 });
    await using apart = await compileNative(b.model, { observe, taps: parts });
    const [found, expected] = [await within.run(feeds), await apart.run(feeds)];
    assert.deepEqual(found.outputs, expected.outputs);
    const numbers = ({ min, max, absMax, mean, nonFinite, quantiles }: Observation) => {
      return { min, max, absMax, mean, nonFinite, quantiles };
    };
    assert.deepEqual(found.observations.map(numbers), expected.observations.map(numbers));
    assert.deepEqual(await within.histograms(), await apart.histograms());
    const calls = within.steps.flatMap((s) => (s.kind === 'native' ? s.executable.info.calls : []));
    return calls.filter((c) => c.kernel === 'copy' && c.name === 'concat').length;
  };
  for (const items of [1, 2]) {
    const point = { granularity: 'perChannel', items, histogram: true } as const;
    // Not the single channel.
    assert.equal(await copies(parts.map((port) => ({ port, ...point }))), 1);
    const quantile = { port: parts[1]!, ...point, quantiles: [{ share: 0.3, isAbsolute: false }] };
    const whole = { port: parts[3]!, ...point, granularity: 'perTensor' } as const;
    assert.equal(await copies([{ port: parts[0]!, ...point }, quantile, whole]), 2);
  }
});

test('what only outputs depend on is left out where they are not asked for', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [1, 4, 6, 6]);
  const relu = b.op('ReLU', [b.convolution(x, b.weights('w', [3, 4, 3, 3]))]);
  const pool = b.op('AvgPool', [relu], { kernel: [2, 2], strides: [2, 2] });
  b.result(b.op('Softmax', [pool], { axis: 1 }), 'y');
  const observe: ObservePoint[] = [{ port: relu, granularity: 'perTensor' }];
  await using all = await compileNative(b.model, { observe });
  await using part = await compileNative(b.model, { observe, taps: [relu], outputs: false });
  const feeds = randomFeeds(b.model);
  const [expected, found] = [await all.run(feeds), await part.run(feeds)];
  assert.deepEqual(found.outputs, {});
  assert.equal(found.taps.length, 1);
  assert.deepEqual(found.observations[0]!.max, expected.observations[0]!.max);
  const kernels = part.steps.flatMap((s) => (s.kind === 'native' ? s.executable.info.calls.map((c) => c.kernel) : []));
  assert.ok(kernels.includes('convolution') && !kernels.includes('pool') && !kernels.includes('softmax'));
});

test('an observer counts what is not finite', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [1, 2, 2]);
  const y = b.op('Negative', [x]);
  b.result(y);
  await using executable = await compileNative(b.model, { observe: [{ port: y, granularity: 'perChannel' }] });
  const data = Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
  const { observations } = await executable.run({ x: tensor('f32', [1, 2, 2], data) });
  const [o] = observations;
  assert.deepEqual([...o!.min, ...o!.max, ...o!.mean], [-1, 0, -1, 0, -1, 0]);
  assert.equal(o!.nonFinite, 3);
});

test('taps return values in the layout and type of the model, in their order', async () => {
  const { b, x, q, conv, host, constant, idle } = mixed();
  const taps = [host, conv, constant, x, q, idle, conv];
  const feeds = randomFeeds(b.model);
  await using native = await compileNative(b.model, { taps });
  await using reference = await referenceEngine.compile(b.model, { taps });
  const [found, expected] = [(await native.run(feeds)).taps, (await reference.run(feeds)).taps];
  assert.equal(found.length, taps.length);
  for (const [i, value] of expected.entries()) {
    assert.deepEqual([found[i]!.type, found[i]!.shape], [value.type, value.shape]);
    assert.ok(maxAbsError(found[i]!, value) < 0.05, `tap ${i}`);
  }
});

test('a model of half precision is fed, tapped and read in half precision', async () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [2], 'f16');
  const y = b.op('ReLU', [x]);
  b.result(b.op('Add', [y, b.constant('c', [], [0x3c00], 'f16')]), 'y');
  await using executable = await compileNative(b.model, { taps: [y] });
  const { outputs, taps } = await executable.run({ x: tensor('f16', [2], Uint16Array.of(0xbc00, 0x4000)) });
  assert.deepEqual(Object.values(outputs)[0], { type: 'f16', shape: [2], data: Uint16Array.of(0x3c00, 0x4200) });
  assert.deepEqual(taps[0], { type: 'f16', shape: [2], data: Uint16Array.of(0, 0x4000) });
});

test('a dynamic input needs a shape', async () => {
  const b = new ModelBuilder();
  b.result(b.op('ReLU', [b.parameter('x', [-1, 3])]));
  assert.equal(await codeOf(compileNative(b.model)), 'ERR_SHAPE_DYNAMIC');
  await using executable = await compileNative(b.model, { shapes: { x: [4, 3] } });
  const { outputs } = await executable.run({ x: tensor('f32', [4, 3], new Float32Array(12)) });
  assert.deepEqual(Object.values(outputs)[0]!.shape, [4, 3]);
  const other = { x: tensor('f32', [5, 3], new Float32Array(15)) };
  assert.equal(await codeOf(executable.run(other)), 'ERR_RUN_INPUT');
});

test('later changes of the model do not reach what is compiled', async () => {
  const b = new ModelBuilder();
  const two = b.constant('two', [], [2]);
  b.result(b.op('Multiply', [b.parameter('x', [1]), two]), 'y');
  await using executable = await compileNative(b.model);
  setConstant(two.node, tensor('f32', [], [3]));
  const { outputs } = await executable.run({ x: tensor('f32', [1], [5]) });
  assert.equal(Object.values(outputs)[0]!.data[0], 10);
});

test('runs that are started at once do not mix their values', async () => {
  const { b } = mixed();
  const feeds = [1, 2, 3, 4].map((seed) => randomFeeds(b.model, seed));
  await using executable = await compileNative(b.model, { threads: 2 });
  const single: Tensor[] = [];
  for (const f of feeds) single.push(Object.values((await executable.run(f)).outputs)[0]!);
  const together = await Promise.all(feeds.map((f) => executable.run(f)));
  for (const [i, result] of together.entries()) assert.deepEqual(Object.values(result.outputs)[0], single[i]);
});

test('runs that overwrite, two at a time, return the arrays of the last but one, with numbers of their own', async () => {
  const { b, relu, host } = mixed();
  const observe: ObservePoint[] = [
    { port: relu, granularity: 'perChannel' },
    { port: host, granularity: 'perTensor' },
    { port: relu, granularity: 'perTensor', channelAxis: -1, quantiles: [{ share: 0.9, isAbsolute: false }] },
  ];
  await using fresh = await compileNative(b.model, { observe });
  await using executable = await compileNative(b.model, { observe, overwrites: true });
  const both = (seed: number) =>
    Promise.all([seed, seed + 1].map((s) => executable.run(randomFeeds(b.model, s)).then((result) => ({ s, result }))));
  const before = (await both(1)).map(({ result }) => result.observations[0]!.min);
  assert.notEqual(before[0], before[1]);
  for (const seed of [3, 5]) {
    for (const [k, { s, result }] of (await both(seed)).entries()) {
      const expected = await fresh.run(randomFeeds(b.model, s));
      assert.deepEqual(result.outputs, expected.outputs);
      for (const [i, o] of expected.observations.entries())
        for (const kind of ['min', 'max', 'absMax', 'mean', 'quantiles', 'nonFinite'] as const)
          assert.deepEqual(result.observations[i]![kind], o[kind], `${kind} of point ${i}`);
      assert.equal(result.observations[0]!.min, before[k]);
    }
  }
});

test('an aborted signal stops compiling and running', async () => {
  const { b } = mixed();
  const feeds = randomFeeds(b.model);
  assert.equal(await codeOf(compileNative(b.model, { signal: AbortSignal.abort() })), 'ERR_ABORTED');
  await using executable = await compileNative(b.model);
  assert.equal(await codeOf(executable.run(feeds, { signal: AbortSignal.abort() })), 'ERR_ABORTED');
  const controller = new AbortController();
  const run = executable.run(feeds, { signal: controller.signal });
  controller.abort();
  assert.equal(await codeOf(run), 'ERR_ABORTED');
  assert.equal(Object.keys((await executable.run(feeds)).outputs).length, 1, 'it can be used again');
});

test('a closed executable refuses runs, and closing twice is fine', async () => {
  const { b } = mixed();
  const executable = await compileNative(b.model);
  await executable.close();
  await executable.close();
  assert.equal(await codeOf(executable.run(randomFeeds(b.model))), 'ERR_RUN_CLOSED');
});

test('closing ends a run that is going on', async () => {
  const { b } = mixed();
  const executable = await compileNative(b.model);
  const run = codeOf(executable.run(randomFeeds(b.model)));
  await executable.close();
  assert.ok(['ERR_RUN_CLOSED', 'ERR_ABORTED', 'nothing was thrown'].includes(await run));
});

test('a profile names every native call and every node on the host, in order', async () => {
  const { b } = mixed();
  await using executable = await compileNative(b.model, { maxIsa: 'scalar' });
  const times = await executable.profile(randomFeeds(b.model), 3);
  assert.deepEqual(
    times.map((t) => t.kernel),
    ['quantize', 'convolution', 'copy', 'host', 'matmul'],
  );
  assert.ok(times.every((t) => t.ms >= 0 && t.row.length > 0));
  assert.equal(times[1]!.operations, 2 * 2 * 36 * 4 * 27, 'a multiply-add is two operations');
});
