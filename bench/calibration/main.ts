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

/** How long something took, by the clock and in CPU time of all threads: seconds. */
interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

function costSince(start: Cost): Cost {
  const now = costNow();
  return { wall: now.wall - start.wall, cpu: now.cpu - start.cpu };
}

function costNow(): Cost {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now() / 1e3, cpu: (user + system) / 1e6 };
}

/** Compiling and plain inference of the samples. */
async function plain(model: Model, open: Open): Promise<Cost> {
  const samples = await open();
  const start = costNow();
  let session: Awaited<ReturnType<typeof compile>> | undefined;
  let done = 0;
  for await (const feeds of samples) {
    const shapes = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, t.shape]));
    session ??= await compile(model, { ...threads, shapes });
    await session.infer(feeds);
    if (++done === subsetSize) break;
  }
  await session?.close();
  return costSince(start);
}

/** The collect phases of `quantize()`. */
async function calibration(model: Model, open: Open): Promise<Cost> {
  const details: QuantizeOptions = options.quantile ? { details: { rangeEstimator: { preset: 'quantile' } } } : {};
  let start = costNow();
  let sum: Cost = { wall: 0, cpu: 0 };
  const onProgress: QuantizeOptions['onProgress'] = (event) => {
    if (event.kind === 'phase:start' && event.phase === 'calibrate') start = costNow();
    if (event.kind !== 'phase:done' || event.phase !== 'calibrate') return;
    const { wall, cpu } = costSince(start);
    sum = { wall: sum.wall + wall, cpu: sum.cpu + cpu };
  };
  await quantize(model, await open(), { subsetSize, ...threads, ...details, onProgress });
  return sum;
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
  const [before, after]: [Cost[], Cost[]] = [[], []];
  for (let round = 0; round < Number(options.rounds); round++) {
    before.push(await plain(model, open));
    after.push(await calibration(model, open));
  }
  const ratioOf = (kind: keyof Cost): string => {
    const ratios = after.map((cost, i) => cost[kind] / before[i]![kind]);
    const [low, high] = ratioInterval(
      ratios,
      ratios.map(() => 1),
    );
    return `${median(ratios).toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
  };
  rows.push([
    network.name,
    median(before.map((c) => c.wall)).toFixed(3),
    median(after.map((c) => c.wall)).toFixed(3),
    ratioOf('wall'),
    ratioOf('cpu'),
  ]);
}
const { brand, isa } = cpuInfo();
const read = options.pipeline ? 'read and decoded in every turn' : 'in memory';
process.stdout.write(`${brand}, ${isa}; ${subsetSize} samples, ${read}; median of ${options.rounds} rounds\n`);
process.stdout.write(`${table(['network', 'FP32 s', 'calibration s', 'calibration ÷ FP32', 'in CPU time'], rows)}\n`);
