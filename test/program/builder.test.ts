import assert from 'node:assert/strict';
import test from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { ProgramBuilder } from '../../lib/program/builder.ts';
import { isProgramType } from '../../lib/program/program.ts';
import { paramsOf } from '../support/lowering.ts';

test('buffers are numbered in the order in which they are made', () => {
  const b = new ProgramBuilder();
  assert.equal(b.isEmpty, true);
  const ids = [
    b.input('x', 'u8', [2, 3]),
    b.temporary('f32', 6),
    b.output('y', 'f32', []),
    b.constant('i8', new Int8Array(4)),
  ];
  assert.deepEqual(ids, [0, 1, 2, 3]);
  assert.deepEqual(b.buffer(0), { kind: 'input', type: 'u8', elements: 6, name: 'x', shape: [2, 3] });
  assert.deepEqual(
    b.finish().buffers.map((buffer) => [buffer.kind, buffer.elements]),
    [
      ['input', 6],
      ['temporary', 6],
      ['output', 1],
      ['constant', 4],
    ],
  );
});

test('one array is one constant, equal arrays are two', () => {
  const b = new ProgramBuilder();
  const data = Float32Array.of(1);
  assert.equal(b.constant('f32', data), b.constant('f32', data));
  assert.notEqual(b.constant('f32', data), b.constant('f32', Float32Array.of(1)));
});

test('params are little-endian words in the order of the kernel; what is not given is 0', () => {
  const b = new ProgramBuilder();
  const [x, y] = [b.input('x', 'f32', [4]), b.output('y', 'f32', [4])];
  b.call('unary', { op: 1, elements: 4, alpha: 0.5 }, { name: 'n', in: [x, undefined], out: [y] });
  const [call] = b.finish().calls;
  const given = [1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 63];
  assert.deepEqual([...call!.params.subarray(0, given.length)], given);
  assert.ok(call!.params.subarray(given.length).every((byte) => byte === 0));
  assert.deepEqual([call!.kernel, call!.name, call!.inputs, call!.outputs], ['unary', 'n', [x, undefined], [y]]);
  assert.equal(b.isEmpty, false);
});

test('signed and unsigned words keep their ends', () => {
  const b = new ProgramBuilder();
  const ends = { rank: 2 ** 32 - 1, inStride0: -(2 ** 31), inStride1: 2 ** 31 - 1 };
  b.call('copy', ends, { name: 'n', in: [], out: [] });
  assert.deepEqual(paramsOf(b.finish().calls[0]!), ends);
});

test('numbers that 32 bits cannot hold are refused, not cut', () => {
  const b = new ProgramBuilder();
  const call = (params: { rank?: number; inStride0?: number }) => () =>
    b.call('copy', params, { name: 'n', in: [], out: [] });
  for (const params of [{ rank: 2 ** 32 }, { rank: -1 }, { inStride0: 2 ** 31 }, { inStride0: -(2 ** 31) - 1 }]) {
    assert.throws(call(params), (e) => e instanceof LowpError && e.code === 'ERR_LIMIT_SIZE');
  }
  assert.throws(call({ rank: 0.5 }), /not an integer/);
});

test('a parameter that the kernel does not have is refused', () => {
  const b = new ProgramBuilder();
  const params: Record<string, number> = { elements: 1, elementz: 2 };
  assert.throws(() => b.call('fill', params, { name: 'n', in: [], out: [] }), /has no parameter elementz/);
});

test('element types that a program holds', () => {
  assert.ok(isProgramType('boolean') && isProgramType('i64'));
  assert.ok(!isProgramType('f64') && !isProgramType('u4'));
});
