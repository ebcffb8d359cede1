// lowp quantize: a floating-point model and data become a quantized model.
import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type BiasMethod, biasMethods } from '../../algorithms/default-quantization/algorithm.ts';
import type { AlgorithmChoice } from '../../algorithms/index.ts';
import type { Dataset, InputInfo } from '../../data/dataset.ts';
import { imageDefaults } from '../../data/image-defaults.ts';
import { openData } from '../../data/open.ts';
import { sampleDataset } from '../../data/sampling.ts';
import { LowpError, throwIfAborted } from '../../errors/lowp-error.ts';
import { writeFilesAtomically } from '../../formats/atomic-write.ts';
import { outputFormat, saveModel } from '../../formats/index.ts';
import type { Model } from '../../graph/model.ts';
import type { IgnoredScope, IgnoredType } from '../../quantization/ignored-scope.ts';
import { type SaturationFix, saturationFixes } from '../../quantization/overflow.ts';
import { type QuantizeOptions, type QuantizeReport, quantize } from '../../quantize.ts';
import { staticBatchOf } from '../../statistics/batches.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { action, type CliCommand } from '../command.ts';
import {
  addCommonOptions,
  addDataOptions,
  type CommonOptions,
  checkOutputFile,
  collect,
  type DataCliOptions,
  dataOptions,
  inputInfos,
  integer,
  requireData,
} from '../options.ts';
import { formatBytes, type Output } from '../output.ts';
import { addShapeOption, openShaped, type ShapeOptions } from '../shapes.ts';

interface Options extends CommonOptions, DataCliOptions, ShapeOptions {
  readonly output: string;
  readonly subsetSize: number;
  readonly preset: 'performance' | 'mixed' | 'accuracy';
  readonly targetDevice: string;
  readonly modelType?: 'transformer';
  readonly ignored?: readonly string[];
  readonly algorithm?: readonly string[];
  readonly biasCorrection?: BiasMethod;
  readonly channelAlignment?: boolean;
  readonly saturationFix?: SaturationFix;
  readonly quantizationNoise?: string;
  readonly allowRandom?: boolean;
  readonly force?: boolean;
  readonly keepUncompressedWeights?: boolean;
  readonly report?: string;
  readonly statistics?: string;
  readonly shuffle?: boolean;
  readonly seed?: number;
}

export const quantizeCommand: CliCommand = {
  register(program) {
    const command = program
      .command('quantize <model>')
      .description('quantize a model to 8 bits with a small set of data');
    command
      .requiredOption('-o, --output <file>', 'the quantized model, .xml or .onnx')
      .option('--subset-size <n>', 'samples to calibrate on, the first ones', integer(1), 300)
      .addOption(
        new Option('--preset <name>', 'symmetric activations, or asymmetric where it helps')
          .choices(['performance', 'mixed', 'accuracy'])
          .default('mixed'),
      )
      .option('--target-device <name>', 'ANY, CPU, CPU_SPR, GPU, VPU, NPU, GNA or GNA3', 'ANY')
      .addOption(new Option('--model-type <name>', 'special treatment').choices(['transformer']))
      .option(
        '--ignored <what>',
        'NAME, type:TYPE[:ATTRIBUTE=VALUE] or re:PATTERN stays in floating point (repeat)',
        collect,
      )
      .option('--keep-uncompressed-weights', '.xml: write weights as FP32 with FakeQuantize instead of INT8')
      .option('--force', 'strip the quantization of a quantized model first')
      .option('--allow-random', 'accept --data random: ranges will be meaningless')
      .option('--report <file>', 'write an HTML report');
    addSampleOptions(command);
    addCorrectionOptions(command);
    addCommonOptions(addDataOptions(addShapeOption(command))).action(
      action<Options>(async ([file], options, { out, signal }) => {
        checkOutput(file!, options);
        const model = await openShaped(file!, options, signal);
        const data = await calibrationData(options, model);
        const samples = data && { [Symbol.asyncIterator]: () => inputsOf(data) };
        const { model: quantized, report } = await quantize(model, samples, {
          preset: options.preset,
          targetDevice: options.targetDevice,
          subsetSize: options.subsetSize,
          ...correctionOptions(options),
          ignored: ignoredScope(options.ignored ?? []),
          ...(options.modelType ? { modelType: options.modelType } : {}),
          force: options.force ?? false,
          ...(options.threads === undefined ? {} : { threads: options.threads }),
          ...(options.statistics === undefined ? {} : { statistics: options.statistics }),
          signal,
          onProgress: out.progress(),
        });
        throwIfAborted(signal);
        await saveModel(quantized, options.output, { compressWeights: !options.keepUncompressedWeights });
        if (options.report !== undefined) {
          const { writeQuantizationReport } = await import('../../report/quantization-report.ts');
          await writeQuantizationReport(options.report, report);
        }
        if (options.quantizationNoise !== undefined) await writeNoise(options.quantizationNoise, report);
        summarize(report, options, out);
        out.json({ output: options.output, ...report });
      }),
    );
  },
};

/** Which samples are taken, and what is kept of them. */
function addSampleOptions(command: Command): void {
  command
    .option('--shuffle', 'take random samples instead, the same ones for the same --seed')
    .option('--seed <n>', 'decides which samples --shuffle takes (default: 0)', integer(0))
    .option(
      '--statistics <file>',
      'use the statistics in this file, for any preset and device, without running the model; collect what it lacks',
    );
}

/** The options of `quantize()` for algorithms and their parts. */
function correctionOptions(options: Options): Partial<QuantizeOptions> {
  const { algorithm, biasCorrection, channelAlignment, saturationFix, quantizationNoise } = options;
  const isDefault = !algorithm || (algorithm.length === 1 && algorithm[0] === 'default');
  return {
    ...(isDefault ? {} : { algorithms: algorithm.map(algorithmChoice) }),
    ...(biasCorrection === undefined ? {} : { biasCorrection }),
    ...(channelAlignment === undefined ? {} : { channelAlignment }),
    ...(saturationFix === undefined ? {} : { saturationFix }),
    ...(quantizationNoise === undefined ? {} : { noise: true }),
  };
}

async function writeNoise(path: string, { noise }: QuantizeReport): Promise<void> {
  await writeFilesAtomically([{ path, content: `${JSON.stringify(noise, undefined, 2)}\n` }]);
}

/** `NAME,key=value,…`: values are JSON where they can be read so, and text otherwise. */
export function algorithmChoice(text: string): AlgorithmChoice {
  const [name = '', ...pairs] = text.split(',').map((part) => part.trim());
  const params: Record<string, unknown> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new LowpError('ERR_CLI_USAGE', `--algorithm ${text}: expected NAME,key=value, got '${pair}'`);
    params[pair.slice(0, at)] = jsonOrText(pair.slice(at + 1));
  }
  return { name: name === 'default' ? 'DefaultQuantization' : name, params };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Which algorithms run, and what they do about the errors of rounding. */
function addCorrectionOptions(command: Command): void {
  command
    .option(
      '--algorithm <name>',
      'default, or algorithms by name with their parameters, in order: NAME[,key=value…] (repeat)',
      collect,
    )
    .option('--quantization-noise <file>', 'measure signal ÷ noise behind each product and write it as JSON')
    .addOption(
      new Option(
        '--bias-correction <how>',
        'take the mean error of rounding out of biases: each alone (default), or in order',
      ).choices(biasMethods),
    )
    .option('--channel-alignment', 'align the channels between two products (default)')
    .option('--no-channel-alignment', 'leave the channels between two products as they are')
    .addOption(
      new Option(
        '--saturation-fix <what>',
        'weights of 7 bits, for other runtimes on processors without VNNI (default: no)',
      ).choices(saturationFixes),
    );
}

/** What would be refused after the work is refused before it. */
function checkOutput(model: string, options: Options): void {
  if (options.algorithm?.includes('accuracy-aware')) {
    throw new LowpError('ERR_ALGO_UNSUPPORTED', 'the algorithm accuracy-aware is not available', {
      help: 'Use --algorithm default.',
    });
  }
  checkOutputFile(model, options.output);
  if (options.keepUncompressedWeights && outputFormat(options.output) === 'onnx') {
    throw new LowpError('ERR_CLI_USAGE', '--keep-uncompressed-weights: quantized weights in ONNX files are integers', {
      help: 'Write an IR (.xml) to keep the weights as floats behind a FakeQuantize.',
    });
  }
}

function summarize({ nodes, samples, seconds, weightBytes }: QuantizeReport, options: Options, out: Output): void {
  const floats = nodes.filter((n) => !n.quantized);
  if (options.verbose)
    out.table(
      ['node', 'type', 'not quantized because'],
      floats.map((n) => [n.name, n.type, n.reason]),
    );
  const count = `${nodes.length - floats.length} of ${nodes.length} operations`;
  const used = samples === 1 ? 'one sample' : `${samples} samples`;
  out.line(`quantized ${count} with ${used} in ${seconds.total.toFixed(1)} s`);
  out.line(`weights ${formatBytes(weightBytes.before)} → ${formatBytes(weightBytes.after)}`);
  out.line(`wrote ${options.output}`);
  out.note(`lowp inspect ${options.output} shows how each operation runs and why`);
}

/** The samples; undefined when none are named and a statistics file is there to stand for them. */
async function calibrationData(options: Options, model: Model): Promise<Dataset | undefined> {
  if (options.seed !== undefined && !options.shuffle)
    throw new LowpError('ERR_CLI_USAGE', '--seed decides which samples --shuffle takes', { help: 'Add --shuffle.' });
  if (options.data === undefined && options.statistics !== undefined && existsSync(options.statistics))
    return undefined;
  const spec = requireData(options, 'quantize');
  if (spec === 'random' && !options.allowRandom) {
    throw new LowpError('ERR_CLI_USAGE', 'random data gives ranges that fit no real input', {
      help: 'Give real data, or add --allow-random for a dry run.',
    });
  }
  const { data } = await openData(spec, sampleInfos(model), dataOptions(options), imageDefaults(model));
  return options.shuffle ? sampleDataset(data, options.subsetSize, options.seed ?? 0) : data;
}

/** The inputs as single samples fit them: a model that takes several at a time is fed by batches of them. */
function sampleInfos(model: Model): InputInfo[] {
  const infos = inputInfos(model);
  return (staticBatchOf(model) ?? 1) === 1
    ? infos
    : infos.map((info) => ({ ...info, shape: [-1, ...info.shape.slice(1)] }));
}

async function* inputsOf(data: Dataset): AsyncGenerator<Readonly<Record<string, Tensor>>> {
  for await (const sample of data) yield sample.inputs;
}

/** `NAME`, `type:TYPE`, `type:TYPE:ATTRIBUTE=VALUE` and `re:PATTERN` apart. */
export function ignoredScope(list: readonly string[]): Required<IgnoredScope> {
  const pick = (prefix: string): string[] =>
    list.filter((s) => s.startsWith(prefix)).map((s) => s.slice(prefix.length));
  return {
    names: list.filter((s) => !s.startsWith('type:') && !s.startsWith('re:')),
    types: pick('type:').map(ignoredType),
    patterns: pick('re:'),
  };
}

/** `TYPE:ATTRIBUTE=VALUE…` */
function ignoredType(text: string): string | IgnoredType {
  const [type = '', ...pairs] = text.split(':');
  if (pairs.length === 0) return type;
  const attributes = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
    throw new LowpError('ERR_CLI_USAGE', `--ignored type:${text}: '${pair}' is not of the form ATTRIBUTE=VALUE`, {
      help: 'For example --ignored type:GroupConvolution:strides=2,2.',
    });
  });
  return { type, attributes: Object.fromEntries(attributes) };
}
