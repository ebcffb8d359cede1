// The packed package is imported and runs a model that it ships.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { compile, inputName, openModel, zeros } from 'lowp';

const model = await openModel(
  fileURLToPath(new URL('assets/demo/glyphs.xml', import.meta.resolve('lowp/package.json'))),
);
const session = await compile(model, { threads: 2 });
const outputs = await session.infer({ [inputName(model.parameters()[0])]: zeros('f32', [1, 1, 32, 32]) });
assert.equal(Object.keys(outputs).length, 1);
await session.close();
