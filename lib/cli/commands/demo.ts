// lowp demo: the main job on the network and the data that ship with the package.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { benchmark, type ModelBenchmark } from '../../benchmark/run.ts';
import type { Dataset } from '../../data/dataset.ts';
import { glyphSample, glyphSize } from '../../data/glyphs.ts';
import { throwIfAborted } from '../../errors/lowp-error.ts';
import { evaluate } from '../../evaluation/evaluate.ts';
import { openModel, saveModel } from '../../formats/index.ts';
import { inputName, type Model } from '../../graph/model.ts';
import { cpuInfo } from '../../native/cpu-info.ts';
import { quantize } from '../../quantize.ts';
import { barChart } from '../../report/charts.ts';
import { htmlPage, htmlTable, paragraph, writePage } from '../../report/html.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { packageRoot } from '../../util/package-root.ts';
import { action, type CliCommand, type CommandContext } from '../command.ts';
import { addCommonOptions, type CommonOptions, integer, sessionOptions } from '../options.ts';
import { formatBytes, formatPercent } from '../output.ts';

interface Options extends CommonOptions {
  readonly outputDir: string;
  readonly samples: number;
}

/** Seeds of the calibration and of the test data; the network was trained on others. */
const calibrationSeed = 1001;
const testSeed = 2002;
const calibrationSamples = 300;

/** One line of the table. */
interface Contender {
  readonly name: string;
  readonly file: string;
  readonly accuracy: number;
  readonly fileBytes: number;
  readonly speed: ModelBenchmark;
}

export const demoCommand: CliCommand = {
  register(program) {
    const command = program
      .command('demo')
      .description('quantize, evaluate and benchmark the network that ships with lowp');
    command
      .option('--output-dir <dir>', 'folder for the quantized model and the report', 'demo-output')
      .option('--samples <n>', 'test images', integer(1), 2000);
    addCommonOptions(command).action(
      action<Options>(async (_, options, context) => {
        const { out } = context;
        const started = performance.now();
        const { source, target, quantized } = await quantizeDemo(options, context);
        const models = [await openModel(source), await openModel(target)];
        const accuracy = await accuracyOf(models, options, context);
        out.note('measuring both in turns …');
        const session = sessionOptions(options, context.signal);
        const speed = await benchmark(models, { ...session, seconds: 2, onProgress: out.progress() });
        const contenders = await Promise.all(
          [source, target].map(
            async (file, i): Promise<Contender> => ({
              name: i === 0 ? 'FP32' : 'INT8',
              file,
              accuracy: accuracy[i]!,
              fileBytes: await modelBytes(file),
              speed: speed[i]!,
            }),
          ),
        );
        const page = path.join(options.outputDir, 'report.html');
        await writePage(page, demoPage(contenders, options.samples));
        out.table(heads, resultRows(contenders));
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        out.note(`${quantized} operations run in INT8; ${target} and ${page} written in ${seconds} s`);
        out.json({
          samples: options.samples,
          output: target,
          report: page,
          models: contenders.map(({ speed: s, ...rest }) => ({ ...rest, benchmark: s })),
        });
      }),
    );
  },
};

/** Quantizes the network that ships with the package and writes the result. */
async function quantizeDemo(
  options: Options,
  { out, signal }: CommandContext,
): Promise<{ source: string; target: string; quantized: number }> {
  const source = path.join(packageRoot(), 'assets', 'demo', 'glyphs.xml');
  const model = await openModel(source, { signal });
  out.note(`calibrating on ${calibrationSamples} generated images …`);
  const data = glyphs(inputName(model.parameters()[0]!), calibrationSeed, calibrationSamples);
  const { model: result, report } = await quantize(model, inputsOf(data), {
    subsetSize: calibrationSamples,
    signal,
    onProgress: out.progress(),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });
  const target = path.join(options.outputDir, 'glyphs_int8.xml');
  throwIfAborted(signal);
  await saveModel(result, target);
  return { source, target, quantized: report.nodes.filter((n) => n.quantized).length };
}

/** Top-1 accuracy of each model on the same generated images. */
async function accuracyOf(
  models: readonly Model[],
  options: Options,
  { out, signal }: CommandContext,
): Promise<number[]> {
  const test = glyphs(inputName(models[0]!.parameters()[0]!), testSeed, options.samples);
  const labels = Int32Array.from({ length: test.length }, (_, i) => glyphSample(testSeed, i).label);
  out.note(`evaluating both models on ${test.length} other images …`);
  const session = { ...sessionOptions(options, signal), onProgress: out.progress() };
  const accuracy: number[] = [];
  for (const model of models) accuracy.push((await evaluate(model, test, labels, session)).metrics['accuracy@1']!);
  return accuracy;
}

/** Generated images as a dataset. */
function glyphs(input: string, seed: number, length: number): Dataset {
  const shape = [1, 1, glyphSize, glyphSize];
  return {
    name: 'glyphs',
    length,
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < length; i++) {
        const value: Tensor = { type: 'f32', shape, data: glyphSample(seed, i).image };
        yield { id: `glyph ${i}`, inputs: { [input]: value } };
      }
    },
  };
}

async function* inputsOf(data: Dataset): AsyncGenerator<Readonly<Record<string, Tensor>>> {
  for await (const sample of data) yield sample.inputs;
}

/** Size of the .xml and the .bin together. */
async function modelBytes(file: string): Promise<number> {
  const sizes = await Promise.all([file, file.replace(/\.xml$/, '.bin')].map(async (f) => (await stat(f)).size));
  return sizes[0]! + sizes[1]!;
}

const heads = ['model', 'accuracy', 'latency ms', 'images/s', 'file', 'faster', 'smaller'];

function resultRows(contenders: readonly Contender[]): string[][] {
  const first = contenders[0]!;
  return contenders.map((c) => [
    c.name,
    formatPercent(c.accuracy),
    c.speed.latencyMs.median.toFixed(3),
    c.speed.throughputPerSecond.toFixed(0),
    formatBytes(c.fileBytes),
    `${c.speed.ratioToFirst.latencyMedian.toFixed(2)} ×`,
    `${(first.fileBytes / c.fileBytes).toFixed(2)} ×`,
  ]);
}

function demoPage(contenders: readonly Contender[], samples: number): string {
  const names = contenders.map((c) => c.name);
  const { isa, brand } = cpuInfo();
  return htmlPage('lowp demo: FP32 and INT8', [
    {
      title: 'Result',
      body: [
        htmlTable(heads, resultRows(contenders)),
        paragraph(
          `Glyph classifier, ${samples} test images, batch 1, both models measured in turns on ${brand} (${isa}).`,
        ),
      ],
    },
    {
      title: 'Accuracy',
      body: [barChart('Accuracy', names, [{ name: '%', values: contenders.map((c) => c.accuracy * 100) }], '%')],
    },
    {
      title: 'Speed',
      body: [
        barChart(
          'Median latency',
          names,
          [{ name: 'ms', values: contenders.map((c) => c.speed.latencyMs.median) }],
          'ms',
        ),
        barChart(
          'Throughput',
          names,
          [{ name: 'images/s', values: contenders.map((c) => c.speed.throughputPerSecond) }],
          'images/s',
        ),
      ],
    },
    {
      title: 'Size',
      body: [barChart('Model file', names, [{ name: 'kB', values: contenders.map((c) => c.fileBytes / 1000) }], 'kB')],
    },
  ]);
}
