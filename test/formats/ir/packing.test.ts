import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { packed, packingOf, storedSizes, unpacked } from '../../../lib/formats/ir/packing.ts';
import { fromFloat64, toFloat64 } from '../../../lib/tensor/convert.ts';
import type { ElementType } from '../../../lib/tensor/element-type.ts';

const by = (version: string) =>
  packingOf([{ name: 'rt_info', attributes: {}, children: [leaf('Runtime_version', version)] }]);
const leaf = (name: string, value: string) => ({ name, attributes: { value }, children: [] });

/** The numbers that stored bytes stand for. */
function numbers(type: ElementType, count: number, stored: readonly number[], version: string): number[] {
  const data = unpacked(type, count, Uint8Array.from(stored), by(version));
  return [...toFloat64({ type, shape: [count], data })];
}

describe('packing of an IR', () => {
  it('of four bits: the first element in the upper half before 2024.0', () => {
    assert.deepEqual(numbers('u4', 3, [0x21, 0x43], '2023.3.0-1'), [2, 1, 4]);
    assert.deepEqual(numbers('u4', 3, [0x21, 0x43], '2024.0.0-1'), [1, 2, 3]);
    assert.deepEqual(numbers('i4', 2, [0x9f], '2023.3.0-1'), [-7, -1]);
    assert.deepEqual(numbers('nf4', 2, [0xf0], '2023.3.0-1'), [-1, 1]);
    assert.deepEqual(numbers('f4e2m1', 2, [0x21], '2025.0.0-1'), [0.5, 1]);
  });

  it('of two bits: the first element in the highest bits before 2025.3', () => {
    assert.deepEqual(numbers('u2', 4, [0b00_01_10_11], '2025.2.0-1'), [0, 1, 2, 3]);
    assert.deepEqual(numbers('u2', 4, [0b00_01_10_11], '2025.3.0-1'), [3, 2, 1, 0]);
  });

  it('of one bit: the first element in the highest bit', () => {
    for (const version of ['2021.4.0-1', '2026.4.0-1']) {
      assert.deepEqual(numbers('u1', 4, [0b0110_0000], version), [0, 1, 1, 0]);
    }
  });

  it('of three and six bits: in groups of three bytes before 2026.4, then a stream of bits', () => {
    const counted = [0, 1, 2, 3, 4, 5, 6, 7];
    assert.deepEqual(numbers('u3', 8, [0x1b, 0x1b, 0x0f], '2026.3.0-1'), counted);
    assert.deepEqual(numbers('u3', 8, [0x88, 0xc6, 0xfa], '2026.4.0-1'), counted);
    assert.deepEqual(numbers('u6', 4, [0x1e, 0x14, 0x39], '2025.1.0-1'), [1, 62, 33, 20]);
    assert.deepEqual(numbers('u6', 4, [0x81, 0x1f, 0x52], '2027.0.0-1'), [1, 62, 33, 20]);
  });

  it('of a u3 or u6 whose size fits one packing only: that one, whatever the version says', () => {
    assert.deepEqual(storedSizes('u3', 3), [2, 3]);
    assert.deepEqual(storedSizes('u6', 2), [2, 3]);
    assert.deepEqual(numbers('u3', 3, [0x54, 0x00, 0x60], '2027.0.0-1'), [1, 5, 5]);
    assert.deepEqual(numbers('u3', 3, [0b01_101_001, 0b1], '2024.0.0-1'), [1, 5, 5]);
  });

  it('of an unknown producer: that of the newest', () => {
    assert.deepEqual(packingOf([]), by('2026.4.0-1'));
  });

  it('is undone by reading', () => {
    const types = ['u1', 'u2', 'u3', 'u4', 'i4', 'u6', 'nf4', 'f4e2m1'] as const;
    const versions = ['2023.1.0', '2025.1.0', '2026.2.0', '2027.1.0'];
    const cases = fc.record({
      type: fc.constantFrom(...types),
      version: fc.constantFrom(...versions),
      values: fc.array(fc.integer({ min: -8, max: 63 }), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(cases, ({ type, version, values }) => {
        const t = fromFloat64(Float64Array.from(values), [values.length], type);
        const stored = packed(type, values.length, t.data as Uint8Array, by(version));
        assert.ok(storedSizes(type, values.length).includes(stored.length));
        assert.deepEqual(unpacked(type, values.length, stored, by(version)), t.data);
      }),
    );
  });
});
