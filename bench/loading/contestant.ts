// One fresh process: loads one model with one engine and prints how long each step took and the memory at the end.
//
//   node dist/bench/loading/contestant.js lowp|onnxruntime MODEL INPUT SHAPE_JSON
import { loadOnnxRuntime } from '../networks/onnx-runtime.ts';

const [engine, file, input, shapeText] = process.argv.slice(2) as [string, string, string, string];
const shape = JSON.parse(shapeText) as number[];
const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
const times: number[] = [performance.now()];
const step = (): number => times.push(performance.now());

if (engine === 'lowp') {
  const { compile, openModel, tensor } = await import('../../lib/index.ts');
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
const result = { start: times[0], import: imported, open, compile: compiled, first };
process.stdout.write(JSON.stringify({ ...result, rss: process.resourceUsage().maxRSS / 1024 }));
process.exit(0);
