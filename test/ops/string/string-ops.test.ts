import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nativeEngine } from '../../../lib/engines/native-engine.ts';
import { compile } from '../../../lib/engines/session.ts';
import { readIr } from '../../../lib/formats/ir/read.ts';
import { writeIr } from '../../../lib/formats/ir/write.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import { addConstant } from '../../../lib/graph/edit.ts';
import { printModel } from '../../../lib/graph/print.ts';
import { createNode } from '../../../lib/ops/index.ts';
import { stringTensor, toStrings } from '../../../lib/tensor/strings.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { evaluate, ModelBuilder } from '../../support/model-builder.ts';

/** The outputs of a node of one input of strings. */
async function outputs(
  type: string,
  attributes: Readonly<Record<string, unknown>>,
  x: Tensor,
): Promise<readonly Tensor[]> {
  const b = new ModelBuilder();
  const input = b.parameter('x', x.shape, 'string');
  const node = createNode(b.model, { type, name: 'node', attributes, inputs: [input] });
  for (const [i, port] of node.outputs.entries()) b.result(port, `result${i}`);
  return Object.values(await evaluate(b.model, { x }));
}

const words = (...values: readonly string[]) => stringTensor([values.length], values);

describe('StringSplit', () => {
  it('fills shorter rows up and counts the parts', async () => {
    const [parts, counts] = await outputs('StringSplit', { delimiter: '.' }, words('a.b.c', 'd', ''));
    assert.deepEqual(
      [parts!.shape, toStrings(parts!)],
      [
        [3, 3],
        ['a', 'b', 'c', 'd', '', '', '', '', ''],
      ],
    );
    assert.deepEqual([...counts!.data], [3n, 1n, 1n]);
  });

  it('finds nothing in white space', async () => {
    const [parts, counts] = await outputs('StringSplit', {}, words(' \t\n', ''));
    assert.deepEqual(
      [parts!.shape, [...counts!.data]],
      [
        [2, 0],
        [0n, 0n],
      ],
    );
  });

  it('leaves the rest as it is behind the last cut', async () => {
    const [parts] = await outputs('StringSplit', { delimiter: '-', maxsplit: 1 }, words('a-b-c'));
    assert.deepEqual(toStrings(parts!), ['a', 'b-c']);
    const [uncut] = await outputs('StringSplit', { maxsplit: 0 }, words(' a b '));
    assert.deepEqual(toStrings(uncut!), ['a b ']);
  });
});

describe('StringNormalizer', () => {
  it('changes case as the language does', async () => {
    const change = async (locale: string) =>
      toStrings((await outputs('StringNormalizer', { case_change_action: 'upper', locale }, words('i')))[0]!);
    assert.deepEqual([await change('en_US'), await change('tr_TR.UTF-8')], [['I'], ['İ']]);
    await assert.rejects(change('no language'), { code: 'ERR_OP_ATTRIBUTE' });
  });

  it('keeps the row of a matrix', async () => {
    const [y] = await outputs('StringNormalizer', { stopwords: ['A'] }, stringTensor([1, 3], ['a', 'b', 'A']));
    assert.deepEqual([y!.shape, toStrings(y!)], [[1, 1], ['b']]);
    await assert.rejects(outputs('StringNormalizer', {}, stringTensor([2, 1], ['a', 'b'])), {
      code: 'ERR_SHAPE_MISMATCH',
    });
  });
});

describe('strings in models', () => {
  /** Compares the input, joined with a constant, and splits it. */
  function network() {
    const b = new ModelBuilder();
    const x = b.parameter('x', [2], 'string');
    const suffix = addConstant(b.model, 'suffix', stringTensor([1], ['.com'])).output;
    const joined = b.op('StringConcat', [x, suffix]);
    b.result(joined);
    b.result(b.op('RegexFullMatch', [joined], { pattern: 'b\\.com' }), 'matches');
    return b.model;
  }
  const x = words('a', 'b');

  it('run on the engines, between native operations too', async () => {
    const b = new ModelBuilder();
    const input = b.parameter('x', [2], 'string');
    const numbers = b.op('Convert', [input], { destination_type: 'f32' });
    const sum = b.op('Add', [b.op('ReLU', [numbers]), b.constant('one', [], [1])]);
    sum.names = ['y'];
    b.result(sum);
    await using executable = await nativeEngine.compile(b.model);
    const { y } = (await executable.run({ x: words('-3', '2.5') })).outputs;
    assert.deepEqual(y, tensor('f32', [2], [1, 3.5]));
    await using session = await compile(network());
    const { stringconcat, regexfullmatch } = await session.infer({ x });
    assert.deepEqual(toStrings(stringconcat!), ['a.com', 'b.com']);
    assert.deepEqual([...regexfullmatch!.data], [0, 1]);
  });

  it('are written to an IR and read again', async () => {
    const { xml, bin } = writeIr(network());
    assert.match(xml, /element_type="string" shape="1" offset="0" size="16"/);
    const again = readIr(xml, bin);
    assert.deepEqual(await evaluate(again, { x }), await evaluate(network(), { x }));
    assert.deepEqual(writeIr(again), { xml, bin });
    const [header] = [bin.slice()];
    header[0] = 9;
    assert.throws(() => readIr(xml, header), { code: 'ERR_IR_CONST_SIZE' });
  });

  it('are written to ONNX where opset 17 has the operator', async () => {
    const b = new ModelBuilder();
    const input = b.parameter('x', [2], 'string');
    const stored = addConstant(b.model, 'stored', stringTensor([1], ['ü'])).output;
    b.result(b.op('Concat', [input, stored], { axis: 0 }));
    const again = readOnnx(writeOnnx(b.model));
    assert.deepEqual(toStrings(Object.values(await evaluate(again, { x }))[0]!), ['a', 'b', 'ü']);
    assert.throws(() => writeOnnx(network()), { code: 'ERR_FORMAT_UNSUPPORTED' });
    const compared = new ModelBuilder();
    compared.result(
      compared.op('Equal', [compared.parameter('x', [1], 'string'), compared.parameter('y', [1], 'string')]),
    );
    assert.throws(() => writeOnnx(compared.model), { code: 'ERR_FORMAT_UNSUPPORTED', node: 'equal' });
  });

  it('are refused by operations that take none, and numbers where strings are fed', async () => {
    const b = new ModelBuilder();
    const input = b.parameter('x', [1], 'string');
    assert.throws(() => b.op('Add', [input, input]), { code: 'ERR_TYPE_MISMATCH', node: 'add' });
    assert.throws(() => b.op('StringConcat', [input, b.constant('c', [], [1])]), { code: 'ERR_TYPE_MISMATCH' });
    assert.throws(() => b.op('RegexFullMatch', [input], { pattern: '(' }), { code: 'ERR_OP_ATTRIBUTE' });
    await using session = await compile(network());
    await assert.rejects(session.infer({ x: tensor('f32', [2], [1, 2]) }), { code: 'ERR_RUN_INPUT' });
  });

  it('are printed as text', () => {
    assert.match(printModel(network()), /suffix = Constant\(\) : string\[1\] = "\.com"\n/);
  });
});

describe('StringTensorPack', () => {
  it('refuses places outside of the bytes', async () => {
    const b = new ModelBuilder();
    const places = ['begins', 'ends'].map((name) => b.parameter(name, [1], 'i32'));
    b.result(b.op('StringTensorPack', [...places, b.parameter('bytes', [2], 'u8')]));
    const feeds = (begin: number, end: number) => ({
      begins: tensor('i32', [1], [begin]),
      ends: tensor('i32', [1], [end]),
      bytes: tensor('u8', [2], [0x61, 0x62]),
    });
    assert.deepEqual(toStrings(Object.values(await evaluate(b.model, feeds(1, 2)))[0]!), ['b']);
    for (const [begin, end] of [
      [-1, 1],
      [1, 3],
      [2, 1],
    ] as const) {
      await assert.rejects(evaluate(b.model, feeds(begin, end)), { code: 'ERR_SHAPE_MISMATCH' });
    }
    assert.throws(
      () => b.op('StringTensorPack', [b.parameter('f', [1]), b.parameter('g', [1]), b.parameter('h', [1])]),
      {
        code: 'ERR_TYPE_MISMATCH',
      },
    );
  });
});
