// sharp is optional: without it images are refused with the way out, and everything else works.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { demoModel, lowp, lowpJson, lowpOk, temporaryFolder } from '../support/cli.ts';
import { writeGlyphs } from '../support/glyph-data.ts';

const folder = temporaryFolder();
const data = writeGlyphs(folder, 1, 3);

/** Resolves sharp as Node does where it is not installed. */
const hook = `export async function resolve(specifier, context, next) {
  if (specifier !== 'sharp') return next(specifier, context);
  const error = new Error("Cannot find package 'sharp'");
  throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
}`;
const hookFile = path.join(folder, 'hook.mjs');
const registerFile = path.join(folder, 'register.mjs');
writeFileSync(hookFile, hook);
writeFileSync(
  registerFile,
  `import { register } from 'node:module';\nregister(${JSON.stringify(pathToFileURL(hookFile).href)});\n`,
);
const node = ['--import', pathToFileURL(registerFile).href];

it('images are refused, naming the package and the command that installs it', async () => {
  const images = path.join(folder, 'images');
  mkdirSync(images);
  writeFileSync(path.join(images, 'a.png'), 'never read');
  const { exit, stdout, stderr } = await lowp(['run', demoModel, '--data', images], { node });
  assert.deepEqual([exit, stdout], [5, '']);
  assert.match(stderr, /images are decoded by the package sharp, which is not installed \(ERR_DATA_IMAGES\)/);
  assert.match(stderr, /npm install sharp/);
});

it('arrays are read as ever', async () => {
  const { stdout } = await lowpOk(['run', demoModel, '--data', data.images], { node });
  assert.equal(stdout, 'probabilities  f32[3,20]\n');
});

it('doctor says that it is missing', async () => {
  assert.equal((await lowpJson(['doctor'], { node })).sharp, null);
  assert.match((await lowpOk(['doctor'], { node })).stdout, /images +images are decoded by .* not installed/);
});
