// Trained networks of others through the command line: accuracy, bits and size of what lowp makes of them.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { inputInfos } from '../../lib/cli/options.ts';
import { openData } from '../../lib/data/open.ts';
import { compile, openModel, quantize, readNpy, saveModel, type Tensor, writeNpy } from '../../lib/index.ts';
import { lowpJson, lowpOk, temporaryFolder } from '../support/cli.ts';
import { runnableIsas } from '../support/isas.ts';
import { sharedFolder } from '../support/shared-folder.ts';

const models = sharedFolder('models');
const data = sharedFolder('data');
const folder = temporaryFolder();
const skip = models.skip || data.skip;

/** What a network takes, and where its samples are. */
interface Network {
  readonly calibration: readonly string[];
  readonly test: () => readonly string[];
  readonly labels: () => string;
}

const imagenet = (...preprocessing: string[]): Network => ({
  calibration: [path.join(data.path, 'imagenet/calib'), '--resize', 'short:256', '--crop', '224x224', ...preprocessing],
  test: () => [path.join(data.path, 'imagenet/test'), '--resize', 'short:256', '--crop', '224x224', ...preprocessing],
  labels: () => path.join(data.path, 'imagenet/test/labels.txt'),
});

const cifarOptions = '--source-layout NHWC --mean 123.675,116.28,103.53 --scale 58.395,57.12,57.375'.split(' ');
const cifar: Network = {
  calibration: [path.join(data.path, 'cifar10/calib_images.npy'), ...cifarOptions],
  test: () => [firstRows('cifar10/test_images.npy', 1000), ...cifarOptions],
  labels: () => firstRows('cifar10/test_labels.npy', 1000),
};

const networks: Readonly<Record<string, Network>> = {
  squeezenet1_1: imagenet('--color', 'bgr', '--mean', '104,117,123'),
  'mobilenet_v1_0.75_224': imagenet('--mean', '127.5', '--scale', '127.5'),
  cifar10_resnet20: cifar,
  cifar10_resnet20_bn: cifar,
};

/** The first rows of an array of the data folder, in a file of their own. */
function firstRows(name: string, count: number): string {
  const file = path.join(folder, path.basename(name));
  const { type, shape, data: values } = readNpy(readFileSync(path.join(data.path, name)));
  const rows = Math.min(count, shape[0]!);
  const part: Tensor = {
    type,
    shape: [rows, ...shape.slice(1)],
    data: values.slice(0, (values.length / shape[0]!) * rows),
  };
  writeFileSync(file, writeNpy(part));
  return file;
}

/** A few test samples as the network takes them: images of a folder, or rows of an array. */
function fewSamples(name: string, [source, ...options]: readonly string[]): string[] {
  if (source!.endsWith('.npy')) {
    const { type, shape, data: values } = readNpy(readFileSync(source!));
    const file = path.join(folder, `${name}-few.npy`);
    const few: Tensor = { type, shape: [4, ...shape.slice(1)], data: values.slice(0, (values.length / shape[0]!) * 4) };
    writeFileSync(file, writeNpy(few));
    return [file, ...options];
  }
  const few = path.join(folder, `${name}-few`);
  mkdirSync(few);
  const images = readdirSync(source!).filter((f) => f.endsWith('.jpg'));
  for (const image of images.slice(0, 4)) copyFileSync(path.join(source!, image), path.join(few, image));
  return [few, ...options];
}

async function top1(model: string, network: Network): Promise<number> {
  const args = ['evaluate', model, '--data', ...network.test(), '--labels', network.labels()];
  const { metrics } = (await lowpJson(args)) as { metrics: Record<string, number> };
  return metrics['accuracy@1']!;
}

for (const [name, network] of Object.entries(networks)) {
  describe(name, { skip, timeout: 15 * 60_000 }, () => {
    const source = path.join(models.path, `${name}.onnx`);
    const float = path.join(folder, `${name}.xml`);
    const int8 = path.join(folder, `${name}-int8.xml`);

    it('is quantized with every product in INT8, to at most 30 % of the size', async () => {
      await lowpOk(['convert', source, '-o', float]);
      const report = await lowpJson(['quantize', source, '-o', int8, '--data', ...network.calibration]);
      const nodes = report.nodes as { type: string; quantized: boolean }[];
      assert.equal(report.samples, 300);
      assert.ok(nodes.filter((n) => /Convolution|MatMul/.test(n.type)).every((n) => n.quantized));
      const [before, after] = [float, int8].map((f) => statSync(f.replace(/xml$/, 'bin')).size);
      assert.ok(after! / before! <= 0.3, `${after} of ${before} bytes`);
    });

    it('keeps its top-1 accuracy within a point of FP32 on the same samples', async () => {
      const [before, after] = [await top1(source, network), await top1(int8, network)];
      assert.ok(before > 0.5, `FP32 ${before}`);
      assert.ok(before - after <= 0.01, `FP32 ${before}, INT8 ${after}`);
    });

    it('gives the same bits on every instruction set', async () => {
      const few = fewSamples(name, network.test());
      let expected: Buffer | undefined;
      for (const isa of runnableIsas()) {
        const dir = path.join(folder, `${name}-${isa}`);
        const { stdout } = await lowpOk(['run', int8, '--data', ...few, '--output-dir', dir, '--max-isa', isa]);
        assert.match(stdout, /\[4,/);
        const bits = readFileSync(path.join(dir, 'output.npy'));
        expected ??= bits;
        assert.ok(bits.equals(expected), isa);
      }
    });
  });
}

describe('saving and opening again', { skip, timeout: 10 * 60_000 }, () => {
  for (const [name, network] of Object.entries(networks)) {
    it(`changes no bit of what ${name} gives`, async () => {
      const model = await openModel(path.join(models.path, `${name}.onnx`));
      const inputs = inputInfos(model);
      const opened = name.startsWith('cifar')
        ? await openData(network.calibration[0]!, inputs, { sourceLayout: 'NHWC', scale: [64] })
        : await openData(network.calibration[0]!, inputs, { resize: '224x224', scale: [128] });
      const samples: Record<string, Tensor>[] = [];
      for await (const sample of opened.data) {
        samples.push({ ...sample.inputs });
        if (samples.length === 12) break;
      }
      const { model: quantized } = await quantize(model, samples.slice(0, 8));
      const file = path.join(folder, `${name}-reopened.xml`);
      await saveModel(quantized, file);
      const sessions = await Promise.all([quantized, await openModel(file)].map((m) => compile(m)));
      try {
        for (const sample of samples) {
          const [a, b] = await Promise.all(sessions.map((s) => s.infer(sample)));
          assert.deepEqual(new Uint32Array(b!.output!.data.buffer), new Uint32Array(a!.output!.data.buffer));
        }
      } finally {
        for (const session of sessions) await session.close();
      }
    });
  }
});
