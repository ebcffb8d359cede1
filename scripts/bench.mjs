// npm run bench: installs the peers once, then measures the networks against them.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const peers = new URL('../bench/peers/', import.meta.url);
if (!existsSync(new URL('node_modules/onnxruntime-node', peers))) {
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: peers, stdio: 'inherit' });
}
await import('../dist/bench/networks/main.js');
