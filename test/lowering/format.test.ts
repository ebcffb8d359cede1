import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node } from '../../lib/graph/node.ts';
import { formatOfFakeQuantize, isPerChannel, joinedFormat, sameFormat } from '../../lib/lowering/format.ts';
import type { QuantFormat } from '../../lib/ops/lower-context.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import { ModelBuilder } from '../support/model-builder.ts';

interface Limits {
  readonly shape?: Shape;
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly outLow?: readonly number[];
  readonly levels?: number;
  readonly limitShape?: Shape;
}

function fakeQuantize(spec: Limits): Node {
  const b = new ModelBuilder();
  const { shape = [1, 2, 3, 3], levels = 256 } = spec;
  const x = b.parameter('x', shape);
  const limitShape = spec.limitShape ?? (spec.low.length === 1 ? [] : [1, spec.low.length, 1, 1]);
  const constant = (name: string, values: readonly number[]) => b.constant(name, limitShape, values);
  const [low, high] = [constant('low', spec.low), constant('high', spec.high)];
  return b.op('FakeQuantize', [x, low, high, constant('out_low', spec.outLow ?? spec.low), high], { levels }).node;
}

function formatOf(spec: Limits): QuantFormat {
  const found = formatOfFakeQuantize(fakeQuantize(spec));
  assert.ok('format' in found, JSON.stringify(found));
  return found.format;
}

function reasonOf(spec: Limits): string {
  const found = formatOfFakeQuantize(fakeQuantize(spec));
  assert.ok('reason' in found);
  return found.reason;
}

test('the scale is one level, the zero point is where real zero lies', () => {
  const format = formatOf({ low: [-1.28], high: [1.27] });
  assert.deepEqual([...format.scale], [Math.fround(0.01)]);
  assert.deepEqual([...format.zeroPoint], [128]);
  assert.deepEqual([format.low, format.high], [0, 255]);
});

test('fewer levels use the lower end of the byte', () => {
  const format = formatOf({ low: [0], high: [7.5], levels: 16 });
  assert.deepEqual([format.scale[0], format.zeroPoint[0], format.low, format.high], [0.5, 0, 0, 15]);
});

test('a range below zero has its zero point at the last level', () => {
  assert.deepEqual([...formatOf({ low: [-5.1], high: [0] }).zeroPoint], [255]);
});

test('limits along axis 1 give a scale for each channel', () => {
  const format = formatOf({ low: [0, -128], high: [255, 127] });
  assert.deepEqual([...format.scale], [1, 1]);
  assert.deepEqual([...format.zeroPoint], [0, 128]);
  assert.equal(isPerChannel(format), true);
});

test('one limit may be shared by all channels', () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [1, 2, 3, 3]);
  const [low, high] = [b.constant('low', [], [0]), b.constant('high', [1, 2, 1, 1], [255, 51])];
  const found = formatOfFakeQuantize(b.op('FakeQuantize', [x, low, high, low, high], { levels: 256 }).node);
  assert.ok('format' in found);
  assert.deepEqual([...found.format.scale], [1, Math.fround(0.2)]);
});

test('output limits say what bytes stand for, input limits what rounds to them', () => {
  const { scale, zero, zeroPoint, rounding } = formatOf({ low: [-1], high: [1.55], outLow: [0] });
  assert.deepEqual([...scale], [Math.fround(1.55 / 255)]);
  assert.deepEqual([zero[0], zeroPoint[0]], [0, 0]);
  assert.deepEqual([...rounding!.scale], [Math.fround(0.01)]);
  assert.deepEqual([...rounding!.zero], [100]);
  assert.equal(formatOf({ low: [-1], high: [1.55] }).rounding, undefined);
});

test('what is rounded need not have a zero on the grid', () => {
  const { zeroPoint, rounding } = formatOf({ low: [3], high: [5.55], outLow: [0] });
  assert.deepEqual([...zeroPoint], [0]);
  assert.ok(Math.abs(rounding!.zero[0]! + 300) < 1e-3);
});

test('output limits that differ in one channel only are noticed', () => {
  const b = new ModelBuilder();
  const x = b.parameter('x', [1, 2, 3, 3]);
  const [low, high] = [b.constant('low', [], [0]), b.constant('high', [], [1])];
  const outHigh = b.constant('out_high', [1, 2, 1, 1], [1, 2]);
  const found = formatOfFakeQuantize(b.op('FakeQuantize', [x, low, high, low, outHigh], { levels: 256 }).node);
  assert.ok('format' in found);
  assert.deepEqual([...found.format.scale], [Math.fround(1 / 255), Math.fround(2 / 255)]);
  assert.deepEqual([...found.format.rounding!.scale], [Math.fround(1 / 255), Math.fround(1 / 255)]);
});

test('a zero a little beside an integer is kept as it is, further off it is refused', () => {
  const beside = formatOf({ low: [-1.0004], high: [2.55 - 1.0004] });
  assert.deepEqual([beside.zeroPoint[0], Math.round(beside.zero[0]! * 1000)], [100, 100040]);
  const single = formatOf({ low: [-1.2803149], high: [1.2703124] });
  assert.deepEqual([single.zeroPoint[0], single.zero[0]], [128, 128], 'limits in single precision');
  assert.match(reasonOf({ low: [-1.002], high: [2.55 - 1.002] }), /zero is not on its grid \(zero point 100\.20\)/);
  assert.match(reasonOf({ low: [0.5], high: [1] }), /zero is not on its grid/);
  assert.match(reasonOf({ low: [-2], high: [-1] }), /zero is not on its grid/);
});

test('what bytes cannot hold is refused with a reason', () => {
  assert.match(reasonOf({ low: [0], high: [1], levels: 257 }), /257 levels/);
  assert.match(reasonOf({ low: [0], high: [1], outLow: [0.1] }), /zero is not on its grid/);
  assert.match(reasonOf({ low: [0], high: [1], outLow: [2] }), /no range/);
  assert.match(reasonOf({ low: [1], high: [1] }), /no range/);
  assert.match(reasonOf({ low: [1], high: [-1] }), /no range/);
  assert.match(reasonOf({ low: [0], high: [Number.POSITIVE_INFINITY] }), /no range/);
  assert.match(reasonOf({ low: [0, 0, 0], high: [1, 2, 3], limitShape: [1, 1, 3, 1] }), /another axis/);
  assert.match(reasonOf({ shape: [4], low: [0, 0, 0, 0], high: [1, 1, 2, 1], limitShape: [4] }), /another axis/);
});

test('limits that are computed are refused', () => {
  const b = new ModelBuilder();
  const [x, low] = [b.parameter('x', [1, 2]), b.parameter('low', [])];
  const high = b.constant('high', [], [1]);
  const found = formatOfFakeQuantize(b.op('FakeQuantize', [x, low, high, low, high], { levels: 256 }).node);
  assert.ok('reason' in found && /not constant/.test(found.reason));
});

test('formats are the same only to the last bit', () => {
  const format = formatOf({ low: [-1], high: [1 - 2 / 256] });
  assert.ok(sameFormat(format, formatOf({ low: [-1], high: [1 - 2 / 256] })));
  assert.ok(!sameFormat(format, formatOf({ low: [-1.0000002], high: [1 - 2 / 256] })));
  assert.ok(!sameFormat(format, { ...format, high: 254 }));
  assert.ok(!sameFormat(format, { ...format, zero: Float32Array.of(127) }));
  const channels = formatOf({ low: [-1, -1], high: [1 - 2 / 256, 1 - 2 / 256] });
  assert.ok(!sameFormat(format, channels));
});

test('side by side, channels keep their scales', () => {
  const [one, other] = [formatOf({ low: [0], high: [255] }), formatOf({ low: [-128, -64], high: [127, 63.5] })];
  const parts = [
    { format: one, channels: 3 },
    { format: other, channels: 2 },
  ];
  const { scale, zero, zeroPoint, low, high } = joinedFormat(parts);
  assert.deepEqual([...scale], [1, 1, 1, 1, 0.5]);
  assert.deepEqual([...zero], [0, 0, 0, 128, 128]);
  assert.deepEqual([...zeroPoint], [0, 0, 0, 128, 128]);
  assert.deepEqual([low, high], [0, 255]);
  assert.equal(joinedFormat([parts[0]!, parts[0]!]), one, 'one scale stays one scale');
  assert.equal(joinedFormat([parts[1]!, parts[1]!]).scale.length, 4);
});
