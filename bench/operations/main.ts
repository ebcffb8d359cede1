// npm run bench:operations: every operation of the corpus in lowp's kernels and in ONNX Runtime's, FP32, one thread.
// Lists those that are slower here.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../../lib/benchmark/statistics.ts';
import { table } from '../../lib/cli/output.ts';
import { type CallTime, compileNative } from '../../lib/engines/native-engine.ts';
import { inputName, type Model } from '../../lib/graph/index.ts';
import { cpuInfo, openModel, reshape, saveModel } from '../../lib/index.ts';
import { decompressConstants, promoteHalf } from '../../lib/passes/decompress-constants.ts';
import { foldConstants } from '../../lib/passes/fold-constants.ts';
import { runPasses } from '../../lib/passes/pass-manager.ts';
import { describeHost, packageVersion } from '../host.ts';
import { syntheticNetworks } from '../networks/synthetic/index.ts';
import { caseOf, collectCases, type Occurrence } from './cases.ts';
import { OrtOperation } from './ort-profile.ts';
import { regionNetwork } from './regions.ts';

const { values: options } = parseArgs({
  options: {
    /** Only these operations, by type. */
    operation: { type: 'string', multiple: true },
    /** Only networks whose path contains this. */
    network: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    /** Runs of each runtime in a round. */
    runs: { type: 'string', default: '5' },
    /** For free dimensions behind the batch. */
    size: { type: 'string', default: '128' },
    output: { type: 'string', default: 'bench/results/operations.json' },
  },
});

interface Row {
  readonly type: string;
  readonly shapes: string;
  readonly count: number;
  readonly kernels: readonly string[];
  readonly lowpMs: number;
  readonly ortMs: number;
}

interface Failure {
  readonly type: string;
  readonly shapes: string;
  readonly reason: string;
}

async function networkFiles(): Promise<string[]> {
  for (const network of syntheticNetworks) await network.prepare?.();
  const shared = path.resolve('../shared');
  const found: string[] = syntheticNetworks.map((n) => n.file);
  for (const [folder, end] of [
    ['models', '.onnx'],
    ['irs', '.xml'],
  ] as const) {
    const names = await readdir(path.join(shared, folder), { recursive: true }).catch(() => []);
    found.push(...names.filter((n) => n.endsWith(end)).map((n) => path.join(shared, folder, n)));
  }
  return found.filter((f) => f.includes(options.network)).sort();
}

/** The network with a batch of 1 and `--size` for every other free dimension; as it is where it does not take them. */
async function openStatic(file: string): Promise<Model> {
  const model = await openModel(file);
  const free = model.parameters().filter((p) => p.outputs[0]!.fact.shape.some((d) => d < 0));
  if (free.length === 0) return model;
  const size = Number(options.size);
  const shapes = free.map((p) => {
    const shape = p.outputs[0]!.fact.shape.map((d, i) => (d >= 0 ? d : i === 0 ? 1 : size));
    return [inputName(p), shape] as const;
  });
  return reshape(model, Object.fromEntries(shapes));
}

/** Without conversions of inputs and outputs to another layout: inside of a network they are made once. */
function ofOperation(times: readonly CallTime[]): readonly CallTime[] {
  const own = times.filter((t) => t.name.startsWith('operation'));
  const work = own.filter((t) => !t.row.startsWith('copy_transpose'));
  return work.length > 0 ? work : own;
}

async function measure({ node, type, shapes, count }: Occurrence, folder: string, index: number): Promise<Row> {
  const { model, feeds } = caseOf(node);
  const file = path.join(folder, `${index}.onnx`);
  await saveModel(model, file);
  const peer = await OrtOperation.create(file, feeds);
  // Results in arrays of every run's own would have their pages handed out by the system while the kernel writes.
  const executable = await compileNative(model, { threads: 1, overwrites: true });
  try {
    const [rounds, runs] = [Number(options.rounds), Number(options.runs)];
    await peer.run(2);
    for (let i = 0; i < 2; i++) await executable.run(feeds);
    const ours: number[] = [];
    let kernels: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const times = ofOperation(await executable.profile(feeds, runs));
      ours.push(times.reduce((sum, t) => sum + t.ms, 0));
      kernels = [...new Set(times.map((t) => (t.kernel === 'host' ? 'host' : t.row)))];
      await peer.run(runs);
    }
    const theirs = (await peer.end()).slice(2);
    const byRound = Array.from({ length: rounds }, (_, r) => theirs.slice(r * runs, (r + 1) * runs));
    const means = byRound.map((t) => t.reduce((a, b) => a + b, 0) / t.length);
    return { type, shapes, count, kernels, lowpMs: median(ours), ortMs: median(means) };
  } finally {
    await executable.close();
    await rm(file, { force: true });
  }
}

const cases = new Map<string, Occurrence>();
for (const file of await networkFiles()) {
  try {
    const network = await openStatic(file);
    runPasses(network, [decompressConstants, promoteHalf, foldConstants()]);
    collectCases(network, cases);
  } catch (error) {
    process.stderr.write(`${file} is left out: ${(error as Error).message}\n`);
  }
}
if ('regions'.includes(options.network)) collectCases(regionNetwork(), cases);
const wanted = [...cases.values()].filter((c) => !options.operation || options.operation.includes(c.type));
process.stderr.write(`${wanted.length} operations\n`);
const folder = await mkdtemp(path.join(tmpdir(), 'lowp-operations-'));
const rows: Row[] = [];
const failures: Failure[] = [];
try {
  for (const [i, c] of wanted.entries()) {
    try {
      rows.push(await measure(c, folder, i));
    } catch (error) {
      failures.push({ type: c.type, shapes: c.shapes, reason: (error as Error).message.split('\n')[0]! });
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** ONNX Runtime's clock counts whole microseconds: what is shorter than this is not compared. */
const leastMs = 0.005;
const compared = rows.filter((r) => r.ortMs >= leastMs || r.lowpMs >= leastMs);
const types = [...new Set(compared.map((r) => r.type))].sort();
const sum = (list: readonly Row[], key: 'lowpMs' | 'ortMs'): number => list.reduce((s, r) => s + r[key] * r.count, 0);
const ratio = (list: readonly Row[]): number => sum(list, 'ortMs') / sum(list, 'lowpMs');
const host = describeHost({ onnxruntime: packageVersion('bench/peers/node_modules/onnxruntime-node') ?? 'unknown' });
process.stdout.write(`${host.cpu}, ${host.isa}; FP32, one thread, kernels alone; median of ${options.rounds} rounds
${rows.length - compared.length} operations below ${leastMs * 1000} µs in both are not compared

`);
process.stdout.write(
  `${table(
    ['operation', 'shapes', 'lowp ms', 'ORT ms', 'faster', 'slowest shape'],
    types
      .map((type) => compared.filter((r) => r.type === type))
      .sort((a, b) => ratio(a) - ratio(b))
      .map((list) => {
        const worst = list.reduce((a, b) => (a.ortMs / a.lowpMs < b.ortMs / b.lowpMs ? a : b));
        return [
          list[0]!.type,
          `${list.length}`,
          sum(list, 'lowpMs').toFixed(3),
          sum(list, 'ortMs').toFixed(3),
          `${ratio(list).toFixed(2)} ×`,
          `${(worst.ortMs / worst.lowpMs).toFixed(2)} × ${worst.shapes} ${worst.kernels.join(' ')}`,
        ];
      }),
  )}\n\n`,
);
const slower = compared.filter((r) => r.ortMs < r.lowpMs);
process.stdout.write(`slower than ONNX Runtime: ${slower.length} of ${compared.length}\n`);
for (const r of slower.sort((a, b) => (b.lowpMs - b.ortMs) * b.count - (a.lowpMs - a.ortMs) * a.count)) {
  process.stdout.write(
    `${(r.ortMs / r.lowpMs).toFixed(2)} ×  ${r.lowpMs.toFixed(4)} ms, ORT ${r.ortMs.toFixed(4)}  ${r.type} ${r.shapes} ×${r.count} ${r.kernels.join(' ')}\n`,
  );
}
if (failures.length > 0) process.stdout.write(`\nnot compared: ${failures.length}\n`);
for (const f of failures) process.stdout.write(`${f.type} ${f.shapes}: ${f.reason}\n`);
await mkdir(path.dirname(options.output), { recursive: true });
await writeFile(
  options.output,
  JSON.stringify({ schemaVersion: 1, kind: 'operations', host, isa: cpuInfo().isa, rows, failures }, undefined, 2),
);
process.stderr.write(`wrote ${options.output}\n`);
