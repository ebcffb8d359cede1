import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { openModel, saveModel, writeFilesAtomically } from '../../lib/formats/index.ts';
import { writeIr } from '../../lib/formats/ir/write.ts';
import type { Model } from '../../lib/graph/model.ts';
import { addIr } from '../support/ir-text.ts';
import { evaluate, ModelBuilder, randomFeeds, typesOf } from '../support/model-builder.ts';
import { assertSameModel } from '../support/same-model.ts';

const bin = new Uint8Array(Float32Array.of(1, 2).buffer);
let root = '';
let folder = '';
let count = 0;

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lowp-formats-'));
});
beforeEach(async () => {
  folder = path.join(root, String(count++));
  await mkdir(folder);
});
after(() => rm(root, { recursive: true, force: true }));

async function failure(action: Promise<unknown>): Promise<LowpError> {
  try {
    await action;
  } catch (error) {
    assert.ok(error instanceof LowpError, `not a LowpError: ${error instanceof Error ? error.stack : String(error)}`);
    return error;
  }
  return assert.fail('nothing was thrown');
}

/** Quantized weights [4, 2, 3, 3] behind a FakeQuantize, on quantized activations. */
function quantizedNet(): Model {
  const b = new ModelBuilder('quantized');
  const x = b.parameter('x', [1, 2, 5, 5]);
  const limit = (name: string, shape: number[], values: number[]) => b.constant(name, shape, values);
  const activations = b.op(
    'FakeQuantize',
    [x, limit('il', [], [-1]), limit('ih', [], [127 / 128]), limit('ol', [], [-1]), limit('oh', [], [127 / 128])],
    { levels: 256 },
    'conv/fq_input_0',
  );
  const high = [3, 2.5, 2, 1.75];
  const low = high.map((h) => -h);
  const shape = [4, 1, 1, 1];
  const weights = b.op(
    'FakeQuantize',
    [
      b.weights('w', [4, 2, 3, 3]),
      limit('wl', shape, low),
      limit('wh', shape, high),
      limit('wol', shape, low),
      limit('woh', shape, high),
    ],
    { levels: 255 },
    'conv/fq_weights_1',
  );
  b.result(b.op('Add', [b.convolution(activations, weights), b.weights('bias', [1, 4, 1, 1])]));
  return b.model;
}

describe('openModel', () => {
  it('reads an .xml with the .bin beside it', async () => {
    await writeFile(path.join(folder, 'net.xml'), addIr());
    await writeFile(path.join(folder, 'net.bin'), bin);
    const model = await openModel(path.join(folder, 'net.xml'));
    assert.equal(model.path, path.join(folder, 'net.xml'));
    assert.deepEqual(typesOf(model), ['Parameter', 'Add', 'Result']);
  });

  it('reads bytes, with the weights given apart', async () => {
    const model = await openModel(Buffer.from(addIr()), { weights: bin });
    assert.deepEqual(typesOf(model), ['Parameter', 'Add', 'Result']);
  });

  it('reads paths with blanks and characters of other scripts, and symbolic links', async () => {
    const real = path.join(folder, 'mein Netz ✓ 模型.xml');
    await writeFile(real, addIr());
    await writeFile(real.replace(/xml$/, 'bin'), bin);
    await symlink(real, path.join(folder, 'link.xml'));
    await symlink(real.replace(/xml$/, 'bin'), path.join(folder, 'link.bin'));
    assert.equal((await openModel(real)).nodeById.size, 4);
    assert.equal((await openModel(path.join(folder, 'link.xml'))).nodeById.size, 4);
  });

  it('lets the content decide when the extension says something else', async () => {
    const file = path.join(folder, 'net.onnx');
    await writeFile(file, addIr());
    assert.equal((await openModel(file, { weights: bin })).nodeById.size, 4);
  });

  it('says that a file, or its .bin, does not exist', async () => {
    const file = path.join(folder, 'net.xml');
    const error = await failure(openModel(file));
    assert.deepEqual([error.code, error.exitCode, error.path], ['ERR_IO_NOT_FOUND', 8, file]);
    await writeFile(file, addIr());
    const missing = await failure(openModel(file));
    assert.equal(missing.code, 'ERR_IO_NOT_FOUND');
    assert.match(missing.message, /\.bin file was not found/);
  });

  it('names the .xml when the .bin is given', async () => {
    const error = await failure(openModel(path.join(folder, 'net.bin')));
    assert.equal(error.code, 'ERR_FORMAT_UNKNOWN');
    assert.match(error.help ?? '', /net\.xml/);
  });

  it('refuses folders, and pipes and devices without waiting for them', { timeout: 20_000 }, async () => {
    assert.match((await failure(openModel(folder))).message, /is a folder/);
    assert.equal((await failure(openModel('/dev/zero'))).code, 'ERR_IO_READ');
    const pipe = path.join(folder, 'pipe.xml');
    execFileSync('mkfifo', [pipe]);
    assert.match((await failure(openModel(pipe))).message, /not a regular file/);
  });

  it('refuses empty files', async () => {
    for (const name of ['a.xml', 'a.onnx', 'a']) {
      await writeFile(path.join(folder, name), '');
      assert.equal((await failure(openModel(path.join(folder, name)))).code, 'ERR_FORMAT_EMPTY');
    }
  });

  const foreign: [string, string | Uint8Array, RegExp][] = [
    ['a PNG image', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), /PNG/],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n', /Git LFS pointer/],
    ['an HTML page', '\n<!DOCTYPE html><html><body>404</body></html>', /HTML page/],
    ['a zip archive', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0), /zip archive/],
    ['a pickle', Uint8Array.of(0x80, 2, 0x7d, 0x71), /pickle/],
    ['JSON', '{"error":"not found"}', /JSON/],
    ['a TensorFlow Lite model', Uint8Array.of(28, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33), /TensorFlow Lite/],
  ];
  for (const [what, content, message] of foreign) {
    it(`says that the file is ${what}`, async () => {
      for (const name of ['m.xml', 'm.onnx', 'm.pb']) {
        await writeFile(path.join(folder, name), content);
        const error = await failure(openModel(path.join(folder, name)));
        assert.equal(error.code, 'ERR_FORMAT_UNKNOWN');
        assert.equal(error.exitCode, 3);
        assert.match(error.message, message);
      }
    });
  }

  it('refuses unknown content under an unknown extension', async () => {
    await writeFile(path.join(folder, 'm.dat'), 'hello');
    assert.match((await failure(openModel(path.join(folder, 'm.dat')))).message, /neither an IR/);
  });

  it('says that a file is not readable', {
    skip: process.getuid?.() === 0 ? 'root may read everything' : false,
  }, async () => {
    const file = path.join(folder, 'net.xml');
    await writeFile(file, addIr());
    await chmod(file, 0);
    assert.match((await failure(openModel(file))).message, /no permission/);
  });

  it('stops when the signal is aborted', async () => {
    const error = await failure(openModel(path.join(folder, 'net.xml'), { signal: AbortSignal.abort() }));
    assert.equal(error.code, 'ERR_ABORTED');
  });
});

describe('saveModel', () => {
  it('writes what opens as the same model, and saves to the same bytes', async () => {
    const b = new ModelBuilder();
    b.result(b.op('Add', [b.parameter('x', [2]), b.constant('c', [2], [1, 2])]));
    const [first, second] = [path.join(folder, 'a.xml'), path.join(folder, 'b.xml')];
    await saveModel(b.model, first);
    const model = await openModel(first);
    await saveModel(model, second);
    assertSameModel(await openModel(second), model);
    for (const kind of ['xml', 'bin']) {
      const [x, y] = await Promise.all([first, second].map((f) => readFile(f.replace(/xml$/, kind))));
      assert.deepEqual(x, y);
    }
    assert.deepEqual((await readdir(folder)).sort(), ['a.bin', 'a.xml', 'b.bin', 'b.xml']);
  });

  it('stores quantized weights as integers, unless told otherwise, and does not touch the model', async () => {
    const model = quantizedNet();
    const before = writeIr(model);
    const file = path.join(folder, 'q.xml');
    await saveModel(model, file);
    const saved = await openModel(file);
    assert.deepEqual(
      saved
        .nodes()
        .filter((n) => n.type === 'Constant' && n.output.fact.type === 'i8')
        .map((n) => n.output.fact.shape),
      [[4, 2, 3, 3]],
    );
    assert.equal(saved.nodes().filter((n) => n.type === 'FakeQuantize').length, 1);
    await saveModel(model, file, { compressWeights: false });
    assert.equal((await openModel(file)).nodes().filter((n) => n.type === 'FakeQuantize').length, 2);
    assert.deepEqual(writeIr(model), before);
  });

  it('stores constants in half precision behind a Convert, and in single precision again', async () => {
    const model = quantizedNet();
    const [half, single] = [path.join(folder, 'h.xml'), path.join(folder, 's.xml')];
    await saveModel(model, half, { precision: 'fp16', compressWeights: false });
    const saved = await openModel(half);
    const stored = saved.nodes().filter((n) => n.output?.fact.type === 'f16');
    assert.deepEqual(stored.map((n) => n.name).sort(), ['bias_compressed']);
    assert.deepEqual(saved.node('bias').notes.rtInfo, [{ name: 'decompression', version: '0' }]);
    assert.equal(saved.node('il').output.fact.type, 'f32');
    await saveModel(saved, single, { precision: 'fp32', compressWeights: false });
    const wide = await openModel(single);
    assert.ok(wide.nodes().every((n) => n.outputs.every((o) => o.fact.type === 'f32')));
    const feeds = randomFeeds(model);
    assert.deepEqual(await evaluate(wide, feeds), await evaluate(saved, feeds));
  });

  it('computes nearly the same after everything was stored in the smallest form', async () => {
    const model = quantizedNet();
    const file = path.join(folder, 'small.xml');
    await saveModel(model, file, { precision: 'fp16' });
    const feeds = randomFeeds(model);
    const [before, later] = [await evaluate(model, feeds), await evaluate(await openModel(file), feeds)];
    const [x, y] = [Object.values(before)[0]!, Object.values(later)[0]!];
    // The bias in f16 has 11 significant bits, its values are below 4; the weights move by units in the last place.
    for (let i = 0; i < x.data.length; i++) assert.ok(Math.abs(Number(x.data[i]) - Number(y.data[i])) < 4 * 2 ** -11);
  });

  it('writes ONNX that opens as a model of the same function, in every precision', async () => {
    const model = quantizedNet();
    const feeds = randomFeeds(model);
    const expected = Object.values(await evaluate(model, feeds))[0]!;
    for (const precision of ['fp32', 'fp16', undefined] as const) {
      const file = path.join(folder, `${precision}.onnx`);
      await saveModel(model, file, precision ? { precision } : {});
      const found = Object.values(await evaluate(await openModel(file), feeds))[0]!;
      assert.deepEqual(found.shape, expected.shape);
      // Weights lie on the same grid; a bias in f16 is wrong by half a unit of 2^-10 below 4.
      const bound = precision === 'fp16' ? 4 * 2 ** -11 : 1e-5;
      for (let i = 0; i < found.data.length; i++) {
        assert.ok(Math.abs(Number(found.data[i]) - Number(expected.data[i])) < bound, `${precision} ${i}`);
      }
    }
  });

  it('makes missing folders, and refuses other extensions', async () => {
    const b = new ModelBuilder();
    b.result(b.parameter('x', [1]));
    await saveModel(b.model, path.join(folder, 'new', 'deep', 'net.xml'));
    assert.deepEqual((await readdir(path.join(folder, 'new', 'deep'))).sort(), ['net.bin', 'net.xml']);
    const error = await failure(saveModel(b.model, path.join(folder, 'net.tflite')));
    assert.equal(error.code, 'ERR_FORMAT_UNSUPPORTED');
  });
});

describe('writeFilesAtomically', () => {
  it('leaves every file as it was when one cannot be written', async () => {
    const [a, b] = [path.join(folder, 'a'), path.join(folder, 'b')];
    await writeFile(a, 'old');
    await mkdir(b);
    const error = await failure(
      writeFilesAtomically([
        { path: a, content: 'new' },
        { path: b, content: 'new' },
      ]),
    );
    assert.deepEqual([error.code, error.exitCode], ['ERR_IO_WRITE', 8]);
    assert.equal(await readFile(a, 'utf8'), 'old');
    assert.deepEqual((await readdir(folder)).sort(), ['a', 'b']);
  });

  it('removes a new file when a later one cannot be written', async () => {
    await mkdir(path.join(folder, 'b'));
    await failure(
      writeFilesAtomically([
        { path: path.join(folder, 'a'), content: 'new' },
        { path: path.join(folder, 'b'), content: 'new' },
      ]),
    );
    assert.deepEqual(await readdir(folder), ['b']);
  });

  it('writes through a symbolic link', async () => {
    await writeFile(path.join(folder, 'real'), 'old');
    await symlink(path.join(folder, 'real'), path.join(folder, 'link'));
    await writeFilesAtomically([{ path: path.join(folder, 'link'), content: 'new' }]);
    assert.equal(await readFile(path.join(folder, 'real'), 'utf8'), 'new');
    assert.deepEqual((await readdir(folder)).sort(), ['link', 'real']);
  });

  it('reports a path below a file', async () => {
    await writeFile(path.join(folder, 'file'), 'x');
    const error = await failure(writeFilesAtomically([{ path: path.join(folder, 'file', 'net.xml'), content: '' }]));
    assert.equal(error.code, 'ERR_IO_WRITE');
  });

  it('leaves the old file and no temporary one when writing stops in the middle', async () => {
    const target = path.join(folder, 'net.bin');
    await writeFile(target, 'old');
    const module = new URL('../../lib/formats/atomic-write.js', import.meta.url).href;
    const script =
      `import { writeFilesAtomically } from ${JSON.stringify(module)};` +
      `const content = new Uint8Array(1e6);` +
      `await writeFilesAtomically([{ path: ${JSON.stringify(target)}, content }]).catch((e) => console.log(e.code));`;
    // A limit of 8 blocks on the size of files, as a full disk would stop the write.
    const shell = `ulimit -f 8; exec "${process.execPath}" --input-type=module -e "$0"`;
    const said = execFileSync('/bin/bash', ['-c', shell, script], { encoding: 'utf8' });
    assert.equal(said, 'ERR_IO_WRITE\n');
    assert.equal(await readFile(target, 'utf8'), 'old');
    assert.deepEqual(await readdir(folder), ['net.bin']);
  });

  it('reports a folder without permission', {
    skip: process.getuid?.() === 0 ? 'root may write everywhere' : false,
  }, async () => {
    await chmod(folder, 0o500);
    const error = await failure(writeFilesAtomically([{ path: path.join(folder, 'a'), content: '' }]));
    await chmod(folder, 0o700);
    assert.match(error.message, /permission/);
    assert.deepEqual(await readdir(folder), []);
  });
});
