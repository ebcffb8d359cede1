// What corrections of quantization are worth on trained networks: accuracy, and noise of the outputs against FP32.
//
//   node dist/bench/corrections.js [NETWORK…]
//
// Reads ../shared/models and ../shared/data. 300 samples calibrate; the accuracy is that of INT8.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inputInfos } from '../lib/cli/options.ts';
import { type DataOptions, openData } from '../lib/data/open.ts';
import type { Feeds } from '../lib/engines/engine.ts';
import { compile, type Model, openModel, type QuantizeOptions, quantize, readNpy, tensor } from '../lib/index.ts';
import { sharedFolder } from '../test/support/shared-folder.ts';

const models = sharedFolder('models').path;
const data = sharedFolder('data').path;

interface Task {
  readonly calibration: readonly Feeds[];
  readonly test: readonly Feeds[];
  readonly labels: readonly number[];
}

async function readAll(model: Model, spec: string, options: DataOptions): Promise<Feeds[]> {
  const opened = await openData(path.join(data, spec), inputInfos(model), options);
  const samples: Feeds[] = [];
  for await (const { inputs } of opened.data) samples.push(inputs);
  return samples;
}

const imagenet =
  (options: DataOptions) =>
  async (model: Model): Promise<Task> => {
    const all = { resize: 'short:256', crop: '224x224', ...options };
    const lines = readFileSync(path.join(data, 'imagenet/test/labels.txt'), 'utf8').trim().split('\n');
    const classes = new Map(lines.map((line) => line.split(/[\s,]+/)).map(([file, label]) => [file, Number(label)]));
    const files = readdirSync(path.join(data, 'imagenet/test')).filter((f) => f.endsWith('.jpg'));
    return {
      calibration: await readAll(model, 'imagenet/calib', all),
      test: await readAll(model, 'imagenet/test', all),
      labels: files.sort().map((file) => classes.get(file)!),
    };
  };

const cifar =
  (options: DataOptions) =>
  async (model: Model): Promise<Task> => {
    const all: DataOptions = { sourceLayout: 'NHWC', ...options };
    return {
      calibration: await readAll(model, 'cifar10/calib_images.npy', all),
      test: await readAll(model, 'cifar10/test_images.npy', all),
      labels: Array.from(readNpy(readFileSync(path.join(data, 'cifar10/test_labels.npy'))).data, Number),
    };
  };

/** Files of 490 signed bytes; of each ten the first three calibrate. */
async function keywords(): Promise<Task> {
  const rows = readFileSync(path.join(data, 'kws/y_labels.csv'), 'utf8').trim().split('\n');
  const task = { calibration: [] as Feeds[], test: [] as Feeds[], labels: [] as number[] };
  for (const [i, row] of rows.entries()) {
    const [file, , label] = row.split(',').map((s) => s.trim());
    const bytes = new Int8Array(readFileSync(path.join(data, 'kws', file!)));
    const input = tensor(
      'f32',
      [1, 1, 49, 10],
      Float32Array.from(bytes, (v) => (v - 83) * 0.5847029),
    );
    if (i % 10 < 3) task.calibration.push({ input });
    else {
      task.test.push({ input });
      task.labels.push(Number(label));
    }
  }
  return task;
}

const networks: Readonly<Record<string, (model: Model) => Promise<Task>>> = {
  cifar10_resnet20: cifar({ mean: [123.675, 116.28, 103.53], scale: [58.395, 57.12, 57.375] }),
  ic_resnet8_cifar10: cifar({}),
  kws_dscnn: keywords,
  'mobilenet_v1_0.75_224': imagenet({ mean: [127.5], scale: [127.5] }),
  squeezenet1_1: imagenet({ color: 'bgr', mean: [104, 117, 123] }),
};

const variants: Readonly<Record<string, QuantizeOptions>> = {
  none: { biasCorrection: 'no', channelAlignment: false },
  fast: { channelAlignment: false },
  'fast + activation error': { details: { fastBiasCorrection: { activationError: true } }, channelAlignment: false },
  full: { biasCorrection: 'full', channelAlignment: false },
  'full + activation error': {
    biasCorrection: 'full',
    details: { fullBiasCorrection: { activationError: true } },
    channelAlignment: false,
  },
  'fast + alignment': {},
};

async function outputsOf(model: Model, samples: readonly Feeds[]): Promise<Float32Array[]> {
  const session = await compile(model);
  const outputs: Float32Array[] = [];
  for (const feeds of samples) outputs.push(Object.values(await session.infer(feeds))[0]!.data as Float32Array);
  await session.close();
  return outputs;
}

function accuracy(outputs: readonly Float32Array[], labels: readonly number[]): string {
  const right = outputs.filter((o, i) => o.indexOf(Math.max(...o)) === labels[i]).length;
  return ((100 * right) / labels.length).toFixed(2);
}

function decibels(outputs: readonly Float32Array[], wanted: readonly Float32Array[]): string {
  let [signal, noise] = [0, 0];
  for (const [i, output] of outputs.entries()) {
    for (const [k, v] of output.entries()) {
      signal += wanted[i]![k]! ** 2;
      noise += (v - wanted[i]![k]!) ** 2;
    }
  }
  return (10 * Math.log10(signal / noise)).toFixed(2);
}

const chosen = process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(networks);
for (const name of chosen) {
  const model = await openModel(path.join(models, `${name}.onnx`));
  const task = await networks[name]!(model);
  const wanted = await outputsOf(model, task.test);
  console.log(`${name}: FP32 ${accuracy(wanted, task.labels)} %, ${task.test.length} samples`);
  for (const preset of ['performance', 'mixed'] as const) {
    for (const [variant, options] of Object.entries(variants)) {
      const { model: quantized, report } = await quantize(model, task.calibration, { preset, ...options });
      const outputs = await outputsOf(quantized, task.test);
      const found = `${accuracy(outputs, task.labels)} %  ${decibels(outputs, wanted)} dB`;
      console.log(`  ${preset}  ${variant}: ${found}  (${report.seconds.total.toFixed(1)} s)`);
    }
  }
}
