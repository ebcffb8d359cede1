// npm run bench: lowp FP32 and INT8 beside ONNX Runtime FP32 and INT8 (QDQ) on real networks, in turns.
import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../lib/cli/output.ts';
import { cpuInfo, openModel, quantize, saveModel } from '../../lib/index.ts';
import { interleave, type Measurement, type Ratio, speedRatio } from './interleave.ts';
import { type Network, networks } from './models.ts';
import { onnxRuntime } from './ort-target.ts';
import type { Contestant } from './protocol.ts';

const { values: options } = parseArgs({
  options: {
    network: { type: 'string', multiple: true },
    batch: { type: 'string', default: '1,8' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '10' },
    ms: { type: 'string', default: '300' },
    output: { type: 'string', default: 'bench/results/networks.json' },
    /** Takes the quantized models of the last run as they are. */
    reuse: { type: 'boolean', default: false },
  },
});

interface Row {
  readonly network: string;
  readonly batch: number;
  readonly threads: number;
  readonly measurements: readonly Measurement[];
  readonly ratios: Readonly<Record<string, Ratio>>;
}

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
  const subsetSize = 300;
  const forLowp = await quantize(await openModel(network.file), await network.samples(), { subsetSize });
  await saveModel(forLowp.model, ir);
  const targetDevice = onnxRuntime;
  const forOrt = await quantize(await openModel(network.file), await network.samples(), { subsetSize, targetDevice });
  await saveModel(forOrt.model, qdq);
  return { ir, qdq };
}

async function measure(network: Network, { ir, qdq }: Quantized, batch: number, threads: number): Promise<Row> {
  const input = { name: network.input, shape: [batch, ...network.shape] };
  const contestant = (engine: Contestant['engine'], label: string, model: string): Contestant => ({
    engine,
    label,
    model,
    input,
    threads,
  });
  const measurements = await interleave(
    [
      contestant('lowp', 'lowp FP32', network.file),
      contestant('lowp', 'lowp INT8', ir),
      contestant('onnxruntime', 'ORT FP32', network.file),
      contestant('onnxruntime', 'ORT INT8', qdq),
    ],
    Number(options.rounds),
    Number(options.ms),
  );
  const [lowpFloat, lowpInt, ortFloat, ortInt] = measurements as [Measurement, Measurement, Measurement, Measurement];
  const ratios = {
    'lowp INT8 ÷ lowp FP32': speedRatio(lowpFloat, lowpInt),
    'ORT INT8 ÷ ORT FP32': speedRatio(ortFloat, ortInt),
    'lowp FP32 ÷ ORT FP32': speedRatio(ortFloat, lowpFloat),
    'lowp INT8 ÷ ORT INT8': speedRatio(ortInt, lowpInt),
    'lowp INT8 ÷ ORT FP32': speedRatio(ortFloat, lowpInt),
  };
  return { network: network.name, batch, threads, measurements, ratios };
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
  for (const batch of list(options.batch))
    for (const threads of list(options.threads)) rows.push(await measure(network, quantized, batch, threads));
}
const ratioText = (r: Ratio): string => `${r.value.toFixed(2)} (${r.ci95[0].toFixed(2)}–${r.ci95[1].toFixed(2)})`;
const { brand, isa } = cpuInfo();
process.stdout.write(`${brand}, ${isa}; speed ratios, median of ${options.rounds} rounds (95 % interval)
a ÷ b: how many times faster a is than b
lowp INT8: quantized for CPU, one scale per channel in front of depthwise convolutions
ORT INT8: ONNX Runtime, quantized with one scale per tensor everywhere, as its INT8 kernels need
`);
const heads = Object.keys(rows[0]?.ratios ?? {});
process.stdout.write(
  `${table(
    ['network', 'batch', 'threads', ...(rows[0]?.measurements.map((m) => `${m.label} ms`) ?? []), ...heads],
    rows.map((r) => [
      r.network,
      `${r.batch}`,
      `${r.threads}`,
      ...r.measurements.map((m) => (m.failure === undefined ? m.medianMs.toFixed(2) : 'failed')),
      ...heads.map((h) => ratioText(r.ratios[h]!)),
    ]),
  )}\n`,
);
for (const r of rows)
  for (const m of r.measurements)
    if (m.failure !== undefined) process.stderr.write(`${r.network} ${m.label}: ${m.failure}\n`);
await mkdir(path.dirname(options.output), { recursive: true });
await writeFile(options.output, JSON.stringify({ schemaVersion: 1, cpu: brand, isa, rows }, undefined, 2));
process.stderr.write(`wrote ${options.output}\n`);
