// Time and memory to load a network in lowp and in ONNX Runtime: every measurement in a fresh process, in turns. Times of
// the clock and of the CPU (all threads of the process): on a busy machine only the latter repeat.
//
// `no bytecode` is lowp where its bundle brings none for the Node.js that runs it.
//
//   npm run bench:loading -- [--network NAME] [--rounds 7]
import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../../lib/benchmark/statistics.ts';
import { table } from '../../lib/cli/output.ts';
import { networks } from '../networks/models.ts';
import { irOfLayers, layersInput } from './layers.ts';

const { values: options } = parseArgs({
  options: { network: { type: 'string', multiple: true }, rounds: { type: 'string', default: '7' } },
});

const parts = ['start', 'import', 'open', 'compile', 'first', 'cpuImport', 'cpuOpen', 'cpuReady', 'rss'] as const;
type Loading = Record<(typeof parts)[number], number>;

/** V8 takes bytecode for its own flags only: with another one the bundle is compiled as it is where it has none. */
const withoutBytecode = '--no-flush-bytecode';

/** Program, and flags of Node.js, of each contestant. */
const contestants = {
  lowp: { engine: 'lowp', flags: [] },
  'no bytecode': { engine: 'lowp', flags: [withoutBytecode] },
  onnxruntime: { engine: 'onnxruntime', flags: [] },
} as const;
type Contestant = keyof typeof contestants;

function load(contestant: Contestant, file: string, input: string, shape: readonly number[]): Loading {
  const { engine, flags } = contestants[contestant];
  const script = fileURLToPath(new URL('./contestant.js', import.meta.url));
  const text = execFileSync(process.execPath, [...flags, script, engine, file, input, JSON.stringify([1, ...shape])]);
  return JSON.parse(text.toString()) as Loading;
}

/** Rounds of all contestants in turns. */
function measure(
  names: readonly Contestant[],
  file: string,
  input: string,
  shape: readonly number[],
): Record<Contestant, Loading[]> {
  const found: Record<Contestant, Loading[]> = { lowp: [], 'no bytecode': [], onnxruntime: [] };
  for (let round = 0; round < Number(options.rounds); round++)
    for (const name of names) found[name].push(load(name, file, input, shape));
  return found;
}

function addRows(network: string, found: Record<Contestant, Loading[]>): void {
  for (const [name, loads] of Object.entries(found)) {
    if (loads.length === 0) continue;
    rows.push([network, name, ...parts.map((part) => median(loads.map((l) => l[part])).toFixed(0))]);
  }
}

const rows: string[][] = [];
for (const network of networks.filter((n) => !options.network || options.network.includes(n.name))) {
  await network.prepare?.();
  if (!(await stat(network.file).catch(() => undefined))) {
    process.stderr.write(`${network.name}: ${network.file} is not here, left out\n`);
    continue;
  }
  const found = measure(['lowp', 'no bytecode', 'onnxruntime'], network.file, network.input, network.shape);
  addRows(network.name, found);
  const ratio = (of: (l: Loading) => number): string =>
    median(found.lowp.map((l, i) => of(l) / of(found.onnxruntime[i]!))).toFixed(2);
  const time = ratio((l) => l.open + l.compile);
  const names = ['', 'lowp ÷ ONNX Runtime', '', '', 'ready', time, '', '', ''];
  rows.push([...names, ratio((l) => l.cpuReady), ratio((l) => l.rss)]);
}
if (!options.network) {
  for (const layers of [100, 1000])
    addRows(
      `IR of ${layers} layers`,
      measure(['lowp', 'no bytecode'], await irOfLayers(layers), layersInput.name, layersInput.shape),
    );
}
const head = ['network', 'engine', 'node', 'import', 'open', 'compile', 'first'];
head.push('CPU import', 'CPU open', 'CPU ready', 'peak');
process.stdout.write(`fresh processes in turns, medians of ${options.rounds}; ms, peak MiB; one thread\n`);
process.stdout.write('ready: open and compile beside the creation of a session\n');
process.stdout.write(`${table(head, rows)}\n`);
