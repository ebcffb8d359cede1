import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { Command } from 'commander';
import { ignoredScope } from '../../lib/cli/commands/quantize.ts';
import {
  addCommonOptions,
  addDataOptions,
  checkOutputFile,
  dataOptions,
  inputInfos,
  integer,
  namedValues,
  numberList,
  positiveNumber,
  sessionOptions,
} from '../../lib/cli/options.ts';
import { shapesOf } from '../../lib/cli/shapes.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { ModelBuilder } from '../support/model-builder.ts';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof LowpError ? error.code : String(error);
  }
  return 'nothing was thrown';
}

function twoInputs() {
  const b = new ModelBuilder('two');
  b.result(b.op('Add', [b.parameter('a', [-1, 3]), b.parameter('b', [1, 3])]));
  return b.model;
}

test('numbers are read strictly', () => {
  assert.equal(integer(1)('12'), 12);
  for (const text of ['0', '1.5', 'x', '', '1e400']) assert.throws(() => integer(1)(text), /whole number/);
  assert.deepEqual(numberList('1,-2.5,3e2'), [1, -2.5, 300]);
  for (const text of ['', '1,', '1;2', '1,x', 'Infinity']) assert.throws(() => numberList(text), /separated by commas/);
  assert.equal(positiveNumber('0.5'), 0.5);
  for (const text of ['0', '-1', 'NaN', 'Infinity']) assert.throws(() => positiveNumber(text), /above 0/);
});

test('NAME=VALUE needs the name unless there is only one', () => {
  assert.deepEqual(
    [...namedValues(['a=1', 'b=x=y'], undefined, '--input')],
    [
      ['a', '1'],
      ['b', 'x=y'],
    ],
  );
  assert.deepEqual([...namedValues(['file.npy'], 'image', '--input')], [['image', 'file.npy']]);
  assert.equal(
    codeOf(() => namedValues(['file.npy'], undefined, '--input')),
    'ERR_CLI_USAGE',
  );
});

test('shapes are read for inputs that exist', () => {
  const model = twoInputs();
  assert.deepEqual(shapesOf(['a=2,3', 'b=1,3'], [model]), { a: [2, 3], b: [1, 3] });
  assert.deepEqual(shapesOf(['a=?,3'], [model]), { a: [-1, 3] });
  for (const text of ['2,3', 'c=2,3', 'a=2,x', 'a=0,3', 'a=', 'a=1.5,3'])
    assert.equal(
      codeOf(() => shapesOf([text], [model])),
      'ERR_CLI_USAGE',
      text,
    );
});

test('inputs are described as data has to fit them', () => {
  assert.deepEqual(inputInfos(twoInputs()), [
    { name: 'a', type: 'f32', shape: [-1, 3] },
    { name: 'b', type: 'f32', shape: [1, 3] },
  ]);
});

test('the channel order and the colours of the terminal are two options', () => {
  const parse = (...args: string[]) => {
    const command = addCommonOptions(addDataOptions(new Command()));
    return command.parse(args, { from: 'user' }).opts();
  };
  const plain = parse('--color', 'bgr', '--no-color');
  assert.equal(plain.color, 'bgr');
  assert.equal(plain.terminalColor, false);
  assert.equal(dataOptions(plain).color, 'bgr');
  assert.equal(dataOptions(parse('--no-color')).color, undefined);
  assert.notEqual(parse('--color', 'rgb').terminalColor, false);
});

test('session options hold only what was given', () => {
  assert.deepEqual(sessionOptions({}), {});
  assert.deepEqual(sessionOptions({ device: 'CPU', threads: 2, maxIsa: 'avx2' }), {
    device: 'CPU',
    threads: 2,
    maxIsa: 'avx2',
  });
});

test('ignored names, types and patterns are told apart', () => {
  assert.deepEqual(ignoredScope(['conv', 'type:MatMul', 're:^head/', 'a:b']), {
    names: ['conv', 'a:b'],
    types: ['MatMul'],
    patterns: ['^head/'],
  });
});

test('ignored types may name values of attributes', () => {
  assert.deepEqual(ignoredScope(['type:Convolution:strides=2,2:auto_pad=explicit']).types, [
    { type: 'Convolution', attributes: { strides: '2,2', auto_pad: 'explicit' } },
  ]);
  assert.equal(
    codeOf(() => ignoredScope(['type:Convolution:strides'])),
    'ERR_CLI_USAGE',
  );
});

test('an output that is the model itself is refused, also behind a link', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lowp-options-'));
  try {
    const model = path.join(folder, 'm.xml');
    writeFileSync(model, '');
    symlinkSync(model, path.join(folder, 'link.xml'));
    assert.equal(
      codeOf(() => checkOutputFile(model, path.join(folder, 'link.xml'))),
      'ERR_CLI_USAGE',
    );
    assert.equal(
      codeOf(() => checkOutputFile(model, path.join(folder, 'm.bin'))),
      'ERR_FORMAT_UNSUPPORTED',
    );
    checkOutputFile(model, path.join(folder, 'other.onnx'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
