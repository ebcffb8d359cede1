// Loads the code of the package: one script, with the bytecode that V8 made of it when it was bundled, where this Node.js
// is the one that made it. Lies as load.js beside the script.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const file = fileURLToPath(new URL('./lowp.cjs', import.meta.url));
const require = createRequire(file);

/** V8 itself refuses bytecode of another version, for other flags, and for a source of another length. */
function readBytecode() {
  try {
    return readFileSync(`${file}.${process.version}-${process.arch}.bytecode`);
  } catch {
    return undefined;
  }
}

function load() {
  const cachedData = readBytecode();
  // Node.js may keep bytecode itself of what it loads.
  if (!cachedData) return { exports: require(file) };
  const head = '(function (exports, require, module, __filename, __dirname) {';
  const source = `${head}${readFileSync(file, 'latin1')}\n})`;
  const script = new Script(source, { filename: file, columnOffset: -head.length, cachedData });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, file, path.dirname(file));
  return { exports: module.exports, script };
}

const loaded = load();
export const { index, graph, ops, runCommandLine } = loaded.exports;
/** For scripts/bundle/bytecode.mjs. */
export const { script } = loaded;
