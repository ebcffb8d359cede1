// Writes the bytecode of the bundle beside it, for the Node.js that runs this: of the functions that opening, compiling
// and running a model need. Models are what lowp is started for; other functions are compiled when they are called.
//
//   node scripts/bundle/bytecode.mjs
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeTour } from './tour.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bundle = path.join(root, 'dist', 'bundle');
const file = path.join(bundle, `lowp.cjs.${process.version}-${process.arch}.bytecode`);

/** Opens and compiles a model, and runs it where the addon is there: a checkout can be bundled before that is built. */
async function run({ compile, inputName, openModel, zeros }, source) {
  const model = await openModel(source);
  const [input] = model.parameters();
  try {
    const session = await compile(model, { threads: 1 });
    await session.infer({ [inputName(input)]: zeros('f32', input.output.fact.shape.map(Math.abs)) });
    await session.close();
  } catch (error) {
    if (error.code !== 'ERR_NATIVE_MISSING') throw error;
  }
}

// V8 refuses empty bytecode, and compiles.
writeFileSync(file, '');
const { index, script } = await import(path.join(bundle, 'load.js'));
const folder = mkdtempSync(path.join(tmpdir(), 'lowp-tour-'));
try {
  const demo = ['glyphs.onnx', 'glyphs.xml'].map((name) => path.join(root, 'assets', 'demo', name));
  for (const model of [...demo, ...(await writeTour(folder))]) await run(index, model);
} finally {
  rmSync(folder, { recursive: true });
}
writeFileSync(`${file}.new`, script.createCachedData());
renameSync(`${file}.new`, file);
