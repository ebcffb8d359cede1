// npm run bench:layers: the layers of networks in lowp's kernels and in oneDNN, in turns in one process.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cpuInfo } from '../../lib/index.ts';
import { describeHost, packageVersion } from '../host.ts';
import { barPlot } from '../plot.ts';
import { distinct, type LayerType, layerLine, layerLists } from './lists.ts';
import { measureBesideOrt, ortLabel } from './ort.ts';
import { buildLayerBench, type Line, type MeasuredLayer, oneDnnLibrary, type Peak, runLayerBench } from './program.ts';
import { highestPeak, layerRow, layerTable, type NetworkResult, subject, sums, sumTable } from './results.ts';

const { values: options } = parseArgs({
  options: {
    network: { type: 'string', default: 'resnet50,mobilenet_v2,bert_base_128,bert_base_384,vgg16,conv3d,gemm' },
    type: { type: 'string', default: 'trained,u8s8,u8s7,f32' },
    batch: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1' },
    isa: { type: 'string', default: process.env.LOWP_MAX_ISA ?? 'native' },
    rounds: { type: 'string', default: '9' },
    ms: { type: 'string', default: '6' },
    /** All layers of a network in sequence instead of each one again and again. */
    cold: { type: 'boolean', default: false },
    /** oneDNN in the same process, or ORT: ONNX Runtime in another one. */
    peer: { type: 'string', default: 'oneDNN' },
    output: { type: 'string', default: 'bench/results/layers.json' },
  },
});

const list = (text: string): string[] => text.split(',');
const mode = options.cold ? 'cold' : 'warm';
const versions: Record<string, string> = {};
/** By the instruction set that was measured: what its instructions can do at most. */
const peaks = new Map<string, Peak[]>();
let spread = 1;

function takeLine(line: Line, isa: string, layers: MeasuredLayer[]): void {
  if (line.kind === 'layer') layers.push(line);
  else if (line.kind === 'calibration') spread = Math.max(spread, line.spread);
  else if (line.kind === 'peak') peaks.set(isa, [...(peaks.get(isa) ?? []), line]);
  else for (const { label, version } of line.contestants) if (label !== subject) versions[label] = version;
}

async function measure(network: string, type: LayerType, batch: number, threads: number, isa: string) {
  const found = layerLists.find((l) => l.name === network);
  if (!found) throw new Error(`no network ${network}; there are ${layerLists.map((l) => l.name).join(', ')}`);
  const layers = found.layers(batch);
  const once = distinct(layers);
  const measured: MeasuredLayer[] = [];
  const lines = (options.cold ? layers : once.map((o) => o.layer)).map((layer) => layerLine(layer, type));
  const settings = {
    contestants,
    lines,
    isa,
    threads,
    rounds: Number(options.rounds),
    ms: Number(options.ms),
    cold: options.cold,
    peaks: !peaks.has(isa),
  };
  if (options.peer === ortLabel) {
    measured.push(
      ...(await measureBesideOrt(
        folder,
        settings,
        once.map((o) => o.layer),
        type,
        (line) => takeLine(line, isa, measured),
      )),
    );
  } else await runLayerBench(folder, settings, (line) => takeLine(line, isa, measured));
  const rows = once.map(({ layer, times }) =>
    layerRow(
      measured.filter((m) => m.name === layer.name),
      times,
    ),
  );
  return { network, type, batch, threads, isa, mode, layers: rows, sums: sums(rows) } satisfies NetworkResult;
}

const folder = buildLayerBench('.', 'build/layers');
if (options.peer === ortLabel && options.cold) throw new Error('ONNX Runtime is measured warm only');
const oneDnn = options.peer === ortLabel ? undefined : oneDnnLibrary(folder);
if (options.peer === ortLabel) versions[ortLabel] = packageVersion('bench/peers/node_modules/onnxruntime-node') ?? '';
const contestants: [string, string][] = [[subject, path.join(folder, 'lowp_layers.so')]];
if (oneDnn) contestants.push(['oneDNN', oneDnn]);
else if (options.peer !== ortLabel)
  process.stderr.write('oneDNN is not installed (Debian: libdnnl-dev), lowp is measured alone\n');
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
          const peak = highestPeak(peaks.get(isa) ?? [], type);
          process.stdout.write(`\n${network} ${type} batch ${batch} threads ${threads} ${isa} ${mode}\n`);
          process.stdout.write(`${layerTable(result, peak === undefined ? undefined : peak * threads)}\n`);
        }
      }
    }
  }
}
const host = describeHost(versions);
for (const [isa, found] of peaks)
  for (const p of found) process.stdout.write(`\npeak of one thread, ${isa}: ${p.name} ${p.gops.toFixed(1)} GOPS`);
process.stdout.write(`\n\n${sumTable(results)}\n`);
await mkdir(path.dirname(options.output), { recursive: true });
for (const r of results) {
  const labels = r.layers[0]?.contestants.map((c) => c.label) ?? [];
  const series = labels.map((name, i) => ({ name, values: r.layers.map((row) => row.contestants[i]!.gops || 0) }));
  const title = `${r.network} ${r.type}, batch ${r.batch}, ${r.threads} thread(s), ${r.isa}, ${r.mode}`;
  const names = r.layers.map((row) => row.name);
  const suffix = [r.network, r.type, `b${r.batch}`, `t${r.threads}`, r.isa, r.mode].join('-');
  await writeFile(options.output.replace(/(\.json)?$/, `-${suffix}.svg`), barPlot(title, 'GOPS', names, series));
}
const document = {
  schemaVersion: 2,
  kind: 'layers',
  host,
  calibrationSpread: spread,
  peaks: Object.fromEntries(peaks),
  results,
};
await writeFile(options.output, JSON.stringify(document, undefined, 1));
process.stderr.write(`wrote ${options.output}\n`);
