// Every kind of data that does not fit, through the command line: a code, an exit code, and nothing written.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { ErrorCode } from '../../lib/errors/codes.ts';
import { writeNpy } from '../../lib/tensor/npy.ts';
import { type Tensor, tensor, zeros } from '../../lib/tensor/tensor.ts';
import { demoModel, lowp, lowpFails, temporaryFolder } from '../support/cli.ts';
import { writeGlyphs } from '../support/glyph-data.ts';

const folder = temporaryFolder();
const good = writeGlyphs(folder, 1, 4);

function ownFolder(name: string): string {
  const own = path.join(folder, name.replace(/\W/g, '-'));
  mkdirSync(own);
  return own;
}

function spoiled(value: number): Tensor {
  const data = new Float32Array(2 * 1024).fill(0.5);
  data[1500] = value;
  return tensor('f32', [2, 1, 32, 32], data);
}

/** Content of `data.npy`, or of another file. */
interface BadData {
  readonly what: string;
  readonly code: ErrorCode;
  readonly content: Tensor | string | Uint8Array;
  readonly file?: string;
  /** What the message has to say. */
  readonly says: RegExp;
}

const samples = writeNpy(zeros('f32', [2, 1, 32, 32]));

const files: readonly BadData[] = [
  {
    what: 'another shape',
    code: 'ERR_DATA_SHAPE',
    content: zeros('f32', [2, 3, 32, 32]),
    says: /\[1,3,32,32\].*\[\?,1,32,32\]/,
  },
  { what: 'another rank', code: 'ERR_DATA_SHAPE', content: zeros('f32', [2, 32, 32]), says: /\[1,32,32\]/ },
  { what: 'a single number', code: 'ERR_DATA_SHAPE', content: tensor('f32', [], [1]), says: /scalar/ },
  { what: 'another type', code: 'ERR_DATA_TYPE', content: zeros('i64', [2, 1, 32, 32]), says: /i64.*f32/ },
  { what: 'NaN', code: 'ERR_DATA_NOT_FINITE', content: spoiled(Number.NaN), says: /data\.npy\[1\].*NaN/ },
  {
    what: 'infinity',
    code: 'ERR_DATA_NOT_FINITE',
    content: spoiled(Number.NEGATIVE_INFINITY),
    says: /data\.npy\[1\].*-Infinity/,
  },
  { what: 'no samples', code: 'ERR_DATA_EMPTY', content: zeros('f32', [0, 1, 32, 32]), says: /no samples/ },
  { what: 'half an array', code: 'ERR_DATA_FORMAT', content: samples.subarray(0, 2000), says: /too short/ },
  { what: 'no array', code: 'ERR_DATA_FORMAT', content: 'hello world', says: /not a NumPy/ },
  { what: 'no archive', code: 'ERR_DATA_FORMAT', content: 'hello world', file: 'data.npz', says: /npz/ },
  {
    what: 'no image',
    code: 'ERR_DATA_FORMAT',
    content: 'hello world',
    file: 'data.jpg',
    says: /data\.jpg cannot be read as an image/,
  },
  {
    what: 'a key that is not known',
    code: 'ERR_CONFIG_INVALID',
    content: 'data: x.npy\nbatchsize: 3\n',
    file: 'data.yaml',
    says: /batchsize/,
  },
  {
    what: 'broken YAML',
    code: 'ERR_CONFIG_INVALID',
    content: 'data: [x.npy\n',
    file: 'data.yaml',
    says: /not valid YAML/,
  },
  {
    what: 'a value that is no choice',
    code: 'ERR_CONFIG_INVALID',
    content: '{"data": "x.npy", "layout": "NCWH"}',
    file: 'data.json',
    says: /layout/,
  },
  {
    what: 'itself as the data',
    code: 'ERR_CONFIG_INVALID',
    content: 'data: data.yaml\n',
    file: 'data.yaml',
    says: /another dataset file/,
  },
  {
    what: 'data that does not exist',
    code: 'ERR_IO_NOT_FOUND',
    content: 'data: missing.npy\n',
    file: 'data.yaml',
    says: /missing\.npy/,
  },
  {
    what: 'a scale of zero',
    code: 'ERR_CONFIG_INVALID',
    content: 'data: x.npy\nscale: [1, 0, 1]\n',
    file: 'data.yaml',
    says: /scale/,
  },
];

describe('quantize refuses data with', { concurrency: 2 }, () => {
  for (const { what, code, content, file = 'data.npy', says } of files) {
    it(`${what} (${code})`, async () => {
      const own = ownFolder(what);
      const isText = typeof content === 'string' || content instanceof Uint8Array;
      writeFileSync(path.join(own, file), isText ? content : writeNpy(content));
      const stderr = await lowpFails(['quantize', demoModel, '-o', 'out/q.xml', '--data', file], code, own);
      assert.match(stderr, says);
    });
  }

  const specs: readonly (readonly [what: string, spec: string, code: ErrorCode])[] = [
    ['a folder without images', '.', 'ERR_DATA_EMPTY'],
    ['a pattern that matches nothing', '*.jpg', 'ERR_DATA_EMPTY'],
    ['a file that does not exist', 'missing.npy', 'ERR_IO_NOT_FOUND'],
    ['an input that the model does not have', `foo=${good.images}`, 'ERR_DATA_INPUT'],
    ['nothing but noise', 'random', 'ERR_CLI_USAGE'],
  ];
  for (const [what, spec, code] of specs) {
    it(`${what} (${code})`, async () => {
      await lowpFails(['quantize', demoModel, '-o', 'q.xml', '--data', spec], code, ownFolder(what));
    });
  }

  it('images of another size than asked for (ERR_CONFIG_INVALID)', async () => {
    const own = ownFolder('sizes');
    writeFileSync(path.join(own, 'a.png'), 'not decoded');
    const args = ['quantize', demoModel, '-o', 'q.xml', '--data', '.', '--resize'];
    await lowpFails([...args, '32'], 'ERR_CONFIG_INVALID', own);
    await lowpFails([...args, '0x32'], 'ERR_CONFIG_INVALID', own);
    await lowpFails([...args, 'short:0'], 'ERR_CONFIG_INVALID', own);
    await lowpFails([...args, '99999999x99999999'], 'ERR_CONFIG_INVALID', own);
  });
});

describe('evaluate refuses labels', { concurrency: 2 }, () => {
  const labels: readonly (readonly [what: string, file: string, content: string | Uint8Array, says: RegExp])[] = [
    ['of another length', 'l.npy', writeNpy(tensor('i64', [3], [1, 2, 3])), /3 labels.*4 samples/],
    ['with fractions', 'l.npy', writeNpy(tensor('f32', [4], [1, 2, 2.5, 3])), /2\.5/],
    ['below zero', 'l.txt', '1\n2\n-3\n4\n', /-3/],
    ['beyond the classes of the output', 'l.txt', '1\n2\n3\n20\n', /20 classes/],
    ['in broken JSON', 'l.json', '[1, 2', /not valid JSON/],
    ['that are words', 'l.txt', 'cat\ndog\ncat\ndog\n', /not the number of a class/],
  ];
  for (const [what, file, content, says] of labels) {
    it(`${what} (ERR_DATA_LABELS)`, async () => {
      const own = ownFolder(what);
      writeFileSync(path.join(own, file), content);
      const args = ['evaluate', demoModel, '--data', good.images, '--labels', file];
      assert.match(await lowpFails(args, 'ERR_DATA_LABELS', own), says);
    });
  }

  it('that are not there (ERR_DATA_LABELS)', async () => {
    await lowpFails(['evaluate', demoModel, '--data', good.images], 'ERR_DATA_LABELS', ownFolder('none'));
  });
});

it('gives the error as the only document with --json', async () => {
  const args = ['quantize', demoModel, '-o', path.join(folder, 'q.xml'), '--data', 'missing.npy', '--json'];
  const { exit, stdout } = await lowp(args);
  assert.equal(exit, 8);
  const { schemaVersion, error } = JSON.parse(stdout) as { schemaVersion: number; error: Record<string, unknown> };
  assert.equal(schemaVersion, 1);
  assert.deepEqual(Object.keys(error), ['code', 'message', 'path']);
  assert.equal(error.code, 'ERR_IO_NOT_FOUND');
});
