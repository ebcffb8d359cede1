// npm run bench: lowp FP32 and INT8 beside ONNX Runtime FP32 and INT8 (QDQ) on real networks, in turns.
import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../lib/cli/output.ts';
import { cpuInfo, openModel, quantize, saveModel } from '../../lib/index.ts';
import { allowedCpus, cpusFor } from '../cpus.ts';
import { describeHost, packageVersion } from '../host.ts';
import { type Ratio, ratioText, speedRatio } from '../statistics.ts';
import { interleave, type Measurement } from './interleave.ts';
import { type Network, networks } from './models.ts';
import { onnxRuntime } from './ort-target.ts';
import type { Contestant } from './protocol.ts';
import type { NetworksDocument, Row } from './results.ts';

const { values: options } = parseArgs({
  options: {
    network: { type: 'string', multiple: true },
    batch: { type: 'string', default: '1,8' },
    threads: { type: 'string', default: '1,2' },
    /** Instruction sets of lowp; what this CPU has and AVX2. ONNX Runtime always uses all it finds. */
    isa: { type: 'string', default: 'native,avx2' },
    rounds: { type: 'string', default: '10' },
    ms: { type: 'string', default: '300' },
    /** Overwrites the caches before every inference. */
    cold: { type: 'boolean', default: false },
    output: { type: 'string', default: 'bench/results/networks.json' },
    /** Takes the quantized models of the last run as they are. */
    reuse: { type: 'boolean', default: false },
  },
});

interface Quantized {
  /** For lowp: the IR that `lowp quantize` writes for CPU, one scale per channel in front of depthwise convolutions. */
  readonly ir: string;
  /** For ONNX Runtime: QuantizeLinear/DequantizeLinear in the form that it fuses, one scale per tensor everywhere. */
  readonly qdq: string;
}

/** Quantizes with the same samples for both runtimes, each by the table that suits it. */
async function quantizeFor(network: Network): Promise<Quantized> {
  const folder = 'build/bench';
  await mkdir(folder, { recursive: true });
  const ir = path.join(folder, `${network.name}_int8.xml`);
  const qdq = path.join(folder, `${network.name}_int8_qdq.onnx`);
  const made = await Promise.all([ir, qdq].map((file) => stat(file).catch(() => undefined)));
  if (options.reuse && made.every(Boolean)) return { ir, qdq };
  process.stderr.write(`quantizing ${network.name} …\n`);
  const common = { subsetSize: 300, ...(network.modelType ? { modelType: network.modelType } : {}) };
  const forLowp = await quantize(await openModel(network.file), await network.samples(), common);
  await saveModel(forLowp.model, ir);
  const targetDevice = onnxRuntime;
  const forOrt = await quantize(await openModel(network.file), await network.samples(), {
    ...common,
    targetDevice,
  });
  await saveModel(forOrt.model, qdq);
  return { ir, qdq };
}

interface Setting {
  readonly batch: number;
  readonly threads: number;
  readonly isa: string;
}

async function measure(network: Network, { ir, qdq }: Quantized, { batch, threads, isa }: Setting): Promise<Row> {
  const input = { name: network.input, shape: [batch, ...network.shape] };
  const contestant = (engine: Contestant['engine'], label: string, model: string): Contestant => ({
    engine,
    label,
    model,
    input,
    threads,
    cold: options.cold,
    ...(engine === 'lowp' ? { maxIsa: isa } : {}),
  });
  const cpus = cpusFor(threads);
  const rounds = Number(options.rounds);
  const { measurements, repeated, disturbed } = await interleave(
    [
      contestant('lowp', 'lowp FP32', network.file),
      contestant('lowp', 'lowp INT8', ir),
      contestant('onnxruntime', 'ORT FP32', network.file),
      contestant('onnxruntime', 'ORT INT8', qdq),
    ],
    { rounds, ms: Number(options.ms), repeats: rounds, cpus },
  );
  const caches = options.cold ? 'cold' : 'warm';
  const setting = { network: network.name, batch, threads, isa, caches, cpus, repeated, disturbed } as const;
  return { ...setting, measurements, ratios: ratiosOf(measurements) };
}

function ratiosOf(measurements: readonly Measurement[]): Record<string, Ratio> {
  const ratio = (faster: string, slower: string): [string, Ratio][] => {
    const [a, b] = [faster, slower].map((label) => measurements.find((m) => m.label === label)!);
    const failed = a!.failure !== undefined || b!.failure !== undefined;
    return failed ? [] : [[`${faster} ÷ ${slower}`, speedRatio(b!.rounds, a!.rounds)]];
  };
  return Object.fromEntries([
    ...ratio('lowp INT8', 'lowp FP32'),
    ...ratio('ORT INT8', 'ORT FP32'),
    ...ratio('lowp FP32', 'ORT FP32'),
    ...ratio('lowp INT8', 'ORT INT8'),
    ...ratio('lowp INT8', 'ORT FP32'),
  ]);
}

/** The numbers of threads for which there are CPUs. */
function usableThreads(): number[] {
  const cpus = allowedCpus()?.length ?? Number.POSITIVE_INFINITY;
  const [usable, refused] = [
    list(options.threads).filter((t) => t <= cpus),
    list(options.threads).filter((t) => t > cpus),
  ];
  if (refused.length > 0) {
    process.stderr.write(`${refused.join(', ')} threads need more CPUs than the ${cpus} of this process, left out\n`);
  }
  return usable;
}

/** Instruction sets by their own names, lowest last, those that this CPU has. */
function usableIsas(): string[] {
  const levels: readonly string[] = cpuInfo().isas;
  const named = options.isa.split(',').map((name) => (name === 'native' ? cpuInfo().isa : name));
  return [...new Set(named)].filter((name) => levels.includes(name));
}

const list = (text: string): number[] => text.split(',').map(Number);
const rows: Row[] = [];
for (const network of networks.filter((n) => !options.network || options.network.includes(n.name))) {
  await network.prepare?.();
  if (!(await stat(network.file).catch(() => undefined))) {
    process.stderr.write(`${network.name}: ${network.file} is not here, left out\n`);
    continue;
  }
  const quantized = await quantizeFor(network);
  for (const isa of usableIsas())
    for (const batch of list(options.batch))
      for (const threads of usableThreads()) rows.push(await measure(network, quantized, { batch, threads, isa }));
}
const host = describeHost({ onnxruntime: packageVersion('bench/peers/node_modules/onnxruntime-node') ?? 'unknown' });
process.stdout.write(`${host.cpu}, ${host.isa}; speed ratios, median of ${options.rounds} rounds (95 % interval)
a ÷ b: how many times faster a is than b; ${options.cold ? 'caches overwritten before each inference' : 'warm: one inference after the other'}
lowp INT8: quantized for CPU, one scale per channel in front of depthwise convolutions
ORT INT8: ONNX Runtime, quantized with one scale per tensor everywhere, as its INT8 kernels need
`);
const heads = Object.keys(rows[0]?.ratios ?? {});
process.stdout.write(
  `${table(
    ['network', 'batch', 'threads', 'isa', ...(rows[0]?.measurements.map((m) => `${m.label} ms`) ?? []), ...heads],
    rows.map((r) => [
      r.network,
      `${r.batch}`,
      `${r.threads}`,
      r.isa,
      ...r.measurements.map((m) => (m.failure === undefined ? m.medianMs.toFixed(2) : 'failed')),
      ...heads.map((h) => (r.ratios[h] ? ratioText(r.ratios[h]) : '–')),
    ]),
  )}\n`,
);
for (const r of rows)
  for (const m of r.measurements)
    if (m.failure !== undefined) process.stderr.write(`${r.network} ${m.label}: ${m.failure}\n`);
await mkdir(path.dirname(options.output), { recursive: true });
const document: NetworksDocument = { schemaVersion: 2, kind: 'networks', host, rounds: Number(options.rounds), rows };
await writeFile(options.output, JSON.stringify(document, undefined, 2));
process.stderr.write(`wrote ${options.output}\n`);
