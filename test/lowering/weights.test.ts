import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { addConstant } from '../../lib/graph/edit.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { evaluatePort, quantizedWeights } from '../../lib/lowering/int8/weights.ts';
import { fromFloat64, toFloat64 } from '../../lib/tensor/convert.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import { ModelBuilder } from '../support/model-builder.ts';

function limited(
  b: ModelBuilder,
  w: OutputPort,
  high: readonly number[],
  shape: Shape,
  levels = 255,
  low = high.map((v) => -v),
): OutputPort {
  const [l, h] = [b.constant('low', shape, low), b.constant('high', shape, high)];
  return b.op('FakeQuantize', [w, l, h, l, h], { levels });
}

function weightsOf(port: OutputPort, axis = 0, channels = port.fact.shape[axis]!) {
  const found = quantizedWeights(port, axis, channels);
  assert.ok('weights' in found, JSON.stringify(found));
  return found.weights;
}

function reasonOf(port: OutputPort, axis = 0, channels = port.fact.shape[axis]!): string {
  const found = quantizedWeights(port, axis, channels);
  assert.ok('reason' in found, 'weights were accepted');
  return found.reason;
}

test('a FakeQuantize with one scale gives rounded weights', () => {
  const b = new ModelBuilder();
  const port = limited(b, b.constant('w', [2, 3], [1, -1, 0.5, 2, -2, 0.004]), [1.27], []);
  const { values, scale } = weightsOf(port);
  assert.deepEqual([...values], [100, -100, 50, 127, -127, 0]);
  assert.deepEqual([...scale], [Math.fround(0.01), Math.fround(0.01)]);
});

test('a FakeQuantize with a scale for each output channel', () => {
  const b = new ModelBuilder();
  const port = limited(b, b.constant('w', [2, 2], [127, -63, 1, 0.5]), [127, 1.27], [2, 1]);
  const { values, scale } = weightsOf(port);
  assert.deepEqual([...values], [127, -63, 100, 50]);
  assert.deepEqual([...scale], [1, Math.fround(0.01)]);
});

test('weights stored as whole numbers: Const i8 → Convert → Multiply', () => {
  const b = new ModelBuilder();
  const stored = b.constant('w', [2, 2], [-128, 127, 3, 0], 'i8');
  const floats = b.op('Convert', [stored], { destination_type: 'f32' });
  const port = b.op('Multiply', [floats, b.constant('scale', [2, 1], [0.5, 2])]);
  const { values, scale } = weightsOf(port);
  assert.deepEqual([...values], [-128, 127, 3, 0]);
  assert.deepEqual([...scale], [0.5, 2]);
});

test('a zero point is taken away: Const u8 → Convert → Subtract → Multiply', () => {
  const b = new ModelBuilder();
  const floats = b.op('Convert', [b.constant('w', [1, 3], [128, 255, 1], 'u8')], { destination_type: 'f32' });
  const shifted = b.op('Subtract', [floats, b.constant('zero', [], [128])]);
  const { values } = weightsOf(b.op('Multiply', [shifted, b.constant('scale', [], [0.25])]));
  assert.deepEqual([...values], [0, 127, -127]);
});

test('stored whole numbers of less than eight bits are bytes', () => {
  const b = new ModelBuilder();
  const stored = (type: ElementType, values: number[]) =>
    addConstant(b.model, type, fromFloat64(Float64Array.from(values), [1, 3], type)).output;
  const scaled = (real: OutputPort) => b.op('Multiply', [real, b.constant('scale', [], [0.25])]);
  const floats = (port: OutputPort) => b.op('Convert', [port], { destination_type: 'f32' });
  assert.deepEqual([...weightsOf(scaled(floats(stored('i4', [-8, 7, 3])))).values], [-8, 7, 3]);
  assert.deepEqual([...weightsOf(scaled(floats(stored('u6', [63, 0, 33])))).values], [63, 0, 33]);
  const shifted = b.op('Subtract', [floats(stored('u3', [7, 0, 5])), b.constant('zero', [], [4])]);
  assert.deepEqual([...weightsOf(scaled(shifted)).values], [3, -4, 1]);
  assert.match(reasonOf(scaled(floats(stored('nf4', [-1, 1, 0])))), /not quantized/);
});

test('stored bytes keep the zero point and the scale of their own channel', () => {
  const b = new ModelBuilder();
  const floats = b.op('Convert', [b.constant('w', [2, 2], [130, 1, 7, 9], 'u8')], { destination_type: 'f32' });
  const shifted = b.op('Subtract', [floats, b.constant('zero', [2, 1], [128, 8])]);
  const { values, sums, scale } = weightsOf(b.op('Multiply', [shifted, b.constant('scale', [2, 1], [0.5, 4])]));
  assert.deepEqual([...values], [2, -127, -1, 1]);
  assert.deepEqual([...sums], [-125, 0]);
  assert.deepEqual([...scale], [0.5, 4]);
});

test('a scale along another axis than the output channels is refused', () => {
  const b = new ModelBuilder();
  const floats = b.op('Convert', [b.constant('w', [2, 2], [3, 1, 7, 9], 'i8')], { destination_type: 'f32' });
  const port = b.op('Multiply', [floats, b.constant('scale', [1, 2], [0.5, 3])]);
  assert.match(reasonOf(port), /zero point or more than 8 bits/);
  assert.deepEqual([...weightsOf(port, 1).values], [3, 1, 7, 9]);
});

test('a reshape behind the scale keeps grouped channels in their order', () => {
  const b = new ModelBuilder();
  const port = limited(b, b.constant('w', [4, 1], [127, 63, 31, 15]), [127, 63.5, 31.75, 15.875], [4, 1]);
  const grouped = b.op('Reshape', [port, b.constant('shape', [3], [2, 2, 1], 'i64')], { special_zero: false });
  const { values, scale } = weightsOf(grouped, 1, 4);
  assert.deepEqual([...values], [127, 126, 124, 120]);
  assert.deepEqual([...scale], [1, 0.5, 0.25, 0.125]);
});

test('columns of a matrix are output channels when it is not transposed', () => {
  const b = new ModelBuilder();
  const port = limited(b, b.constant('w', [2, 3], [127, 1.27, 12.7, -127, 0.01, 0]), [127, 1.27, 12.7], [1, 3]);
  assert.deepEqual([...weightsOf(port, 1).values], [127, 127, 127, -127, 1, 0]);
});

test('a channel of zeros with a scale of zero stays zero, anything else there is refused', () => {
  const b = new ModelBuilder();
  const zeros = limited(b, b.constant('w', [2, 2], [1, -1, 0, 0]), [1, 0], [2, 1]);
  assert.deepEqual([...weightsOf(zeros).values], [127, -127, 0, 0]);
  const constant = limited(b, b.constant('w', [2, 2], [1, -1, 3, 3]), [1, 3], [2, 1], 255, [-1, 3]);
  assert.match(reasonOf(constant), /zero point or more than 8 bits/);
});

test('what 8 bits cannot hold is refused with a reason', () => {
  const b = new ModelBuilder();
  const w = b.weights('w', [4, 4]);
  assert.match(reasonOf(w), /not quantized/);
  assert.match(reasonOf(limited(b, w, [1], [], 1024)), /not quantized/);
  assert.match(reasonOf(limited(b, w, [3], [], 256, [-1])), /zero point or more than 8 bits/);
  assert.match(reasonOf(limited(b, w, [1, 2, 3, 4], [1, 4])), /zero point or more than 8 bits/);
  assert.match(reasonOf(limited(b, b.weights('v', [4, 2]), [1, 2], [1, 2])), /2 scales for 4 output channels/);
  assert.match(reasonOf(b.op('ReLU', [limited(b, w, [1], [])])), /not quantized/);
  const nan = limited(b, b.constant('n', [1, 2], [Number.NaN, 1]), [1], []);
  assert.match(reasonOf(nan), /zero point or more than 8 bits/);
});

test('weights that are computed at run time are refused', () => {
  const b = new ModelBuilder();
  assert.match(reasonOf(limited(b, b.parameter('w', [2, 2]), [1], [])), /not quantized/);
});

test('a value of constants is evaluated through absent optional inputs', () => {
  const b = new ModelBuilder();
  const at = (values: readonly number[]) => b.constant('at', [1], values, 'i64');
  const slice = b.op('StridedSlice', [b.constant('c', [4], [1, 2, 3, 4]), at([1]), at([3])], {});
  assert.deepEqual([...toFloat64(evaluatePort(slice))], [2, 3]);
});

test('bytes times scales are the weights that the FakeQuantize gives', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom(255, 256, 15, 128),
      fc.nat(999),
      (channels, inner, levels, seed) => {
        const b = new ModelBuilder('property', seed);
        const high = Array.from({ length: channels }, (_, c) => 0.5 + c);
        const low = high.map((v) => (levels % 2 === 0 ? (-v * levels) / (levels - 2) : -v));
        const port = limited(b, b.weights('w', [channels, inner]), high, [channels, 1], levels, low);
        const real = toFloat64(evaluatePort(port));
        const { values, scale } = weightsOf(port);
        for (const [i, v] of real.entries()) {
          const c = Math.floor(i / inner);
          assert.ok(Math.abs(values[i]! * scale[c]! - v) <= 1e-5 * high[c]!);
        }
      },
    ),
  );
});
