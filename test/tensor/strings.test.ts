import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bitEqual, maxAbsError } from '../../lib/tensor/compare.ts';
import { convert, toFloat64 } from '../../lib/tensor/convert.ts';
import { allocate, type ElementType } from '../../lib/tensor/element-type.ts';
import { packStrings } from '../../lib/tensor/packed-strings.ts';
import { stringBytes, stringTensor, toStrings } from '../../lib/tensor/strings.ts';
import { tensor, zeros } from '../../lib/tensor/tensor.ts';

/** Words of 32 bits, then bytes. */
function memory(words: readonly number[], bytes: readonly number[] = []): Uint8Array {
  return Uint8Array.of(...new Uint8Array(Int32Array.from(words).buffer), ...bytes);
}

describe('tensors of strings', () => {
  it('lie in memory as their number, 0, where each ends, and UTF-8', () => {
    const t = tensor('string', [3], ['ab', '', 'é']);
    assert.deepEqual(t.data, memory([3, 0, 2, 2, 4], [0x61, 0x62, 0xc3, 0xa9]));
    assert.deepEqual(toStrings(t), ['ab', '', 'é']);
    assert.deepEqual(tensor('string', [0], []).data, memory([0, 0]));
    assert.deepEqual(toStrings(tensor('string', [0], memory([0]))), []);
  });

  it('hold every text, and bytes that are none', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 9 }), (values) => {
        const t = stringTensor([values.length], values);
        assert.deepEqual(toStrings(t), values);
        assert.ok(bitEqual(stringTensor([values.length], stringBytes(t)), t));
      }),
    );
    const broken = stringTensor([1], [Uint8Array.of(0xff)]);
    assert.deepEqual(toStrings(broken), ['\ufffd']);
    assert.deepEqual(stringBytes(broken), [Uint8Array.of(0xff)]);
    assert.deepEqual(toStrings(stringTensor([1], ['\ufeffa'])), ['\ufeffa']);
  });

  it('refuse memory that is no strings', () => {
    const faulty: [Uint8Array, RegExp][] = [
      [Uint8Array.of(1), /does not begin with the number/],
      [memory([3, 0, 0, 0]), /3 strings, expected 2/],
      [memory([2, 0, 1]), /ends before the places/],
      [memory([2, 1, 1, 1]), /does not begin at 0/],
      [memory([2, 0, 3, 2], [1, 1, 1]), /string 1 ends before it begins/],
      [memory([2, 0, -1, 2], [1, 1]), /string 0 ends before it begins/],
      [memory([2, 0, 1, 3], [1, 1]), /does not end where it ends/],
      [memory([2, 0, 1, 1], [1, 1]), /does not end where it ends/],
      [packStrings(['a']), /1 strings, expected 2/],
    ];
    for (const [data, message] of faulty) {
      assert.throws(() => tensor('string', [2], data), { code: 'ERR_SHAPE_MISMATCH', message });
    }
  });

  it('and tensors of numbers do not mix', () => {
    assert.throws(() => tensor('string', [1], [1]), { code: 'ERR_TYPE_MISMATCH' });
    assert.throws(() => tensor('string', [1], Float32Array.of(1)), { code: 'ERR_TYPE_MISMATCH' });
    assert.throws(() => tensor('f32', [1], ['1']), { code: 'ERR_TYPE_MISMATCH' });
    assert.throws(() => tensor('i64', [1], ['1']), { code: 'ERR_TYPE_MISMATCH' });
    assert.throws(() => toFloat64(stringTensor([1], ['1'])), { code: 'ERR_TYPE_UNSUPPORTED' });
    assert.throws(() => zeros('string', [1]), { code: 'ERR_TYPE_UNSUPPORTED' });
    assert.throws(() => allocate('string', 1), { code: 'ERR_TYPE_UNSUPPORTED' });
  });

  it('become numbers when they say some, and whole numbers become strings', () => {
    const numbers = convert(stringTensor([4], ['-1.5', '1e2', '.5', '-inf']), 'f64');
    assert.deepEqual([...toFloat64(numbers)], [-1.5, 100, 0.5, -Infinity]);
    for (const text of ['', 'x', '0x10', '1e', '1,5', '--1']) {
      assert.throws(() => convert(stringTensor([1], [text]), 'f32'), { code: 'ERR_TYPE_MISMATCH' });
    }
    const most = tensor('i64', [1], [2n ** 63n - 1n]);
    assert.deepEqual(toStrings(convert(most, 'string')), ['9223372036854775807']);
    assert.deepEqual(toStrings(convert(tensor('u4', [2], Uint8Array.of(0x9f)), 'string')), ['15', '9']);
  });

  it('say floats by the fewest digits that give them back', () => {
    const text = (type: ElementType, values: number[]): string[] =>
      toStrings(convert(convert(tensor('f64', [values.length], values), type), 'string'));
    assert.deepEqual(text('f32', [0.5, 0.1, 1 / 3, Math.PI, -1e-7, 16777217, -0]), [
      '0.5',
      '0.1',
      '0.33333334',
      '3.1415927',
      '-1e-7',
      '16777216',
      '-0', // biome-ignore format: one line
    ]);
    assert.deepEqual(text('f16', [0.1, 65504]), ['0.1', '65500']);
    assert.deepEqual(text('f64', [0.1 + 0.2, 1e300]), ['0.30000000000000004', '1e+300']);
    assert.deepEqual(text('f32', [Number.NaN, Infinity, -Infinity]), ['NaN', 'INF', '-INF']);
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (v) => {
        const t = tensor('f32', [1], [v]);
        assert.deepEqual(convert(convert(t, 'string'), 'f32'), t);
      }),
    );
  });

  it('are equal or not', () => {
    const [a, b] = [stringTensor([1], ['a']), stringTensor([1], ['b'])];
    assert.deepEqual([maxAbsError(a, a), maxAbsError(a, b)], [0, Infinity]);
  });
});
