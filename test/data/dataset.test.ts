import assert from 'node:assert/strict';
import test from 'node:test';
import { fitInput, type InputInfo } from '../../lib/data/dataset.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import { type Tensor, tensor, zeros } from '../../lib/tensor/tensor.ts';

function input(type: ElementType, shape: readonly number[] = [-1, 3]): InputInfo {
  return { name: 'x', type, shape };
}

function codeOf(t: Tensor, info: InputInfo): string {
  try {
    fitInput(t, info, 'sample');
  } catch (error) {
    return error instanceof LowpError ? error.code : String(error);
  }
  return 'fits';
}

test('a free dimension takes any size, a fixed one only its own', () => {
  assert.equal(codeOf(zeros('f32', [7, 3]), input('f32')), 'fits');
  assert.equal(codeOf(zeros('f32', [7, 4]), input('f32')), 'ERR_DATA_SHAPE');
  assert.equal(codeOf(zeros('f32', [3]), input('f32')), 'ERR_DATA_SHAPE');
});

test('float inputs take floats and small integers with their values', () => {
  for (const type of ['f32', 'f16', 'f64', 'u8', 'i8', 'u16', 'i16'] as const) {
    const fitted = fitInput(tensor('f32', [1, 3], [1, 2, 3]), input('f32'), 'sample');
    assert.deepEqual(fitted.data, Float32Array.of(1, 2, 3), type);
    assert.equal(codeOf(zeros(type, [1, 3]), input('f32')), 'fits', type);
  }
  assert.deepEqual(fitInput(tensor('u8', [1, 3], [0, 128, 255]), input('f32'), '').data, Float32Array.of(0, 128, 255));
  for (const type of ['i32', 'u32', 'i64', 'u64', 'boolean'] as const)
    assert.equal(codeOf(zeros(type, [1, 3]), input('f32')), 'ERR_DATA_TYPE', type);
});

test('integer inputs take integers that fit, and nothing else', () => {
  assert.deepEqual(fitInput(tensor('i64', [1, 3], [1, -2, 3]), input('i32'), '').data, Int32Array.of(1, -2, 3));
  assert.equal(codeOf(tensor('i64', [1, 3], [1, 2, 300]), input('u8')), 'ERR_DATA_TYPE');
  assert.equal(codeOf(tensor('i32', [1, 3], [1, -2, 3]), input('u64')), 'ERR_DATA_TYPE');
  assert.equal(codeOf(zeros('f32', [1, 3]), input('i64')), 'ERR_DATA_TYPE');
});

test('NaN and infinity are refused in every float type, and numbers that become infinite', () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    for (const type of ['f32', 'f64'] as const)
      assert.equal(codeOf(tensor(type, [1, 3], [0, bad, 0]), input('f32')), 'ERR_DATA_NOT_FINITE');
  assert.equal(codeOf(tensor('f64', [1, 3], [0, 1e300, 0]), input('f32')), 'ERR_DATA_NOT_FINITE');
  assert.equal(codeOf(tensor('f32', [1, 3], [0, 1e6, 0]), input('f16')), 'ERR_DATA_NOT_FINITE');
  assert.equal(codeOf(tensor('f64', [1, 3], [0, Number.NaN, 0]), input('f64')), 'ERR_DATA_NOT_FINITE');
});
