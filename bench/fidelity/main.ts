// npm run bench:fidelity: distances of INT8 runs and of FP32 simulations from FP64, for IRs that the real POT and NNCF
// quantized and for models that lowp quantizes.
//
//   npm run bench:fidelity -- [--model TEXT]… [--input KIND]… [--neighbours N] [--keep] [--output FILE.json] [--table FILE.md]
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { inputInfos } from '../../lib/cli/options.ts';
import { type Feeds, type Model, openData, openModel, quantize } from '../../lib/index.ts';
import { prepareArrays } from '../accuracy/prepare.ts';
import { describeHost, type Host } from '../host.ts';
import { type Distances, inputsFor, inSinglePrecision, measurable, measureFidelity } from './distances.ts';
import { noiseFeeds, photographFeeds } from './inputs.ts';
import { fidelityPage } from './table.ts';

/** Distances behind all quantizers, and at one output. */
export interface FidelityRow {
  readonly model: string;
  readonly input: 'photographs' | 'noise' | 'data';
  readonly samples: number;
  readonly quantizers: Distances;
  readonly outputs: Readonly<Record<string, Distances>>;
}

export interface FidelityResults {
  readonly host: Host;
  readonly rows: readonly FidelityRow[];
}

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', multiple: true },
    input: { type: 'string', multiple: true },
    neighbours: { type: 'string', default: '3' },
    /** Keep what the output file holds of other models. */
    keep: { type: 'boolean', default: false },
    output: { type: 'string', default: 'bench/results/fidelity.json' },
    table: { type: 'string' },
  },
});
const shared = path.resolve('../shared');

/** Products in doubles that a run of some minutes has time for; larger networks are left out unless they are named. */
const tooLarge = /single-image-super-resolution|bike-detection|^model_int8|^Y52/;

/** Networks of ../shared/models that lowp quantizes with its default settings. */
const own = [
  'mobilenet_v1_0.75_224',
  'squeezenet1_1',
  'cifar10_resnet20',
  'kws_dscnn',
  'version-RFB-320',
  'yolox_nano',
];

interface Case {
  readonly name: string;
  readonly inputs: readonly FidelityRow['input'][];
  open(): Promise<Model>;
  feeds(model: Model, input: FidelityRow['input']): Promise<Feeds[]>;
}

function quantizedFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return quantizedFiles(full);
    const model = full.replace(/\.fq\.txt$/, '.xml');
    return model !== full && existsSync(model) ? [model] : [];
  });
}

function caseOfFile(file: string): Case {
  return {
    name: path.basename(file, '.xml'),
    inputs: ['photographs', 'noise'],
    open: () => openModel(file),
    feeds: (model, input) =>
      Promise.all(
        Array.from({ length: inputsFor(model) }, async (_, i) =>
          input === 'noise' ? noiseFeeds(model, i + 1) : photographFeeds(model, path.join(shared, 'data'), i),
        ),
      ),
  };
}

function caseOfModel(name: string): Case {
  const file = path.join(shared, 'models', `${name}.onnx`);
  const dataset = path.resolve('bench/accuracy', `${name}.yaml`);
  return {
    name: `${name}, quantized by lowp`,
    inputs: ['data'],
    open: async () => {
      prepareArrays(name, path.join(shared, 'data'), path.resolve('bench/results/accuracy'));
      const model = await openModel(file);
      const { data } = await openData(path.resolve('bench/accuracy', `${name}.calibration.yaml`), inputInfos(model));
      const samples = (async function* () {
        for await (const sample of data) yield sample.inputs;
      })();
      return (await quantize(model, samples)).model;
    },
    feeds: async (model) => {
      const { data } = await openData(dataset, inputInfos(model), { limit: inputsFor(model) });
      const feeds: Feeds[] = [];
      for await (const sample of data) feeds.push(sample.inputs);
      return feeds;
    },
  };
}

const cases = [...quantizedFiles(path.join(shared, 'irs')).map(caseOfFile), ...own.map(caseOfModel)].filter(
  ({ name }) => (options.model ? options.model.some((text) => name.includes(text)) : !tooLarge.test(name)),
);
const names = new Set(cases.map((c) => c.name));
const rows: FidelityRow[] =
  options.keep && existsSync(options.output)
    ? (JSON.parse(readFileSync(options.output, 'utf8')) as FidelityResults).rows.filter(
        (r) => !(names.has(r.model) && (options.input?.includes(r.input) ?? true)),
      )
    : [];
const host = describeHost({});
for (const { name, inputs, open, feeds } of cases) {
  const source = await open();
  const model = measurable(source);
  for (const input of inputs.filter((i) => options.input?.includes(i) ?? true)) {
    const samples = (await feeds(source, input)).map(inSinglePrecision);
    const { quantizers, outputs } = await measureFidelity(model, samples, { neighbours: Number(options.neighbours) });
    const row = { model: name, input, samples: samples.length, quantizers, outputs: Object.fromEntries(outputs) };
    rows.push(row);
    for (const [output, d] of outputs)
      process.stdout.write(
        `${name}, ${input}: ${output}: INT8 ${d.int8.usual.toFixed(2)} simulated ${d.simulated.usual.toFixed(2)} neighbours ${d.moved.map((m) => m.usual.toFixed(2)).join(' ')} steps; between ${d.int8ToSimulated.usual.toFixed(2)}; quantizers moved ${[quantizers.int8, quantizers.simulated, ...quantizers.moved].map((q) => `${(100 * q.moved).toFixed(3)}%`).join(' ')}\n`,
      );
    mkdirSync(path.dirname(options.output), { recursive: true });
    writeFileSync(options.output, `${JSON.stringify({ host, rows }, undefined, 2)}\n`);
  }
}
if (options.table !== undefined) writeFileSync(options.table, fidelityPage({ host, rows }));
