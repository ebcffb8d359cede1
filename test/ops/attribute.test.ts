import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { autoPad, bool, elementType, enumeration, float, floatList, int, intList } from '../../lib/ops/attribute.ts';
import { parseAttributes } from '../../lib/ops/create-node.ts';
import { getOp } from '../../lib/ops/index.ts';
import { unknownRank } from '../../lib/tensor/shape.ts';

test('integer lists are read in every spelling of real files', () => {
  for (const text of ['1, 2', '1,2', ' 1 ,2 ', '1.0,2.0']) assert.deepEqual(intList.parse(text), [1, 2]);
  assert.deepEqual(intList.parse(''), []);
  assert.deepEqual(intList.parse('7'), [7]);
  assert.deepEqual(intList.parse(7), [7]);
  assert.deepEqual(intList.parse([1, '2', 3n]), [1, 2, 3]);
  assert.deepEqual(intList.parse(BigInt64Array.from([4n, -1n])), [4, -1]);
});

test('what is no integer list is refused', () => {
  for (const value of ['1,,2', '1,x', '1.5', [1.5], {}, undefined, null, '0x'])
    assert.throws(() => intList.parse(value), String(value));
});

test('numbers are read from text, infinities included, and NaN is refused', () => {
  assert.equal(int.parse('3.0'), 3);
  assert.equal(float.parse('9.999999747378752e-06'), 9.999999747378752e-6);
  assert.equal(float.parse('inf'), Infinity);
  assert.equal(float.parse('-Infinity'), -Infinity);
  assert.deepEqual(floatList.parse('0.1, 2'), [0.1, 2]);
  for (const value of ['nan', '', 'abc', NaN, true]) assert.throws(() => float.parse(value), String(value));
  assert.throws(() => int.parse('1.5'));
});

test('truth values are read from words and digits', () => {
  for (const value of [true, 'true', 'True', 'TRUE', '1', 1]) assert.equal(bool.parse(value), true);
  for (const value of [false, 'false', 'False', '0', 0]) assert.equal(bool.parse(value), false);
  for (const value of ['yes', 2, '', undefined]) assert.throws(() => bool.parse(value), String(value));
});

test('words are compared without case', () => {
  assert.equal(enumeration(['floor', 'ceil']).parse('CEIL'), 'ceil');
  assert.equal(autoPad.parse('SAME_UPPER'), 'same_upper');
  assert.equal(autoPad.parse(undefined), 'explicit');
  assert.throws(() => autoPad.parse('same'));
});

test('element types are read in the spelling of attributes and of ports', () => {
  for (const [text, type] of [
    ['f32', 'f32'],
    ['FP16', 'f16'],
    ['I8', 'i8'],
    ['BOOL', 'boolean'],
    ['boolean', 'boolean'],
    ['BIN', 'u1'],
    ['STRING', 'string'],
  ]) {
    assert.equal(elementType.parse(text), type);
  }
  assert.throws(() => elementType.parse('text'));
});

test('integer lists survive printing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (list) => {
      assert.deepEqual(intList.parse(list.join(', ')), list);
    }),
  );
});

test('unknown attributes are dropped, and a wrong one is named', () => {
  const convolution = getOp('Convolution');
  const parsed = parseAttributes(convolution, { strides: '2,2', output_padding: '0,0', eta: 'x' }, 'conv1');
  assert.deepEqual(Object.keys(parsed).sort(), ['auto_pad', 'dilations', 'pads_begin', 'pads_end', 'strides']);
  assert.throws(() => parseAttributes(convolution, { strides: 'two' }, 'conv1'), {
    code: 'ERR_OP_ATTRIBUTE',
    message: /Convolution 'conv1': attribute 'strides.*' = /,
  });
});

test('shapes of parameters may be dynamic, and of unknown rank', () => {
  const shapeOf = (text: string) =>
    getOp('Parameter').infer(parseAttributes(getOp('Parameter'), { shape: text }, 'x'), [])[0]!.shape;
  assert.deepEqual(shapeOf('1,3,224,224'), [1, 3, 224, 224]);
  assert.deepEqual(shapeOf('?,3,2..8,..4'), [-1, 3, -1, -1]);
  assert.deepEqual(shapeOf('[-1, 2..]'), [-1, -1]);
  assert.deepEqual(shapeOf(''), []);
  assert.deepEqual(shapeOf('...'), unknownRank);
  assert.throws(() => shapeOf('-2'), { code: 'ERR_OP_ATTRIBUTE' });
});
