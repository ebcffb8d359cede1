// The benchmarks: npm run bench, npm run bench:layers, bench:sweep, bench:gate, bench:table, bench:calibration,
// bench:accuracy, bench:fidelity, bench:loading, bench:operations, npm run agree. Build first, they run dist.
//
//   node scripts/bench.mjs [networks|layers|sweep|gate|table|calibration|accuracy|fidelity|loading|operations|agree] [options]
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Command → program, and whether it needs ONNX Runtime. */
const programs = {
  networks: { file: 'networks/main.js', npm: 'bench', peers: true },
  layers: { file: 'layers/main.js', npm: 'bench:layers', peers: process.argv.includes('ORT') },
  sweep: { file: 'sweep/main.js', npm: 'bench:sweep', peers: false },
  gate: { file: 'gate/main.js', npm: 'bench:gate', peers: false },
  table: { file: 'table.js', npm: 'bench:table', peers: false },
  calibration: { file: 'calibration/main.js', npm: 'bench:calibration', peers: false },
  accuracy: { file: 'accuracy/main.js', npm: 'bench:accuracy', peers: false },
  fidelity: { file: 'fidelity/main.js', npm: 'bench:fidelity', peers: false },
  loading: { file: 'loading/main.js', npm: 'bench:loading', peers: true },
  operations: { file: 'operations/main.js', npm: 'bench:operations', peers: true },
  agree: { file: 'networks/agree.js', npm: 'agree', peers: true },
};

const named = Object.hasOwn(programs, process.argv[2] ?? '');
const program = programs[named ? process.argv[2] : 'networks'];
if (named) process.argv.splice(2, 1);
const options = process.argv.slice(2);
process.env.LOWP_BENCH_COMMAND = `npm run ${program.npm}${options.length > 0 ? ` -- ${options.join(' ')}` : ''}`;
const peers = new URL('../bench/peers/', import.meta.url);
if (program.peers && !existsSync(new URL('node_modules/onnxruntime-node', peers))) {
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: peers, stdio: 'inherit' });
}
await import(`../dist/bench/${program.file}`);
