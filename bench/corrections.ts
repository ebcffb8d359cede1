// What corrections of quantization are worth on trained networks: accuracy, and noise of the outputs against FP32.
//
//   node dist/bench/corrections.js [NETWORK…]
//
// Reads ../shared/models and ../shared/data. 300 samples calibrate; the accuracy is that of INT8.
import path from 'node:path';
import { inputInfos } from '../lib/cli/options.ts';
import type { Feeds } from '../lib/engines/engine.ts';
import { compile, type Model, openData, openModel, type QuantizeOptions, quantize } from '../lib/index.ts';
import { prepareArrays } from './accuracy/prepare.ts';

const shared = path.resolve('../shared');
const datasets = path.resolve('bench/accuracy');

const networks = ['cifar10_resnet20', 'ic_resnet8_cifar10', 'kws_dscnn', 'mobilenet_v1_0.75_224', 'squeezenet1_1'];

async function open(model: Model, file: string): Promise<{ samples: Feeds[]; labels: readonly number[] }> {
  const opened = await openData(path.join(datasets, file), inputInfos(model));
  const samples: Feeds[] = [];
  for await (const { inputs } of opened.data) samples.push(inputs);
  return { samples, labels: [...(((await opened.labels()) as Int32Array | undefined) ?? [])] };
}

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

const chosen = process.argv.slice(2).length > 0 ? process.argv.slice(2) : networks;
for (const name of chosen) {
  prepareArrays(name, path.join(shared, 'data'), path.resolve('bench/results/accuracy'));
  const model = await openModel(path.join(shared, 'models', `${name}.onnx`));
  const { samples: calibration } = await open(model, `${name}.calibration.yaml`);
  const { samples, labels } = await open(model, `${name}.yaml`);
  const wanted = await outputsOf(model, samples);
  console.log(`${name}: FP32 ${accuracy(wanted, labels)} %, ${samples.length} samples`);
  for (const preset of ['performance', 'mixed'] as const) {
    for (const [variant, options] of Object.entries(variants)) {
      const { model: quantized, report } = await quantize(model, calibration, { preset, ...options });
      const outputs = await outputsOf(quantized, samples);
      const found = `${accuracy(outputs, labels)} %  ${decibels(outputs, wanted)} dB`;
      console.log(`  ${preset}  ${variant}: ${found}  (${report.seconds.total.toFixed(1)} s)`);
    }
  }
}
