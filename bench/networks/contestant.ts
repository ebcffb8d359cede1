// The process of one contestant: loads a model, then runs it whenever it is its turn.
import { compile, openModel, tensor } from '../../lib/index.ts';
import { random } from '../../lib/util/random.ts';
import { loadOnnxRuntime } from './onnx-runtime.ts';
import type { Contestant, Reply, Request } from './protocol.ts';

/** Inferences before a turn is measured. */
const warmUp = 3;

let infer: (() => Promise<unknown>) | undefined;

async function load(c: Contestant): Promise<Reply> {
  const r = random(1);
  const data = Float32Array.from({ length: c.input.shape.reduce((a, b) => a * b, 1) }, () => r.normal());
  const start = performance.now();
  if (c.engine === 'lowp') {
    const model = await openModel(c.model);
    const feeds = { [c.input.name]: tensor('f32', c.input.shape, data) };
    const session = await compile(model, { threads: c.threads, shapes: { [c.input.name]: c.input.shape } });
    infer = () => session.infer(feeds);
  } else {
    const ort = loadOnnxRuntime();
    const session = await ort.InferenceSession.create(c.model, {
      intraOpNumThreads: c.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    });
    const feeds = { [c.input.name]: new ort.Tensor('float32', data, c.input.shape) };
    infer = () => session.run(feeds);
  }
  const createMs = performance.now() - start;
  for (let i = 0; i < warmUp; i++) await infer();
  return { kind: 'loaded', createMs, rssBytes: process.resourceUsage().maxRSS * 1024 };
}

async function turn(ms: number): Promise<Reply> {
  const latencies: number[] = [];
  await infer!();
  const end = performance.now() + ms;
  do {
    const start = performance.now();
    await infer!();
    latencies.push(performance.now() - start);
  } while (performance.now() < end);
  return { kind: 'turn', latencies };
}

process.on('message', (request: Request) => {
  const work = request.kind === 'load' ? load(request.contestant) : turn(request.ms);
  work.then(
    (reply) => process.send!(reply),
    (error: unknown) =>
      process.send!({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});
