import assert from 'node:assert/strict';
import test from 'node:test';
import { parseAttributes } from '../../../lib/ops/create-node.ts';
import { getOp } from '../../../lib/ops/index.ts';
import type { ElementType } from '../../../lib/tensor/element-type.ts';
import type { Shape } from '../../../lib/tensor/shape.ts';

const definition = getOp('ConvertPromoteTypes', 'opset14');

function promoted(
  x: ElementType,
  y: ElementType,
  options: Record<string, unknown> = {},
  shapes: readonly Shape[] = [],
) {
  const facts = [x, y].map((type, i) => ({ type, shape: shapes[i] ?? [2] }));
  const [a, b] = definition.infer(parseAttributes(definition, options, 'node'), facts);
  assert.equal(a!.type, b!.type);
  return a!.type;
}

const unsafe = { promote_unsafe: true };

test('types that hold both are found either way round', () => {
  const table: readonly (readonly [ElementType, ElementType, ElementType])[] = [
    ['boolean', 'i4', 'i4'],
    ['boolean', 'f16', 'f16'],
    ['i8', 'i8', 'i8'],
    ['i8', 'i64', 'i64'],
    ['u8', 'u16', 'u16'],
    ['u8', 'i16', 'i16'],
    ['u4', 'i64', 'i64'],
    ['i32', 'f64', 'f64'],
    ['u8', 'bf16', 'bf16'],
    ['f16', 'f32', 'f32'],
  ];
  for (const [x, y, expected] of table) {
    assert.equal(promoted(x, y), expected, `${x} ${y}`);
    assert.equal(promoted(y, x), expected, `${y} ${x}`);
  }
});

test('what loses numbers is refused unless it is asked for', () => {
  const table: readonly (readonly [ElementType, ElementType, ElementType])[] = [
    ['i32', 'f32', 'f32'],
    ['u8', 'i8', 'i16'],
    ['u32', 'i8', 'i64'],
    ['u64', 'i8', 'f32'],
    ['f16', 'bf16', 'f32'],
    ['f8e4m3', 'f8e5m2', 'f16'],
  ];
  for (const [x, y, expected] of table) {
    assert.throws(() => promoted(x, y), { code: 'ERR_TYPE_MISMATCH', message: new RegExp(`${x} and ${y}`) });
    assert.equal(promoted(x, y, unsafe), expected, `${x} ${y}`);
  }
});

test('a number without axes takes the type of the tensor beside it, when both are of one kind', () => {
  const scalarFirst = [[], [2]];
  const torch = { pytorch_scalar_promotion: true };
  assert.equal(promoted('i8', 'i32', torch, scalarFirst), 'i32');
  assert.equal(promoted('i64', 'i32', { ...torch, ...unsafe }, scalarFirst), 'i32');
  assert.throws(() => promoted('i64', 'i32', torch, scalarFirst), { code: 'ERR_TYPE_MISMATCH' });
  assert.equal(promoted('i64', 'i32', torch, [[2], [2]]), 'i64');
  assert.equal(promoted('f64', 'i16', torch, scalarFirst), 'f64');
});
