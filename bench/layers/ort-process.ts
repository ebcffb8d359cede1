// The process of ONNX Runtime in the layer bench: makes a session of each layer, then gives each a turn when asked.
import { median } from '../../lib/benchmark/statistics.ts';
import { loadOnnxRuntime } from '../networks/onnx-runtime.ts';
import type { Layer, LayerType } from './lists.ts';
import { type OnnxLayer, onnxLayer, onnxNothing } from './onnx-layer.ts';

export type OrtRequest =
  | { readonly kind: 'load'; readonly layers: readonly Layer[]; readonly type: LayerType; readonly threads: number }
  | { readonly kind: 'turn'; readonly ms: number };

export interface OrtReply {
  readonly error?: string;
  /** Seconds of each layer, without what a call costs. */
  readonly seconds?: readonly number[];
  /** Seconds of a call of a session that does nothing. */
  readonly call?: number;
}

type Run = () => Promise<unknown>;

const ort = loadOnnxRuntime();
let runs: readonly Run[] = [];
let nothing: Run | undefined;

/** With and without the blocked layout for floats, whose conversions a single layer pays and a network does not. */
const levels = ['all', 'extended'] as const;

/** The faster of both levels. */
async function openFaster(layer: OnnxLayer, threads: number): Promise<Run> {
  const [blocked, plain] = [await open(layer, threads, levels[0]), await open(layer, threads, levels[1])];
  return (await secondsOf(blocked, 5)) <= (await secondsOf(plain, 5)) ? blocked : plain;
}

async function open(layer: OnnxLayer, threads: number, level: (typeof levels)[number]): Promise<Run> {
  const session = await ort.InferenceSession.create(layer.bytes, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: level,
    logSeverityLevel: 3,
  });
  const bytes = layer.x.type === 'u8';
  const type = bytes ? 'uint8' : 'float32';
  const count = layer.yShape.reduce((a, b) => a * b, 1);
  const y = new ort.Tensor(type, bytes ? new Uint8Array(count) : new Float32Array(count), layer.yShape);
  const feeds = { x: new ort.Tensor(type, layer.x.data as Uint8Array | Float32Array, layer.x.shape) };
  return () => session.run(feeds, { y });
}

async function secondsOf(run: Run, ms: number): Promise<number> {
  const times: number[] = [];
  await run();
  const end = performance.now() + ms;
  do {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  } while (performance.now() < end);
  return median(times) * 1e-3;
}

async function answer(request: OrtRequest): Promise<OrtReply> {
  if (request.kind === 'load') {
    nothing = await open(onnxNothing(), request.threads, 'all');
    const opened: Run[] = [];
    for (const layer of request.layers) opened.push(await openFaster(onnxLayer(layer, request.type), request.threads));
    runs = opened;
    return {};
  }
  const call = await secondsOf(nothing!, 20);
  const seconds: number[] = [];
  for (const run of runs) seconds.push(Math.max(1e-7, (await secondsOf(run, request.ms)) - call));
  return { seconds, call };
}

process.on('message', (request: OrtRequest) => {
  answer(request).then(
    (reply) => process.send!(reply),
    (error: unknown) => process.send!({ error: error instanceof Error ? error.message : String(error) }),
  );
});
