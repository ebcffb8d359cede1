// Time and memory to load a network in lowp and in ONNX Runtime: every measurement in a fresh process, in turns. Times of
// the clock and of the CPU (all threads of the process): on a busy machine only the latter repeat.
//
//   npm run bench:loading -- [--network NAME] [--rounds 7]
import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../../lib/benchmark/statistics.ts';
import { table } from '../../lib/cli/output.ts';
import { networks } from '../networks/models.ts';

const { values: options } = parseArgs({
  options: { network: { type: 'string', multiple: true }, rounds: { type: 'string', default: '7' } },
});

const parts = ['start', 'import', 'open', 'compile', 'first', 'cpuImport', 'cpuReady', 'rss'] as const;
type Loading = Record<(typeof parts)[number], number>;

function load(engine: string, file: string, input: string, shape: readonly number[]): Loading {
  const script = fileURLToPath(new URL('./contestant.js', import.meta.url));
  const text = execFileSync(process.execPath, [script, engine, file, input, JSON.stringify([1, ...shape])]);
  return JSON.parse(text.toString()) as Loading;
}

const rows: string[][] = [];
for (const network of networks.filter((n) => !options.network || options.network.includes(n.name))) {
  await network.prepare?.();
  if (!(await stat(network.file).catch(() => undefined))) {
    process.stderr.write(`${network.name}: ${network.file} is not here, left out\n`);
    continue;
  }
  const found: Record<'lowp' | 'onnxruntime', Loading[]> = { lowp: [], onnxruntime: [] };
  for (let round = 0; round < Number(options.rounds); round++)
    for (const engine of ['lowp', 'onnxruntime'] as const)
      found[engine].push(load(engine, network.file, network.input, network.shape));
  for (const engine of ['lowp', 'onnxruntime'] as const) {
    const middle = parts.map((part) => median(found[engine].map((l) => l[part])).toFixed(0));
    rows.push([network.name, engine, ...middle]);
  }
  const ratio = (of: (l: Loading) => number): string =>
    median(found.lowp.map((l, i) => of(l) / of(found.onnxruntime[i]!))).toFixed(2);
  const time = ratio((l) => l.open + l.compile);
  rows.push(['', 'lowp ÷ ONNX Runtime', '', '', 'ready', time, '', '', ratio((l) => l.cpuReady), ratio((l) => l.rss)]);
}
const head = ['network', 'engine', 'node', 'import', 'open', 'compile', 'first', 'CPU import', 'CPU ready', 'peak'];
process.stdout.write(`fresh processes in turns, medians of ${options.rounds}; ms, peak MiB; one thread\n`);
process.stdout.write('ready: open and compile beside the creation of a session\n');
process.stdout.write(`${table(head, rows)}\n`);
