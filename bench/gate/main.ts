// npm run bench:gate: this tree beside another commit; exits with 1 when something became slower.
import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../lib/cli/output.ts';
import { glyphSample, glyphSize } from '../../lib/data/glyphs.ts';
import { cpuInfo, inputName, openModel, quantize, saveModel, tensor } from '../../lib/index.ts';
import { cpusFor } from '../cpus.ts';
import { describeHost } from '../host.ts';
import { distinct, type Layer, type LayerType, layerLine, layerLists } from '../layers/lists.ts';
import { buildLayerBench, type MeasuredLayer, runLayerBench } from '../layers/program.ts';
import { layerRow, subject } from '../layers/results.ts';
import { interleave } from '../networks/interleave.ts';
import { networks } from '../networks/models.ts';
import type { Contestant } from '../networks/protocol.ts';
import { ratioText, speedRatio } from '../statistics.ts';
import { type BaseTree, build, checkOut, defaultBase } from './base-tree.ts';
import { type Finding, isSlower, limit, measureTwice } from './verdict.ts';

const { values: options } = parseArgs({
  options: {
    /** A commit; HEAD when files differ from it, otherwise its parent. */
    base: { type: 'string' },
    /** Lists of layers/lists.ts; `none` for no layers. */
    layers: { type: 'string', default: 'brief' },
    type: { type: 'string', default: 'trained,u8s7,f32' },
    /** Networks of networks/models.ts beside the one that ships with lowp; `none` for no network at all. */
    network: { type: 'string', default: '' },
    isa: { type: 'string', default: 'native,avx2' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '15' },
    ms: { type: 'string', default: '4' },
    output: { type: 'string', default: 'bench/results/gate.json' },
  },
});

const base = 'base';
const threads = Number(options.threads);
const rounds = Number(options.rounds);
const list = (text: string): string[] => text.split(',').filter((word) => word !== '' && word !== 'none');

function isas(): string[] {
  return [...new Set(list(options.isa).map((name) => (name === 'native' ? cpuInfo().isa : name)))];
}

interface LayerCase {
  readonly layer: Layer;
  readonly type: LayerType;
}

/** Both trees' kernels in one process: the base's library is built from its kernels and this tree's contestant. */
async function measureLayers(tree: BaseTree, isa: string): Promise<Finding[]> {
  const cases: LayerCase[] = list(options.layers).flatMap((name) => {
    const found = layerLists.find((l) => l.name === name);
    if (!found) throw new Error(`no list ${name}; there are ${layerLists.map((l) => l.name).join(', ')}`);
    const layers = distinct(found.layers(1)).map(({ layer }) => layer);
    return list(options.type).flatMap((type) => layers.map((layer) => ({ layer, type: type as LayerType })));
  });
  if (cases.length === 0) return [];
  const ours = buildLayerBench('.', 'build/layers');
  const theirs = buildLayerBench(tree.folder, path.join(tree.folder, 'build', 'layers'));
  const contestants = [ours, theirs].map(
    (folder, i) => [i === 0 ? subject : base, path.resolve(folder, 'lowp_layers.so')] as const,
  );
  return await measureTwice(cases, async (some) => {
    const measured: MeasuredLayer[] = [];
    const lines = some.map(({ layer, type }) => layerLine(layer, type));
    const settings = { contestants, lines, isa, threads, rounds, ms: Number(options.ms), cold: false, peaks: false };
    await runLayerBench(ours, settings, (line) => {
      if (line.kind === 'layer') measured.push(line);
    });
    return measured.map((m) => {
      const ratio = layerRow([m], 1).ratios[base];
      const why = m.contestants.find((c) => c.error !== undefined);
      if (!ratio) throw new Error(`${m.name} ${m.type}: ${why?.label}: ${why?.error}`);
      return { what: `${isa} ${m.type} ${m.name}`, ratio };
    });
  });
}

interface NetworkCase {
  readonly name: string;
  readonly model: string;
  readonly input: Contestant['input'];
}

/** The network that ships with lowp, in floats and quantized by this tree, and what was asked for. */
async function networkCases(): Promise<NetworkCase[]> {
  if (options.network === 'none') return [];
  const folder = 'build/bench';
  await mkdir(folder, { recursive: true });
  const glyphs = path.resolve('assets/demo/glyphs.onnx');
  const model = await openModel(glyphs);
  const name = inputName(model.parameters()[0]!);
  const input = { name, shape: [1, 1, glyphSize, glyphSize] };
  const samples = Array.from({ length: 100 }, (_, i) => ({
    [name]: tensor('f32', input.shape, glyphSample(1001, i).image),
  }));
  const quantized = path.resolve(folder, 'gate_glyphs_int8.xml');
  await saveModel((await quantize(model, samples, {})).model, quantized);
  const cases = [
    { name: 'glyphs FP32', model: glyphs, input },
    { name: 'glyphs INT8', model: quantized, input },
  ];
  for (const network of networks.filter((n) => list(options.network).includes(n.name))) {
    await network.prepare?.();
    if (!(await stat(network.file).catch(() => undefined))) throw new Error(`${network.file} is not here`);
    const int8 = path.resolve(folder, `gate_${network.name}_int8.xml`);
    const result = await quantize(await openModel(network.file), await network.samples(), { subsetSize: 20 });
    await saveModel(result.model, int8);
    const shaped = { name: network.input, shape: [1, ...network.shape] };
    cases.push({ name: `${network.name} FP32`, model: network.file, input: shaped });
    cases.push({ name: `${network.name} INT8`, model: int8, input: shaped });
  }
  return cases;
}

async function measureNetworks(tree: BaseTree, cases: readonly NetworkCase[], isa: string): Promise<Finding[]> {
  return await measureTwice(cases, async (some) => {
    const findings: Finding[] = [];
    for (const { name, model, input } of some) {
      const contestant = (label: string, folder: string): Contestant => ({
        engine: 'lowp',
        label,
        model,
        input,
        threads,
        maxIsa: isa,
        tree: folder,
      });
      const schedule = { rounds, ms: 25 * Number(options.ms), repeats: rounds, cpus: cpusFor(threads) };
      const { measurements } = await interleave([contestant(subject, '.'), contestant(base, tree.folder)], schedule);
      const failed = measurements.find((m) => m.failure !== undefined);
      if (failed) throw new Error(`${name} ${failed.label}: ${failed.failure}`);
      const [ours, theirs] = measurements;
      findings.push({ what: `${isa} ${name}`, ratio: speedRatio(theirs!.rounds, ours!.rounds) });
    }
    return findings;
  });
}

const tree = checkOut(options.base ?? defaultBase());
// Interrupted, the worktree goes too.
process.once('exit', tree.remove);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(2));
const findings: Finding[] = [];
process.stderr.write(`building ${tree.commit} …\n`);
const cases = await networkCases();
if (cases.length > 0) build(tree.folder);
for (const isa of isas()) {
  findings.push(...(await measureLayers(tree, isa)), ...(await measureNetworks(tree, cases, isa)));
}
const slower = findings.filter(isSlower);
process.stdout.write(
  `speed of this tree over that of ${tree.commit}, ${threads} thread(s); medians of ${rounds} rounds\n`,
);
const rows = findings.map((f) => [f.what, ratioText(f.ratio), isSlower(f) ? 'slower' : '']);
process.stdout.write(`${table(['what', 'this ÷ base', ''], rows)}\n`);
await mkdir(path.dirname(options.output), { recursive: true });
const document = { schemaVersion: 1, kind: 'gate', host: describeHost({ base: tree.commit }), limit, findings };
await writeFile(options.output, JSON.stringify(document, undefined, 1));
process.stdout.write(
  slower.length === 0
    ? 'nothing is slower\n'
    : `${slower.length} of ${findings.length} are slower: the whole interval is under ${limit}\n`,
);
process.exitCode = slower.length === 0 ? 0 : 1;
