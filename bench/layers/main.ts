// npm run bench:layers: the layers of networks in lowp's kernels and in oneDNN, in turns in one process.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cpuInfo } from '../../lib/index.ts';
import { describeHost } from '../host.ts';
import { distinct, type LayerType, layerLine, layerLists } from './lists.ts';
import { buildLayerBench, type Line, type MeasuredLayer, oneDnnLibrary, runLayerBench } from './program.ts';
import { layerRow, layerTable, type NetworkResult, subject, sums, sumTable } from './results.ts';

const { values: options } = parseArgs({
  options: {
    network: { type: 'string', default: 'resnet50,mobilenet_v2,bert_base_128,bert_base_384,vgg16,conv3d,gemm' },
    type: { type: 'string', default: 'u8s8,u8s7,f32' },
    batch: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1' },
    isa: { type: 'string', default: process.env.LOWP_MAX_ISA ?? 'native' },
    rounds: { type: 'string', default: '9' },
    ms: { type: 'string', default: '6' },
    /** All layers of a network in sequence instead of each one again and again. */
    cold: { type: 'boolean', default: false },
    output: { type: 'string', default: 'bench/results/layers.json' },
  },
});

interface Peak {
  readonly name: string;
  readonly type: string;
  readonly isa: string;
  readonly gops: number;
}

const list = (text: string): string[] => text.split(',');
const mode = options.cold ? 'cold' : 'warm';
const versions: Record<string, string> = {};
const peaks: Peak[] = [];
let spread = 1;

function takeLine(line: Line, layers: MeasuredLayer[]): void {
  if (line.kind === 'layer') layers.push(line);
  else if (line.kind === 'calibration') spread = Math.max(spread, line.spread);
  else if (line.kind === 'peak') peaks.push({ name: line.name, type: line.type, isa: line.isa, gops: line.gops });
  else for (const { label, version } of line.contestants) if (label !== subject) versions[label] = version;
}

async function measure(network: string, type: LayerType, batch: number, threads: number, isa: string) {
  const found = layerLists.find((l) => l.name === network);
  if (!found) throw new Error(`no network ${network}; there are ${layerLists.map((l) => l.name).join(', ')}`);
  const layers = found.layers(batch);
  const once = distinct(layers);
  const measured: MeasuredLayer[] = [];
  const lines = (options.cold ? layers : once.map((o) => o.layer)).map((layer) => layerLine(layer, type));
  await runLayerBench(
    folder,
    {
      contestants,
      lines,
      isa,
      threads,
      rounds: Number(options.rounds),
      ms: Number(options.ms),
      cold: options.cold,
      peaks: peaks.length === 0,
    },
    (line) => takeLine(line, measured),
  );
  const rows = once.map(({ layer, times }) =>
    layerRow(
      measured.filter((m) => m.name === layer.name),
      times,
    ),
  );
  return { network, type, batch, threads, isa, mode, layers: rows, sums: sums(rows) } satisfies NetworkResult;
}

/** The highest peak that a type may be held against: `u8s7` is the same work as `u8s8`. */
function peakOf(type: LayerType): number | undefined {
  const found = peaks.filter((p) => p.type === (type === 'f32' ? 'f32' : 'u8s8')).map((p) => p.gops);
  return found.length === 0 ? undefined : Math.max(...found);
}

const folder = buildLayerBench('.', 'build/layers');
const oneDnn = oneDnnLibrary(folder);
const contestants: [string, string][] = [[subject, path.join(folder, 'lowp_layers.so')]];
if (oneDnn) contestants.push(['oneDNN', oneDnn]);
else process.stderr.write('oneDNN is not installed (Debian: libdnnl-dev), lowp is measured alone\n');
const results: NetworkResult[] = [];
// `native` by the name of what it is here.
for (const isa of list(options.isa).map((name) => (name === 'native' ? cpuInfo().detectedIsa : name))) {
  for (const network of list(options.network)) {
    for (const type of list(options.type) as LayerType[]) {
      // Shapes of plain products do not know a batch.
      for (const batch of network === 'gemm' ? [1] : list(options.batch).map(Number)) {
        for (const threads of list(options.threads).map(Number)) {
          const result = await measure(network, type, batch, threads, isa);
          results.push(result);
          const peak = peakOf(type);
          process.stdout.write(`\n${network} ${type} batch ${batch} threads ${threads} ${isa} ${mode}\n`);
          process.stdout.write(`${layerTable(result, peak === undefined ? undefined : peak * threads)}\n`);
        }
      }
    }
  }
}
const host = describeHost(versions);
for (const p of peaks) process.stdout.write(`\npeak of one thread: ${p.name} ${p.gops.toFixed(1)} GOPS`);
process.stdout.write(`\n\n${sumTable(results)}\n`);
await mkdir(path.dirname(options.output), { recursive: true });
const document = { schemaVersion: 1, kind: 'layers', host, calibrationSpread: spread, peaks, results };
await writeFile(options.output, JSON.stringify(document, undefined, 1));
process.stderr.write(`wrote ${options.output}\n`);
