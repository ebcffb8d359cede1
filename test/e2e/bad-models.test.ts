// Every kind of broken model, through the command line: a code, an exit code, and nothing written.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import type { ErrorCode } from '../../lib/errors/codes.ts';
import { demoModel, lowpFails, temporaryFolder } from '../support/cli.ts';
import { writeGlyphs } from '../support/glyph-data.ts';
import { addIr, irText } from '../support/ir-text.ts';

const folder = temporaryFolder();
const demo = { xml: readFileSync(demoModel), bin: readFileSync(sibling('bin')), onnx: readFileSync(sibling('onnx')) };
let images = '';

/** An empty folder for one test: tests run side by side. */
function ownFolder(name: string): string {
  const own = path.join(folder, name);
  mkdirSync(own);
  return own;
}

function sibling(extension: string): string {
  return demoModel.replace(/xml$/, extension);
}

before(() => {
  images = writeGlyphs(folder, 1, 4).images;
});

/** A file name and its content; an `.xml` gets the `.bin` beside it. */
interface BadModel {
  readonly what: string;
  readonly code: ErrorCode;
  readonly file: string;
  readonly content: string | Uint8Array;
  readonly bin?: Uint8Array;
}

const twoFloats = new Uint8Array(Float32Array.of(1, 2).buffer);
const dtd = '<?xml version="1.0"?><!DOCTYPE net [<!ENTITY a "aaaa">]><net name="&a;" version="11"></net>';
const cycle = irText(
  [
    { id: 0, type: 'Parameter', name: 'x', data: 'element_type="f32" shape="2"' },
    { id: 1, type: 'Add', name: 'a', inputs: 2 },
    { id: 2, type: 'Add', name: 'b', inputs: 2 },
    { id: 3, type: 'Result', name: 'y', inputs: 1, outputs: 0 },
  ],
  [
    [0, 0, 1, 0],
    [2, 2, 1, 1],
    [1, 2, 2, 0],
    [0, 0, 2, 1],
    [2, 2, 3, 0],
  ],
);
const huge = '4294967296,4294967296,4294967296';

const models: readonly BadModel[] = [
  { what: 'an empty file', code: 'ERR_FORMAT_EMPTY', file: 'empty.onnx', content: '' },
  { what: 'an empty IR', code: 'ERR_FORMAT_EMPTY', file: 'empty.xml', content: '' },
  {
    what: 'an .xml that ends early',
    code: 'ERR_IR_SYNTAX',
    file: 'short.xml',
    content: demo.xml.subarray(0, demo.xml.length >> 1),
    bin: demo.bin,
  },
  {
    what: 'a .bin that ends early',
    code: 'ERR_IR_WEIGHTS_RANGE',
    file: 'short-bin.xml',
    content: demo.xml,
    bin: demo.bin.subarray(0, 1000),
  },
  {
    what: 'an .onnx that ends early',
    code: 'ERR_ONNX_SYNTAX',
    file: 'short.onnx',
    content: demo.onnx.subarray(0, demo.onnx.length >> 1),
  },
  {
    what: 'a PNG image',
    code: 'ERR_FORMAT_UNKNOWN',
    file: 'png.onnx',
    content: Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
  },
  {
    what: 'a Git LFS pointer',
    code: 'ERR_FORMAT_UNKNOWN',
    file: 'lfs.onnx',
    content: 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
  },
  {
    what: 'an HTML page',
    code: 'ERR_FORMAT_UNKNOWN',
    file: 'page.xml',
    content: '<!DOCTYPE html><html><body>404</body></html>',
  },
  { what: 'an XML with a DTD', code: 'ERR_IR_DTD', file: 'dtd.xml', content: dtd },
  {
    what: 'an edge to nowhere',
    code: 'ERR_IR_EDGE',
    file: 'edge.xml',
    content: addIr().replace('to-layer="3"', 'to-layer="33"'),
    bin: twoFloats,
  },
  {
    what: 'a constant beyond the .bin',
    code: 'ERR_IR_WEIGHTS_RANGE',
    file: 'range.xml',
    content: addIr('element_type="f32" shape="2" offset="4" size="8"'),
    bin: twoFloats,
  },
  {
    what: 'a shape that overflows',
    code: 'ERR_SHAPE_OVERFLOW',
    file: 'overflow.xml',
    content: addIr(`element_type="f32" shape="${huge}" offset="0" size="8"`),
    bin: twoFloats,
  },
  { what: 'a cycle', code: 'ERR_GRAPH_CYCLE', file: 'cycle.xml', content: cycle, bin: twoFloats },
  {
    what: 'an unknown operation',
    code: 'ERR_OP_UNKNOWN',
    file: 'unknown.xml',
    content: addIr().replace('type="Add"', 'type="Frobnicate"'),
    bin: twoFloats,
  },
];

describe('quantize refuses', { concurrency: 2 }, () => {
  for (const { what, code, file, content, bin } of models) {
    it(`${what} (${code})`, async () => {
      const own = ownFolder(file.replace('.', '-'));
      writeFileSync(path.join(own, file), content);
      if (bin) writeFileSync(path.join(own, file.replace(/xml$/, 'bin')), bin);
      await lowpFails(['quantize', file, '-o', 'out/q.xml', '--data', images], code, own);
    });
  }

  const places: readonly (readonly [what: string, model: string, code: ErrorCode])[] = [
    ['a file that does not exist', 'missing.onnx', 'ERR_IO_NOT_FOUND'],
    ['a folder', '.', 'ERR_IO_READ'],
    ['a device that never ends', '/dev/zero', 'ERR_IO_READ'],
  ];
  for (const [what, model, code] of places) {
    it(`${what} (${code})`, async () => {
      await lowpFails(['quantize', model, '-o', 'q.xml', '--data', images], code, ownFolder(what));
    });
  }

  it('an .xml without its .bin (ERR_IO_NOT_FOUND)', async () => {
    const own = ownFolder('no-bin');
    copyFileSync(demoModel, path.join(own, 'm.xml'));
    await lowpFails(['quantize', 'm.xml', '-o', 'q.xml', '--data', images], 'ERR_IO_NOT_FOUND', own);
  });

  it('a model that is quantized already (ERR_ALGO_ALREADY_QUANTIZED)', async () => {
    const own = ownFolder('twice');
    const quantizer = irText(
      [
        { id: 0, type: 'Parameter', name: 'x', data: 'element_type="f32" shape="2"' },
        { id: 1, type: 'Const', name: 'low', data: 'element_type="f32" shape="" offset="0" size="4"' },
        { id: 2, type: 'Const', name: 'high', data: 'element_type="f32" shape="" offset="4" size="4"' },
        { id: 3, type: 'FakeQuantize', name: 'q', data: 'levels="256"', inputs: 5 },
        { id: 4, type: 'Result', name: 'y', inputs: 1, outputs: 0 },
      ],
      [
        [0, 0, 3, 0],
        [1, 0, 3, 1],
        [2, 0, 3, 2],
        [1, 0, 3, 3],
        [2, 0, 3, 4],
        [3, 5, 4, 0],
      ],
    );
    writeFileSync(path.join(own, 'm.xml'), quantizer);
    writeFileSync(path.join(own, 'm.bin'), twoFloats);
    await lowpFails(['quantize', 'm.xml', '-o', 'q.xml', '--data', images], 'ERR_ALGO_ALREADY_QUANTIZED', own);
  });
});
