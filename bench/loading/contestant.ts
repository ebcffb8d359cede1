// One fresh process: loads one model with one engine and prints how long each step took and the memory at the end. Of
// lowp it loads what users import, the bundle.
//
//   node dist/bench/loading/contestant.js lowp|onnxruntime MODEL INPUT SHAPE_JSON
import { loadOnnxRuntime } from '../networks/onnx-runtime.ts';

const [engine, file, input, shapeText] = process.argv.slice(2) as [string, string, string, string];
const shape = JSON.parse(shapeText) as number[];
const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
const bundle = new URL('../../bundle/index.js', import.meta.url).href;
const times: number[] = [performance.now()];
const cpuTimes: NodeJS.CpuUsage[] = [process.cpuUsage()];
const step = (): void => {
  times.push(performance.now());
  cpuTimes.push(process.cpuUsage());
};

if (engine === 'lowp') {
  const { compile, openModel, tensor }: typeof import('../../lib/index.ts') = await import(bundle);
  step();
  const model = await openModel(file);
  step();
  const session = await compile(model, { threads: 1, shapes: { [input]: shape } });
  step();
  await session.infer({ [input]: tensor('f32', shape, data) });
  step();
} else {
  const ort = loadOnnxRuntime();
  step();
  step();
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  step();
  await session.run({ [input]: new ort.Tensor('float32', data, shape) });
  step();
}
const [imported, open, compiled, first] = times.slice(1).map((time, i) => time - times[i]!);
const cpuOf = (from: number, to: number): number => {
  const [a, b] = [cpuTimes[from]!, cpuTimes[to]!];
  return (b.user + b.system - a.user - a.system) / 1000;
};
const result = {
  start: times[0],
  import: imported,
  open,
  compile: compiled,
  first,
  cpuImport: cpuOf(0, 1),
  cpuOpen: cpuOf(1, 2),
  cpuReady: cpuOf(1, 3),
};
process.stdout.write(JSON.stringify({ ...result, rss: process.resourceUsage().maxRSS / 1024 }));
process.exit(0);
