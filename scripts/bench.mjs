// npm run bench, npm run agree: installs the peers once, then measures the networks against them, or compares outputs.
//
//   node scripts/bench.mjs [agree] [options]
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const peers = new URL('../bench/peers/', import.meta.url);
if (!existsSync(new URL('node_modules/onnxruntime-node', peers))) {
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: peers, stdio: 'inherit' });
}
const agree = process.argv[2] === 'agree';
if (agree) process.argv.splice(2, 1);
await import(`../dist/bench/networks/${agree ? 'agree' : 'main'}.js`);
