// Mistakes in the command line and outputs that cannot be written: a code, an exit code, and nothing left behind.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { ErrorCode } from '../../lib/errors/codes.ts';
import { saveModel, tensor, writeNpy } from '../../lib/index.ts';
import { demoModel, filesBelow, lowp, lowpFails, temporaryFolder } from '../support/cli.ts';
import { writeGlyphs } from '../support/glyph-data.ts';
import { ModelBuilder } from '../support/model-builder.ts';

const folder = temporaryFolder();
const good = writeGlyphs(folder, 1, 4);
const quantize = ['quantize', demoModel, '--data', good.images];

function ownFolder(name: string): string {
  const own = path.join(folder, name.replace(/\W/g, '-'));
  mkdirSync(own);
  return own;
}

describe('commander refuses', { concurrency: 2 }, () => {
  const mistakes: readonly (readonly [what: string, args: readonly string[], says: RegExp])[] = [
    ['an unknown option', [...quantize, '-o', 'q.xml', '--frobnicate'], /unknown option '--frobnicate'/],
    ['an unknown command', ['frobnicate'], /unknown command 'frobnicate'/],
    ['a misspelt command', ['quantise'], /Did you mean quantize/],
    ['a missing argument', ['inspect'], /missing required argument 'model'/],
    ['a missing output', [...quantize], /--output/],
    ['a number that is none', [...quantize, '-o', 'q.xml', '--subset-size', 'many'], /whole number/],
    ['a fraction', [...quantize, '-o', 'q.xml', '--threads', '1.5'], /whole number/],
    ['a preset that does not exist', [...quantize, '-o', 'q.xml', '--preset', 'best'], /Allowed choices/],
    [
      'a mean that is no list of numbers',
      [...quantize, '-o', 'q.xml', '--mean', '1,,2'],
      /numbers separated by commas/,
    ],
    ['no time at all', ['benchmark', demoModel, '--seconds', '0'], /above 0/],
  ];
  for (const [what, args, says] of mistakes) {
    it(what, async () => {
      const own = ownFolder(what);
      const { exit, stdout, stderr } = await lowp(args, { cwd: own });
      assert.equal(exit, 2);
      assert.equal(stdout, '');
      assert.match(stderr, says);
      assert.match(stderr, /lowp <command> --help/);
      assert.deepEqual(filesBelow(own), []);
      const json = await lowp([...args, '--json'], { cwd: own });
      const { error } = JSON.parse(json.stdout) as { error: { code: string; message: string } };
      assert.equal(error.code, 'ERR_CLI_USAGE');
      assert.match(error.message, says);
    });
  }
});

describe('lowp refuses', { concurrency: 2 }, () => {
  const mistakes: readonly (readonly [what: string, args: readonly string[], code: ErrorCode, says: RegExp])[] = [
    [
      'an unknown metric',
      ['evaluate', demoModel, '--data', good.images, '--labels', good.labels, '--metric', 'precision'],
      'ERR_METRIC_UNKNOWN',
      /accuracy@K/,
    ],
    ['an unknown target device', [...quantize, '-o', 'q.xml', '--target-device', 'TPU'], 'ERR_TARGET_UNKNOWN', /CPU/],
    [
      'an unknown device',
      ['run', demoModel, '--data', good.images, '--device', 'TPU'],
      'ERR_CONFIG_INVALID',
      /CPU, CPU_FP32, REFERENCE/,
    ],
    [
      'an ignored node that does not exist',
      [...quantize, '-o', 'q.xml', '--ignored', 'nope'],
      'ERR_GRAPH_NAME',
      /nope/,
    ],
    [
      'an algorithm that is not there',
      [...quantize, '-o', 'q.xml', '--algorithm', 'accuracy-aware'],
      'ERR_ALGO_UNSUPPORTED',
      /accuracy-aware/,
    ],
    ['no data', ['quantize', demoModel, '-o', 'q.xml'], 'ERR_CLI_USAGE', /--data/],
    ['nothing to run', ['run', demoModel], 'ERR_CLI_USAGE', /--input or --data/],
    ['an input that does not exist', ['run', demoModel, '--input', `foo=${good.images}`], 'ERR_DATA_INPUT', /image/],
    [
      'a node to dump that does not exist',
      ['run', demoModel, '--data', good.images, '--dump', 'foo'],
      'ERR_GRAPH_NAME',
      /foo/,
    ],
    ['a shape of another input', ['inspect', demoModel, '--shape', 'foo=1,1,32,32'], 'ERR_GRAPH_NAME', /image/],
    ['a shape that is none', ['inspect', demoModel, '--shape', '1,x'], 'ERR_CLI_USAGE', /1,3,224,224/],
    ['labels for noise', ['evaluate', demoModel, '--data', 'random'], 'ERR_CLI_USAGE', /random/],
    ['an unknown extension', ['convert', demoModel, '-o', 'm.pb'], 'ERR_FORMAT_UNSUPPORTED', /\.xml/],
    ['float weights in ONNX', [...quantize, '-o', 'q.onnx', '--keep-uncompressed-weights'], 'ERR_CLI_USAGE', /IR/],
  ];
  for (const [what, args, code, says] of mistakes) {
    it(`${what} (${code})`, async () => assert.match(await lowpFails(args, code, ownFolder(what)), says));
  }

  it('an instruction set in LOWP_MAX_ISA that does not exist', async () => {
    const { exit, stderr } = await lowp(['run', demoModel, '--data', 'random'], { env: { LOWP_MAX_ISA: 'sse9' } });
    assert.equal(exit, 2);
    assert.match(stderr, /sse9.*scalar, avx2/);
  });
});

it('an input that is left out is named', async () => {
  const own = ownFolder('left-out');
  const net = new ModelBuilder('two');
  net.result(net.op('Add', [net.parameter('a', [-1, 2]), net.parameter('b', [-1, 2])]));
  await saveModel(net.model, path.join(own, 'two.xml'));
  writeFileSync(path.join(own, 'a.npy'), writeNpy(tensor('f32', [1, 2], [1, 2])));
  assert.match(await lowpFails(['run', 'two.xml', '--input', 'a=a.npy'], 'ERR_DATA_INPUT', own), /--input for 'b'/);
  assert.match(await lowpFails(['run', 'two.xml', '--data', 'a.npy'], 'ERR_DATA_INPUT', own), /a, b/);
});

describe('outputs that cannot be written (ERR_IO_WRITE)', { concurrency: 2 }, () => {
  it('leave nothing behind below a regular file', async () => {
    const own = ownFolder('below');
    writeFileSync(path.join(own, 'file'), 'content');
    await lowpFails([...quantize, '-o', 'file/q.xml'], 'ERR_IO_WRITE', own);
    await lowpFails(['convert', demoModel, '-o', 'file/q.onnx'], 'ERR_IO_WRITE', own);
    await lowpFails(['run', demoModel, '--data', good.images, '--output-dir', 'file/out'], 'ERR_IO_WRITE', own);
    assert.equal(readFileSync(path.join(own, 'file'), 'utf8'), 'content');
  });

  it('are told apart for a file system that takes no files', {
    skip: process.platform !== 'linux' && 'there is no /proc',
  }, async () => {
    await lowpFails(['convert', demoModel, '-o', '/proc/q.xml'], 'ERR_IO_WRITE', ownFolder('proc'));
  });

  it('leave a folder of that name alone', async () => {
    const own = ownFolder('folder');
    mkdirSync(path.join(own, 'q.xml'));
    await lowpFails(['convert', demoModel, '-o', 'q.xml'], 'ERR_IO_WRITE', own);
  });

  it('keep the model itself from being replaced, also behind a link', async () => {
    const own = ownFolder('same');
    symlinkSync(demoModel, path.join(own, 'link.xml'));
    await lowpFails(['convert', demoModel, '-o', demoModel], 'ERR_CLI_USAGE', own);
    await lowpFails(['convert', demoModel, '-o', 'link.xml'], 'ERR_CLI_USAGE', own);
  });

  it('end with exit code 8 when stdout is full', {
    skip: process.platform !== 'linux' && 'there is no /dev/full',
  }, () => {
    const line = '"$0" "$@" > /dev/full';
    const main = new URL('../../lib/cli/main.js', import.meta.url).pathname;
    assert.throws(
      () => execFileSync('sh', ['-c', line, process.execPath, main, 'convert', '--help'], { stdio: 'pipe' }),
      (error: { status?: unknown }) => error.status === 8,
    );
  });

  const tiny = path.join(folder, 'tiny');
  const reason = mountTiny(tiny);
  after(() => {
    if (!reason) execFileSync('umount', [tiny]);
    rmSync(tiny, { recursive: true, force: true });
  });
  it('leave the old files on a full disk', { skip: reason }, async () => {
    writeFileSync(path.join(tiny, 'q.xml'), 'old');
    const stderr = await lowpFails(['convert', demoModel, '-o', path.join(tiny, 'q.xml')], 'ERR_IO_WRITE', tiny);
    assert.match(stderr, /disk is full/);
    assert.equal(readFileSync(path.join(tiny, 'q.xml'), 'utf8'), 'old');
  });
});

/** Mounts 64 kB; the reason when that is not possible. */
function mountTiny(target: string): string | false {
  mkdirSync(target);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', target], { stdio: 'ignore' });
    return false;
  } catch {
    return 'a tmpfs cannot be mounted here';
  }
}
