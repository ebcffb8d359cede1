// npm run bench:table: writes what the benchmarks found between the markers of README.md.
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Host } from './host.ts';
import type { Peak } from './layers/program.ts';
import { highestPeak, type LayerRow, type NetworkResult } from './layers/results.ts';
import type { NetworksDocument } from './networks/results.ts';
import { ratioText } from './statistics.ts';

const { values: options } = parseArgs({
  options: {
    networks: { type: 'string', default: 'bench/results/networks.json' },
    layers: { type: 'string', default: 'bench/results/layers.json' },
    output: { type: 'string', default: 'README.md' },
  },
});

interface LayersDocument {
  readonly host: Host;
  /** By the level that was measured. */
  readonly peaks: Readonly<Record<string, readonly Peak[]>>;
  readonly results: readonly NetworkResult[];
}

const [begin, end] = ['<!-- bench:begin -->', '<!-- bench:end -->'];

async function readDocument<T>(file: string): Promise<T | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function origin(host: Host): string {
  const versions = Object.entries(host.versions).map(([name, version]) => `${name} ${version}`);
  return `${host.cpu} (${host.isa}), ${host.date.slice(0, 10)}, \`${host.command}\`; ${versions.join(', ')}`;
}

function networksPart(d: NetworksDocument): string {
  const columns = ['lowp INT8 ÷ lowp FP32', 'lowp FP32 ÷ ORT FP32', 'lowp INT8 ÷ ORT INT8'];
  const head = ['network', 'batch', 'threads', 'isa', ...columns.map((c) => c.replaceAll('lowp ', '')), 'lowp INT8 ms'];
  const rows = d.rows.map((r) => {
    const ms = (label: string): string => r.measurements.find((m) => m.label === label)?.medianMs.toFixed(2) ?? '–';
    const ratios = columns.map((c) => (r.ratios[c] ? ratioText(r.ratios[c]) : '–'));
    return [r.network, `${r.batch}`, `${r.threads}`, r.isa, ...ratios, ms('lowp INT8'), ms('ORT INT8')];
  });
  const caches = new Set(d.rows.map((r) => r.caches));
  return `${origin(d.host)}. Speed ratios beside ONNX Runtime, which gets its own quantization of the same network; median of ${d.rounds} rounds in turns, 95 % interval in brackets, caches ${[...caches].join(' and ')}; a ÷ b is how many times faster a is.

${markdown([...head, 'ORT INT8 ms'], rows)}`;
}

/** Share of the highest peak that the product of 1024³ reaches, by type. */
function peakLines(d: LayersDocument): string[] {
  const cube = (row: LayerRow): boolean => row.name === 'm1024_n1024_k1024';
  return d.results.flatMap((r) => {
    const row = r.threads === 1 ? r.layers.find(cube) : undefined;
    const peak = highestPeak(d.peaks[r.isa] ?? [], r.type);
    if (!row || peak === undefined) return [];
    const shares = row.contestants.map((c) => `${c.label} ${((c.gops / peak) * 100).toFixed(0)} %`);
    return [`1024³ in ${r.type} (${r.isa}): ${shares.join(', ')} of ${peak.toFixed(0)} GOPS.`];
  });
}

function layersPart(d: LayersDocument): string {
  const head = ['layers of', 'type', 'batch', 'threads', 'isa', 'caches', 'lowp ÷ peer', 'lowp ms', 'peer ms', 'peer'];
  const rows = d.results.flatMap((r) =>
    Object.entries(r.sums).map(([peer, s]) => [
      r.network,
      r.type,
      `${r.batch}`,
      `${r.threads}`,
      r.isa,
      r.mode,
      ratioText(s.ratio),
      s.lowpMs.toFixed(2),
      s.peerMs.toFixed(2),
      peer,
    ]),
  );
  const peaks = peakLines(d);
  return `Sums over the layers of networks, in turns in one process: ${origin(d.host)}. trained, u8s8, u8s7: bytes with normally distributed weights, with weights over all of i8, and with weights of at most 64, with which nobody can saturate; below VNNI oneDNN saturates in the other two and lowp is exact.

${markdown(head, rows)}${peaks.length > 0 ? `\n\nShare of the measured peak of one core: ${peaks.join(' ')}` : ''}`;
}

const networks = await readDocument<NetworksDocument>(options.networks);
const layers = await readDocument<LayersDocument>(options.layers);
if (!networks && !layers)
  throw new Error(`neither ${options.networks} nor ${options.layers} is here; run the benchmarks`);
const text = await readFile(options.output, 'utf8');
const [from, to] = [text.indexOf(begin), text.indexOf(end)];
if (from < 0 || to < from) throw new Error(`${options.output} has no ${begin} … ${end}`);
const parts = [networks && networksPart(networks), layers && layersPart(layers)].filter((part) => part !== undefined);
await writeFile(options.output, `${text.slice(0, from)}${begin}\n${parts.join('\n\n')}\n${text.slice(to)}`);
process.stderr.write(`wrote the table of ${options.output}\n`);
