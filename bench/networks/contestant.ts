// The process of one contestant: loads a model, then runs it whenever it is its turn.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { median } from '../../lib/benchmark/statistics.ts';
import { random } from '../../lib/util/random.ts';
import { loadOnnxRuntime } from './onnx-runtime.ts';
import type { Contestant, Reply, Request } from './protocol.ts';

/** Inferences before a turn is measured. */
const warmUp = 3;

/** More than the last level of cache of the CPUs that this is run on. */
const evictedBytes = 96 << 20;

let infer: (() => Promise<unknown>) | undefined;
let evict: Uint8Array | undefined;
let calibrationState = 3;

async function loadLowp(c: Contestant, data: Float32Array): Promise<() => Promise<unknown>> {
  const tree = path.resolve(c.tree ?? '.');
  const url = pathToFileURL(path.join(tree, 'dist', 'lib', 'index.js')).href;
  const lowp = (await import(url)) as typeof import('../../lib/index.ts');
  const model = await lowp.openModel(c.model);
  const feeds = { [c.input.name]: lowp.tensor('f32', c.input.shape, data) };
  const maxIsa = c.maxIsa as 'native' | undefined;
  const session = await lowp.compile(model, {
    threads: c.threads,
    shapes: { [c.input.name]: c.input.shape },
    ...(maxIsa === undefined ? {} : { maxIsa }),
  });
  return () => session.infer(feeds);
}

async function loadOrt(c: Contestant, data: Float32Array): Promise<() => Promise<unknown>> {
  const ort = loadOnnxRuntime();
  const session = await ort.InferenceSession.create(c.model, {
    intraOpNumThreads: c.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  const feeds = { [c.input.name]: new ort.Tensor('float32', data, c.input.shape) };
  return () => session.run(feeds);
}

async function load(c: Contestant): Promise<Reply> {
  const r = random(1);
  const data = Float32Array.from({ length: c.input.shape.reduce((a, b) => a * b, 1) }, () => r.normal());
  const start = performance.now();
  infer = await (c.engine === 'lowp' ? loadLowp : loadOrt)(c, data);
  const createMs = performance.now() - start;
  for (let i = 0; i < warmUp; i++) await infer();
  const rssBytes = process.resourceUsage().maxRSS * 1024;
  for (let i = 0; i < 20; i++) calibrate();
  if (c.cold) evict = new Uint8Array(evictedBytes);
  return { kind: 'loaded', createMs, rssBytes };
}

/** Milliseconds of a chain of dependent multiplications, the same work every time; the median of a few. */
function calibrate(): number {
  const times: number[] = [];
  for (let repeat = 0; repeat < 5; repeat++) {
    const start = performance.now();
    for (let i = 0; i < 200_000; i++) calibrationState = Math.imul(calibrationState, 0x9e3779b1) + 1;
    times.push(performance.now() - start);
  }
  return median(times);
}

async function turn(ms: number): Promise<Reply> {
  const latencies: number[] = [];
  const before = calibrate();
  await infer!();
  const end = performance.now() + ms;
  do {
    evict?.fill(latencies.length & 0xff);
    const start = performance.now();
    await infer!();
    latencies.push(performance.now() - start);
  } while (performance.now() < end);
  return { kind: 'turn', latencies, calibration: [before, calibrate()] };
}

process.on('message', (request: Request) => {
  const work = request.kind === 'load' ? load(request.contestant) : turn(request.ms);
  work.then(
    (reply) => process.send!(reply),
    (error: unknown) =>
      process.send!({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});
