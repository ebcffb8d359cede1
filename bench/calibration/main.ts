// Calibration beside plain FP32 inference of the same samples: what observing all values costs.
//
//   npm run bench:calibration -- [--network NAME] [--samples 300] [--rounds 5] [--threads N] [--pipeline]
import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { median, ratioInterval } from '../../lib/benchmark/statistics.ts';
import { table } from '../../lib/cli/output.ts';
import {
  compile,
  cpuInfo,
  type Model,
  openModel,
  type QuantizeOptions,
  quantize,
  type Tensor,
} from '../../lib/index.ts';
import { type Network, networks } from '../networks/models.ts';

const { values: options } = parseArgs({
  options: {
    network: { type: 'string', multiple: true },
    samples: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
    /** Reads and decodes the files anew in every turn, on both sides; otherwise samples lie in memory. */
    pipeline: { type: 'boolean', default: false },
    /** Ranges from quantiles instead of extremes. */
    quantile: { type: 'boolean', default: false },
  },
});

type Feeds = Readonly<Record<string, Tensor>>;
type Open = () => Promise<AsyncIterable<Feeds>>;

const threads = options.threads === undefined ? {} : { threads: Number(options.threads) };
const subsetSize = Number(options.samples);

/** The samples of a network: from memory, or through the whole data pipeline every time. */
async function source(network: Network): Promise<Open> {
  if (options.pipeline) return () => network.samples();
  const kept: Feeds[] = [];
  for await (const sample of await network.samples()) {
    kept.push(sample);
    if (kept.length === subsetSize) break;
  }
  return async () =>
    (async function* () {
      for (let i = 0; i < subsetSize; i++) yield kept[i % kept.length]!;
    })();
}

/** Seconds of compiling and of plain inference of the samples. */
async function plain(model: Model, open: Open): Promise<number> {
  const samples = await open();
  const start = performance.now();
  let session: Awaited<ReturnType<typeof compile>> | undefined;
  let done = 0;
  for await (const feeds of samples) {
    const shapes = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, t.shape]));
    session ??= await compile(model, { ...threads, shapes });
    await session.infer(feeds);
    if (++done === subsetSize) break;
  }
  await session?.close();
  return (performance.now() - start) / 1000;
}

/** Seconds of the collect phase of `quantize()`. */
async function calibration(model: Model, open: Open): Promise<number> {
  const details: QuantizeOptions = options.quantile ? { details: { rangeEstimator: { preset: 'quantile' } } } : {};
  const { report } = await quantize(model, await open(), { subsetSize, ...threads, ...details });
  return report.seconds.calibrate;
}

const rows: string[][] = [];
for (const network of networks.filter((n) => !options.network || options.network.includes(n.name))) {
  await network.prepare?.();
  if (!(await stat(network.file).catch(() => undefined))) {
    process.stderr.write(`${network.name}: ${network.file} is not here, left out\n`);
    continue;
  }
  const model = await openModel(network.file);
  const open = await source(network);
  const [before, after]: [number[], number[]] = [[], []];
  for (let round = 0; round < Number(options.rounds); round++) {
    before.push(await plain(model, open));
    after.push(await calibration(model, open));
  }
  const ratios = after.map((seconds, i) => seconds / before[i]!);
  const [low, high] = ratioInterval(
    ratios,
    ratios.map(() => 1),
  );
  rows.push([
    network.name,
    median(before).toFixed(3),
    median(after).toFixed(3),
    `${median(ratios).toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`,
  ]);
}
const { brand, isa } = cpuInfo();
const read = options.pipeline ? 'read and decoded in every turn' : 'in memory';
process.stdout.write(`${brand}, ${isa}; ${subsetSize} samples, ${read}; median of ${options.rounds} rounds\n`);
process.stdout.write(`${table(['network', 'FP32 s', 'calibration s', 'calibration ÷ FP32'], rows)}\n`);
