// Builds the addon with node-gyp and prebuildify into prebuilds/<platform>-<arch>/, for the package that is published.
//
// Works on a copy of the sources, because node-gyp empties build/, where the development build lives. Needs the headers
// that come with Node.js; nothing is downloaded.
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const sources = ['package.json', 'binding.gyp', 'native', 'scripts'];

/** The folder with include/node: `nodedir` when it is set, else the one that this Node.js was installed into. */
function nodeDirectory() {
  const folders = [process.env.npm_config_nodedir, path.resolve(process.execPath, '..', '..')];
  const found = folders.find((folder) => folder && existsSync(path.join(folder, 'include', 'node', 'common.gypi')));
  if (found === undefined) {
    throw new Error(
      `no Node.js headers beside ${process.execPath}: install them (Debian: libnode-dev) or set npm_config_nodedir`,
    );
  }
  return found;
}

function copySources(folder) {
  for (const name of sources) cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
}

function prebuildify(options) {
  return new Promise((resolve, reject) => {
    require('prebuildify')(options, (error) => (error ? reject(error) : resolve()));
  });
}

const folder = mkdtempSync(path.join(tmpdir(), 'lowp-prebuild-'));
try {
  process.env.npm_config_nodedir = nodeDirectory();
  process.env.npm_config_jobs ??= 'max';
  copySources(folder);
  await prebuildify({
    cwd: folder,
    out: root,
    cache: path.join(folder, 'cache'),
    targets: [process.versions.node],
    napi: true,
    strip: true,
    tagLibc: true,
  });
} catch (error) {
  process.stderr.write(`prebuild: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
