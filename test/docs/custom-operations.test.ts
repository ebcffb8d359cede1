// The example of docs/custom-operations.md runs as it stands.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import * as z from 'zod';
import * as lowp from '../../lib/index.ts';
import { repositoryRoot } from '../support/shared-folder.ts';

const xml = `<?xml version="1.0"?>
<net name="waves" version="11">
  <layers>
    <layer id="0" name="x" type="Parameter" version="opset1">
      <data shape="3" element_type="f32"/><output><port id="0" precision="FP32" names="x"><dim>3</dim></port></output>
    </layer>
    <layer id="1" name="wave" type="Wave" version="extension">
      <data frequency="2"/>
      <input><port id="0" precision="FP32"><dim>3</dim></port></input>
      <output><port id="1" precision="FP32"><dim>3</dim></port></output>
    </layer>
    <layer id="2" name="double" type="Add" version="opset1">
      <input><port id="0" precision="FP32"><dim>3</dim></port><port id="1" precision="FP32"><dim>3</dim></port></input>
      <output><port id="2" precision="FP32" names="y"><dim>3</dim></port></output>
    </layer>
    <layer id="3" name="y/result" type="Result" version="opset1">
      <input><port id="0" precision="FP32"><dim>3</dim></port></input>
    </layer>
  </layers>
  <edges>
    <edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>
    <edge from-layer="1" from-port="1" to-layer="2" to-port="0"/>
    <edge from-layer="1" from-port="1" to-layer="2" to-port="1"/>
    <edge from-layer="2" from-port="2" to-layer="3" to-port="0"/>
  </edges>
</net>
`;

/** The code of the page, with the imports given and `y` returned. */
function example(): (modules: Record<string, unknown>) => Promise<lowp.Tensor> {
  const page = readFileSync(path.join(repositoryRoot(), 'docs/custom-operations.md'), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(page)![1]!;
  const body = code
    .replace(/^import .*$/gm, '')
    .replaceAll('!.', '.')
    .replaceAll(' as Float32Array', '')
    .replace('console.log(y);', '');
  const names = ['attribute', 'compile', 'defineOp', 'openModel', 'registerOp', 'tensor', 'z'];
  return new Function(`{ ${names.join(', ')} }`, `return (async () => {${body}\nreturn y; })();`) as never;
}

/** `custom-operation.ts` beside this file is compiled with the tests: what the page shows has right types. */
test('the example of the page is compiled', () => {
  const read = (file: string) => readFileSync(path.join(repositoryRoot(), file), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(read('docs/custom-operations.md'))![1]!;
  const [, ...lines] = read('test/docs/custom-operation.ts').split('\n');
  assert.equal(lines.join('\n').trimStart().replace("'../../lib/index.ts'", "'lowp'"), code);
});

test('an operation of the user is read, written and run', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lowp-custom-'));
  const file = path.join(folder, 'wave.xml');
  writeFileSync(file, xml);
  try {
    await assert.rejects(lowp.openModel(file), { code: 'ERR_OP_UNKNOWN', message: /Wave/ });
    const openModel = () => lowp.openModel(file);
    const y = await example()({ ...lowp, openModel, z });
    assert.deepEqual(
      [...y.data],
      [0, 0.5, 1].map((v) => Math.fround(2 * Math.fround(Math.sin(2 * v)))),
    );
    const model = await lowp.openModel(file);
    const copy = path.join(folder, 'copy.xml');
    await lowp.saveModel(model, copy);
    assert.match(readFileSync(copy, 'utf8'), /type="Wave" version="extension">\s*<data frequency="2"\/>/);
    const wave = [...(await lowp.openModel(copy)).nodeById.values()].find((n) => n.name === 'wave');
    assert.deepEqual(wave?.attributes, { frequency: 2 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('an operation is registered once', () => {
  const relu = lowp.defineOp({
    type: 'ReLU',
    opset: 'opset1',
    attributes: z.object({}),
    inputs: [1, 1],
    infer: () => [],
    evaluate: () => [],
  });
  assert.throws(() => lowp.registerOp(relu), { code: 'ERR_CONFIG_INVALID', message: /ReLU \(opset1\) is known/ });
});
