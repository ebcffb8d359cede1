// Packs the package with a prebuilt binary, installs the tarball in an empty folder where no compiler can be found, and
// runs it: import, require, a worker thread and the command line.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(path.join(tmpdir(), 'lowp-package-'));

/** A folder with node, npm and a shell as its only programs. */
function bareTools() {
  const bin = path.join(work, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, path.join(bin, 'node'));
  for (const tool of ['sh', 'env', 'uname', 'dirname', 'readlink']) {
    symlinkSync(
      execFileSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(),
      path.join(bin, tool),
    );
  }
  return bin;
}

try {
  execFileSync(process.execPath, ['scripts/prebuild.mjs'], { cwd: root, stdio: 'inherit' });
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', work], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const tarball = readdirSync(work).find((f) => f.endsWith('.tgz'));
  const app = path.join(work, 'app');
  mkdirSync(app);
  writeFileSync(path.join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', path.join(work, tarball)], {
    cwd: app,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  cpSync(path.join(root, 'test/smoke'), path.join(app, 'smoke'), { recursive: true });
  const env = { PATH: bareTools(), HOME: work };
  for (const file of readdirSync(path.join(app, 'smoke')).sort()) {
    execFileSync(process.execPath, [path.join('smoke', file)], { cwd: app, env, stdio: 'inherit' });
    console.log(`ok ${file}`);
  }
  const cli = path.join(app, 'node_modules/lowp/dist/bundle/cli/main.js');
  execFileSync(process.execPath, [cli, 'doctor'], { cwd: app, env, stdio: 'inherit' });
  execFileSync(process.execPath, [cli, 'demo', '--samples', '100', '--output-dir', path.join(work, 'demo')], {
    cwd: app,
    env,
    stdio: 'inherit',
  });
} finally {
  rmSync(work, { recursive: true, force: true });
}
