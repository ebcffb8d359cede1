// npm run bench:sweep: GOPS over one size of a layer, so that cliffs beside a tile are seen; as SVG, JSON and text.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cpuInfo } from '../../lib/index.ts';
import { describeHost } from '../host.ts';
import { type LayerType, layerLine } from '../layers/lists.ts';
import { buildLayerBench, type MeasuredLayer, oneDnnLibrary, runLayerBench } from '../layers/program.ts';
import { layerRow, subject } from '../layers/results.ts';
import { linePlot } from '../plot.ts';
import { type Axis, axes, cliffShare, cliffs, deepestFall, type Point, suspects } from './axes.ts';

const { values: options } = parseArgs({
  options: {
    axis: { type: 'string', default: axes.map((a) => a.name).join(',') },
    type: { type: 'string', default: 'u8s8,u8s7,f32' },
    isa: { type: 'string', default: process.env.LOWP_MAX_ISA ?? 'native' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    ms: { type: 'string', default: '2' },
    /** Draws oneDNN's line too. */
    peer: { type: 'boolean', default: false },
    output: { type: 'string', default: 'bench/results/sweep' },
  },
});

interface Sweep {
  readonly axis: string;
  readonly type: LayerType;
  readonly isa: string;
  /** Contestant → its points. */
  readonly lines: Readonly<Record<string, readonly Point[]>>;
}

const list = (text: string): string[] => text.split(',');
const folder = buildLayerBench('.', 'build/layers');
const contestants: [string, string][] = [[subject, path.join(folder, 'lowp_layers.so')]];
const oneDnn = options.peer ? oneDnnLibrary(folder) : undefined;
if (oneDnn) contestants.push(['oneDNN', oneDnn]);

/** GOPS of the fastest round of each contestant, by value. */
async function measure(axis: Axis, values: readonly number[], type: LayerType, isa: string, rounds: number) {
  const measured: MeasuredLayer[] = [];
  const settings = {
    contestants,
    lines: values.map((value) => layerLine(axis.layer(value), type)),
    isa,
    threads: Number(options.threads),
    rounds,
    ms: Number(options.ms),
    cold: false,
    peaks: false,
  };
  await runLayerBench(folder, settings, (line) => {
    if (line.kind === 'layer') measured.push(line);
  });
  return new Map(
    measured.map((m, i) => [values[i]!, { contestants: layerRow([m], 1).contestants, operations: m.operations }]),
  );
}

/** Points that look slow are measured twice more: what is slow every time is the kernel, not the machine. */
async function sweep(axis: Axis, type: LayerType, isa: string): Promise<Sweep> {
  const rounds = Number(options.rounds);
  const lines: Record<string, Point[]> = {};
  const take = (found: Awaited<ReturnType<typeof measure>>): void => {
    for (const [label] of contestants) {
      lines[label] = axis.values.map((value, i) => {
        const here = found.get(value);
        const contestant = here?.contestants.find((c) => c.label === label && c.error === undefined);
        const gops = here && contestant ? (here.operations / contestant.minUs) * 1e-3 : 0;
        return { value, gops: Math.max(gops, lines[label]?.[i]?.gops ?? 0) };
      });
    }
  };
  take(await measure(axis, axis.values, type, isa, rounds));
  for (let again = 0; again < 2; again++) {
    const suspect = suspects(lines[subject] ?? []);
    if (suspect.length > 0) take(await measure(axis, suspect, type, isa, 2 * rounds));
  }
  return { axis: axis.name, type, isa, lines };
}

const sweeps: Sweep[] = [];
await mkdir(options.output, { recursive: true });
for (const isa of list(options.isa).map((name) => (name === 'native' ? cpuInfo().isa : name))) {
  for (const name of list(options.axis)) {
    const axis = axes.find((a) => a.name === name);
    if (!axis) throw new Error(`no axis ${name}; there are ${axes.map((a) => a.name).join(', ')}`);
    for (const type of list(options.type) as LayerType[]) {
      const found = await sweep(axis, type, isa);
      sweeps.push(found);
      const ours = found.lines[subject] ?? [];
      const steep = cliffs(ours).map((c) => `${c.value} (${(c.share * 100).toFixed(0)} %)`);
      const fall = deepestFall(ours);
      process.stdout.write(
        `${isa} ${type} ${axis.title}: ${steep.length === 0 ? 'no cliff' : `cliffs at ${steep.join(', ')}`}` +
          `${fall ? `; lowest against a smaller layer: ${(fall.share * 100).toFixed(0)} % at ${fall.value}` : ''}\n`,
      );
      const lines = Object.entries(found.lines).map(([label, points]) => ({
        name: label,
        points: points.map((p) => [p.value, p.gops] as const),
      }));
      const svg = linePlot(`${axis.title} (${type}, ${isa}, ${options.threads} thread)`, axis.name, 'GOPS', lines);
      await writeFile(path.join(options.output, `${isa}-${type}-${axis.name}.svg`), svg);
    }
  }
}
const document = { schemaVersion: 1, kind: 'sweep', host: describeHost({}), cliffShare, sweeps };
await writeFile(path.join(options.output, 'sweep.json'), JSON.stringify(document, undefined, 1));
process.stderr.write(`wrote ${options.output}\n`);
