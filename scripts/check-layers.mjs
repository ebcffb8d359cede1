// Checks every import of lib/ and every #include of native/src against the layers that ARCHITECTURE.md names.
//
// A TypeScript file may import only from its own folder and from folders of a lower layer. A C++ file may include only
// from its own folder and from the folders that its layer lists; a kernel room only itself, the shared headers in
// kernels/ and the rooms that kernels share.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Folder or file of lib/ → layer. */
const layers = {
  errors: 0,
  events: 0,
  util: 0,
  tensor: 1,
  graph: 2,
  program: 2,
  ops: 3,
  formats: 4,
  native: 4,
  passes: 4,
  targets: 4,
  data: 4,
  metrics: 4,
  predictions: 5,
  quantization: 5,
  lowering: 6,
  engines: 7,
  statistics: 8,
  evaluation: 8,
  algorithms: 9,
  config: 10,
  'quantize.ts': 10,
  benchmark: 11,
  report: 11,
  pot: 11,
  cli: 12,
  'index.ts': 12,
};

/** Folders that may use fewer layers than their own number allows. */
const highestUsed = { native: 2, data: 2, metrics: 2, predictions: 4 };

/** C++: folder → folders it may include from, besides itself. */
const nativeLayers = {
  base: [],
  cpu: ['base'],
  thread: ['base', 'cpu'],
  simd: ['base', 'cpu'],
  kernels: ['base', 'cpu', 'thread', 'simd'],
  program: ['base', 'cpu', 'thread', 'simd', 'kernels'],
  runtime: ['base', 'cpu', 'thread', 'simd', 'kernels', 'program'],
  capi: ['base', 'cpu', 'thread', 'simd', 'kernels', 'program', 'runtime', 'lowp'],
  napi: ['base', 'cpu', 'thread', 'simd', 'kernels', 'program', 'runtime'],
};
const sharedRooms = ['common', 'gemm', 'shallow', 'winograd'];
const problems = [];

function filesBelow(folder, endings) {
  const full = path.join(root, folder);
  if (!existsSync(full)) return [];
  return readdirSync(full, { recursive: true })
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .filter((name) => endings.some((ending) => name.endsWith(ending)));
}

function lineOf(text, index) {
  return text.slice(0, index).split('\n').length;
}

/** `lib/graph/edit.ts` → `graph`; `lib/index.ts` → `index.ts`. */
function roomOf(file) {
  return file.split('/')[1];
}

function checkImport(file, line, target) {
  const from = roomOf(file);
  const to = roomOf(target);
  const where = `${file}:${line}`;
  if (!target.startsWith('lib/')) problems.push(`${where}: imports ${target}, which is outside lib/`);
  else if (layers[to] === undefined) problems.push(`${where}: ${to} has no layer; add it to scripts/check-layers.mjs`);
  else if (from !== to && layers[to] >= layers[from])
    problems.push(`${where}: ${from} (layer ${layers[from]}) imports ${to} (layer ${layers[to]})`);
  else if (from !== to && layers[to] > (highestUsed[from] ?? Number.POSITIVE_INFINITY))
    problems.push(`${where}: ${from} uses layers up to ${highestUsed[from]} only and imports ${to} (${layers[to]})`);
}

function checkTypeScript() {
  for (const file of filesBelow('lib', ['.ts'])) {
    if (layers[roomOf(file)] === undefined) problems.push(`${file}: ${roomOf(file)} has no layer`);
    const text = readFileSync(path.join(root, file), 'utf8');
    for (const match of text.matchAll(/^\s*(?:import|export)\b[^'";]*?['"](\.[^'"]+)['"]/gm)) {
      checkImport(file, lineOf(text, match.index), path.posix.join(path.posix.dirname(file), match[1]));
    }
    for (const match of text.matchAll(/\bimport\(\s*['"](\.[^'"]+)['"]/g)) {
      checkImport(file, lineOf(text, match.index), path.posix.join(path.posix.dirname(file), match[1]));
    }
  }
}

/** The room of `kernels/<room>/file`, or undefined for a header right in kernels/. */
function kernelRoom(parts) {
  return parts[0] === 'kernels' && parts.length > 2 ? parts[1] : undefined;
}

function checkInclude(file, line, target) {
  const from = file.split('/').slice(2);
  const to = target.split('/');
  const where = `${file}:${line}`;
  if (to.length === 1) return;
  if (from[0] !== to[0] && !(nativeLayers[from[0]] ?? []).includes(to[0])) {
    problems.push(`${where}: ${from[0]} includes ${target}`);
    return;
  }
  const room = kernelRoom(to);
  const own = kernelRoom(from);
  if (from[0] === 'kernels' && room !== undefined && room !== own && !sharedRooms.includes(room))
    problems.push(`${where}: the kernel ${own ?? 'registry'} includes ${target} of another kernel`);
}

function checkNative() {
  for (const file of filesBelow('native/src', ['.cc', '.h'])) {
    const room = file.split('/')[2];
    if (nativeLayers[room] === undefined) problems.push(`${file}: ${room} has no layer`);
    if (/_(test|bench)\.cc$/.test(file)) continue;
    const text = readFileSync(path.join(root, file), 'utf8');
    for (const match of text.matchAll(/^#include "([^"]+)"/gm)) checkInclude(file, lineOf(text, match.index), match[1]);
    if (!['napi'].includes(room) && /#include <(?:node_api|napi|js_native_api)\.h>/.test(text))
      problems.push(`${file}: only napi/ may include the headers of Node.js`);
  }
}

checkTypeScript();
checkNative();
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) {
  process.stderr.write(`check-layers: ${problems.length} imports against the layers\n`);
  process.exitCode = 1;
}
