// Accuracy of every model of ../shared/models: FP32, FakeQuantize simulated in FP32, and INT8 kernels, beside other tools.
//
//   npm run bench:accuracy -- [--model NAME]… [--limit N] [--preset P] [--draws N] [--keep] [--output FILE.json] [--table FILE.md]
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { inputInfos } from '../../lib/cli/options.ts';
import { evaluate, type Model, openData, openModel, type QuantizeOptions, quantize } from '../../lib/index.ts';
import { findMetric } from '../../lib/metrics/index.ts';
import { random } from '../../lib/util/random.ts';
import { describeHost, type Host } from '../host.ts';
import { spread } from '../statistics.ts';
import { measureDtln } from './dtln.ts';
import { peerRow } from './peers.ts';
import { prepareArrays } from './prepare.ts';
import { accuracyTable } from './table.ts';

/** The models, and what kind they are declared to be. */
const models: Readonly<Record<string, Pick<QuantizeOptions, 'modelType'>>> = {
  'mobilenet_v1_0.75_224': {},
  squeezenet1_1: {},
  cifar10_resnet20: {},
  ic_resnet8_cifar10: {},
  kws_dscnn: {},
  yolox_nano: {},
  enet_camvid: {},
  sst2_bert_small_op13: { modelType: 'transformer' },
  ncf_neumf: {},
  'dncnn-s-25': {},
  imdn_x2: {},
  'version-RFB-320': {},
  meshnet11: {},
};

/** Networks that run together, with the file that must be there. */
const programs: Readonly<Record<string, { readonly file: string; measure(shared: string): Promise<AccuracyRow[]> }>> = {
  dtln: { file: 'dtln_model_1.onnx', measure: measureDtln },
};

/** Figures of one model and metric; fractions as percent. */
export interface AccuracyRow {
  readonly model: string;
  readonly metric: string;
  readonly unit: '%' | 'dB';
  readonly samples: number;
  readonly calibrationSamples: number;
  readonly fp32: number;
  readonly simulated: number;
  readonly int8: number;
  /** FP32 here, and the difference that the best other tool has to its own FP32, less 0.2 of a point or decibel. */
  readonly goal?: number;
  readonly bestTool?: string;
  /** INT8 − FP32 with other calibration samples: `--draws` times three fifths of them, drawn at random. */
  readonly draws?: readonly number[];
  readonly seconds: { readonly total: number; readonly calibrate: number; readonly correct: number };
}

export interface AccuracyResults {
  readonly host: Host;
  readonly rows: readonly AccuracyRow[];
}

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', multiple: true },
    limit: { type: 'string' },
    preset: { type: 'string' },
    /** Also calibrate with so many random parts of the samples: how far a figure is that of the samples. */
    draws: { type: 'string', default: '0' },
    output: { type: 'string', default: 'bench/results/accuracy.json' },
    table: { type: 'string' },
    /** Keep what the output file holds of other models. */
    keep: { type: 'boolean', default: false },
    /** Only write the table from what was measured before. */
    reuse: { type: 'boolean', default: false },
  },
});
const shared = path.resolve('../shared');
const folder = path.resolve('bench/accuracy');
const limit = options.limit === undefined ? {} : { limit: Number(options.limit) };

async function measure(name: string): Promise<AccuracyRow[]> {
  prepareArrays(name, path.join(shared, 'data'), path.resolve('bench/results/accuracy'));
  const model = await openModel(path.join(shared, 'models', `${name}.onnx`));
  const fp32 = await score(name, model, 'CPU');
  const calibration = await openData(path.join(folder, `${name}.calibration.yaml`), inputInfos(model));
  const samples = async function* (isTaken: (index: number) => boolean = () => true) {
    let index = 0;
    for await (const { inputs } of calibration.data) if (isTaken(index++)) yield inputs;
  };
  const how: QuantizeOptions = {
    ...models[name],
    ...(options.preset === undefined ? {} : { preset: options.preset as 'performance' | 'mixed' }),
    targetDevice: 'ANY',
  };
  const { model: quantized, report } = await quantize(model, samples(), how);
  const drawn: Awaited<ReturnType<typeof score>>[] = [];
  for (let seed = 1; seed <= Number(options.draws); seed++) {
    const taken = draw(report.samples, seed);
    const { model: other } = await quantize(
      model,
      samples((i) => taken.has(i)),
      how,
    );
    drawn.push(await score(name, other, 'CPU'));
  }
  const simulated = await score(name, quantized, 'CPU_FP32');
  const int8 = await score(name, quantized, 'CPU');
  return fp32.metrics.map((metric): AccuracyRow => {
    const factor = metric.unit === 'dB' ? 1 : 100;
    const value = (from: typeof fp32): number => from.values[metric.name]! * factor;
    const peer = peerRow(path.join(shared, 'peers/RESULTS.md'), name, metric.name);
    return {
      model: name,
      metric: metric.name,
      unit: metric.unit === 'dB' ? 'dB' : '%',
      samples: fp32.samples,
      calibrationSamples: report.samples,
      fp32: value(fp32),
      simulated: value(simulated),
      int8: value(int8),
      ...(drawn.length > 0 ? { draws: drawn.map((d) => value(d) - value(fp32)) } : {}),
      ...(peer ? { goal: value(fp32) + peer.best - peer.fp32 - 0.2, bestTool: peer.tool } : {}),
      seconds: report.seconds,
    };
  });
}

/** Three fifths of the indices below `count`, at random. */
function draw(count: number, seed: number): ReadonlySet<number> {
  const { next } = random(seed);
  const order = Array.from({ length: count }, (_, index) => ({ index, at: next() })).sort((a, b) => a.at - b.at);
  return new Set(order.slice(0, Math.ceil(0.6 * count)).map((o) => o.index));
}

async function score(name: string, model: Model, device: string) {
  const opened = await openData(path.join(folder, `${name}.yaml`), inputInfos(model), limit);
  const metrics = opened.options.metrics!.map(findMetric);
  const { postprocess, reference } = opened.options;
  const result = await evaluate(model, opened.data, await opened.labels(), {
    device,
    metrics,
    ...(postprocess === undefined ? {} : { postprocess }),
    ...(reference === undefined ? {} : { reference: await openModel(reference) }),
  });
  return { metrics, values: result.metrics, samples: result.samples };
}

function read(): AccuracyResults {
  return JSON.parse(readFileSync(options.output, 'utf8')) as AccuracyResults;
}

function write(results: AccuracyResults): void {
  mkdirSync(path.dirname(options.output), { recursive: true });
  writeFileSync(options.output, `${JSON.stringify(results, undefined, 2)}\n`);
  if (options.table !== undefined) writeFileSync(options.table, accuracyTable(results));
}

const names = options.model ?? [...Object.keys(models), ...Object.keys(programs)];
const rows: AccuracyRow[] =
  options.keep && existsSync(options.output) ? read().rows.filter((row) => !names.includes(row.model)) : [];
if (options.reuse) {
  write(read());
} else {
  const host = describeHost({});
  for (const name of names) {
    const program = programs[name];
    if (!existsSync(path.join(shared, 'models', program?.file ?? `${name}.onnx`))) {
      process.stderr.write(`${name}: not in ${shared}/models, left out\n`);
      continue;
    }
    const measured = await (program?.measure(shared) ?? measure(name));
    rows.push(...measured);
    for (const row of measured) process.stdout.write(`${lineOf(row)}\n`);
    write({ host, rows });
  }
}

function lineOf(row: AccuracyRow): string {
  const { model, metric, fp32, simulated, int8, goal, seconds, samples } = row;
  const verdict = goal === undefined ? '' : ` goal ${goal.toFixed(2)} ${int8 >= goal ? 'reached' : 'MISSED'}`;
  const figures = `FP32 ${fp32.toFixed(3)} simulated ${simulated.toFixed(3)} INT8 ${int8.toFixed(3)}`;
  return `${model} ${metric} (${samples}): ${figures}${verdict}, ${seconds.total.toFixed(1)} s (${seconds.calibrate.toFixed(1)} + ${seconds.correct.toFixed(1)})${drawsText(row)}`;
}

function drawsText({ draws }: AccuracyRow): string {
  if (!draws) return '';
  const { mean, deviation } = spread(draws);
  return `; drawn: ${mean.toFixed(2)} ± ${deviation.toFixed(2)} (${draws.map((d) => d.toFixed(2)).join(', ')})`;
}
