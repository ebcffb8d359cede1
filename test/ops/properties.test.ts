import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { erf } from '../../lib/ops/elementwise/error-function.ts';
import { getOp } from '../../lib/ops/index.ts';
import { listed, slicePositions } from '../../lib/ops/movement/slicing.ts';
import { fakeQuantize } from '../../lib/ops/quantization/fake-quantize.ts';
import { roundHalfToEven } from '../../lib/ops/rounding.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { toFloat64 } from '../../lib/tensor/convert.ts';
import { type Tensor, zeros } from '../../lib/tensor/tensor.ts';
import { i64, pattern } from '../conformance/cases/op-case.ts';

function run(type: string, attributes: Record<string, unknown>, ...inputs: Tensor[]): Tensor {
  const definition = getOp(type);
  return definition.evaluate!(definition.attributes.parse(attributes), inputs)[0]!;
}

const geometry = fc.record({
  size: fc.integer({ min: 5, max: 9 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  begin: fc.integer({ min: 0, max: 2 }),
  end: fc.integer({ min: 0, max: 2 }),
  channels: fc.integer({ min: 1, max: 3 }),
  outputs: fc.integer({ min: 1, max: 3 }),
});

type Geometry = typeof geometry extends fc.Arbitrary<infer T> ? T : never;

function attributesOf(g: Geometry) {
  return { strides: [g.stride], dilations: [g.dilation], pads_begin: [g.begin], pads_end: [g.end] };
}

test('Convolution equals the sum that defines it', () => {
  fc.assert(
    fc.property(geometry, (g) => {
      const x = pattern([1, g.channels, g.size], 1);
      const w = pattern([g.outputs, g.channels, g.kernel], 2);
      const y = run('Convolution', attributesOf(g), x, w);
      const columns = y.shape[2]!;
      for (let o = 0; o < g.outputs; o++) {
        for (let p = 0; p < columns; p++) {
          let sum = 0;
          for (let c = 0; c < g.channels; c++) {
            for (let k = 0; k < g.kernel; k++) {
              const at = p * g.stride - g.begin + k * g.dilation;
              if (at < 0 || at >= g.size) continue;
              sum += Number(x.data[c * g.size + at]) * Number(w.data[(o * g.channels + c) * g.kernel + k]);
            }
          }
          assert.equal(y.data[o * columns + p], Math.fround(sum));
        }
      }
    }),
  );
});

test('ConvolutionBackpropData is the transpose of Convolution: ⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩', () => {
  fc.assert(
    fc.property(geometry, (g) => {
      const x = pattern([1, g.channels, g.size], 3);
      const w = pattern([g.outputs, g.channels, g.kernel], 4);
      const forward = run('Convolution', attributesOf(g), x, w);
      const y = pattern(forward.shape, 5);
      const back = run('ConvolutionBackpropData', attributesOf(g), y, w, i64(g.size));
      assert.deepEqual(back.shape, x.shape);
      const inner = (a: Tensor, b: Tensor) => toFloat64(a).reduce((s, v, i) => s + v * Number(b.data[i]), 0);
      assert.ok(Math.abs(inner(forward, y) - inner(x, back)) < 1e-4);
    }),
  );
});

test('GroupConvolution equals one Convolution for each group', () => {
  fc.assert(
    fc.property(geometry, fc.integer({ min: 1, max: 3 }), (g, groups) => {
      const x = pattern([1, groups * g.channels, g.size], 6);
      const w = pattern([groups, g.outputs, g.channels, g.kernel], 7);
      const parts = Array.from({ length: groups }, (_, i) => {
        const part = (t: Tensor, rest: number[]): Tensor => {
          const n = rest.reduce((a, b) => a * b, 1);
          return { type: 'f32', shape: rest, data: t.data.slice(i * n, (i + 1) * n) };
        };
        const xs = part(x, [1, g.channels, g.size]);
        return run('Convolution', attributesOf(g), xs, part(w, [g.outputs, g.channels, g.kernel]));
      });
      assert.equal(
        maxAbsError(run('GroupConvolution', attributesOf(g), x, w), run('Concat', { axis: 1 }, ...parts)),
        0,
      );
    }),
  );
});

test('same padding gives ceil(in / stride) outputs whatever the kernel', () => {
  fc.assert(
    fc.property(geometry, fc.constantFrom('same_upper', 'same_lower'), (g, rule) => {
      const x = pattern([1, 1, g.size], 8);
      const y = run('Convolution', { ...attributesOf(g), auto_pad: rule }, x, pattern([1, 1, g.kernel], 9));
      assert.equal(y.shape[2], Math.ceil(g.size / g.stride));
    }),
  );
});

test('a slice selects what stepping through the clamped bounds selects', () => {
  const bound = fc.integer({ min: -8, max: 8 });
  const step = fc.integer({ min: -3, max: 3 }).filter((s) => s !== 0);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 6 }), bound, bound, step, (size, begin, end, s) => {
      const from = begin < 0 ? begin + size : begin;
      const to = end < 0 ? end + size : end;
      const expected: number[] = [];
      if (s > 0) for (let i = Math.max(from, 0); i < Math.min(to, size); i += s) expected.push(i);
      else for (let i = Math.min(from, size - 1); i > Math.max(to, -1); i += s) expected.push(i);
      assert.deepEqual(listed(slicePositions(size, { begin, end, step: s })), expected);
    }),
  );
});

test('SpaceToDepth undoes DepthToSpace', () => {
  fc.assert(
    fc.property(fc.constantFrom('blocks_first', 'depth_first'), fc.integer({ min: 1, max: 3 }), (mode, block) => {
      const x = pattern([2, 2 * block * block, 3, 2], 10);
      const back = run(
        'SpaceToDepth',
        { mode, block_size: block },
        run('DepthToSpace', { mode, block_size: block }, x),
      );
      assert.deepEqual(back, x);
    }),
  );
});

test('FakeQuantize moves by at most half a step, stays in range and then stays where it is', () => {
  const value = fc.float({ min: -8, max: 8, noNaN: true });
  const width = fc.float({ min: 0.5, max: 4, noNaN: true });
  fc.assert(
    fc.property(value, width, fc.constantFrom(2, 15, 255, 256, 65536), (x, high, levels) => {
      const low = -Math.fround(high / 2);
      const y = fakeQuantize(x, low, high, low, high, levels);
      const step = (high - low) / (levels - 1);
      // Output limits are reached through a difference, so that they can be off by a rounding.
      const slack = 4 * 2 ** -24 * (high - low);
      assert.ok(y >= low - slack && y <= high + slack);
      const inside = Math.min(high, Math.max(low, x));
      assert.ok(Math.abs(y - inside) <= step * 0.5 + 2 * slack, `${y} from ${x}, step ${step}`);
      assert.ok(Math.abs(fakeQuantize(y, low, high, low, high, levels) - y) <= slack);
    }),
  );
});

test('rounding to even agrees with its definition', () => {
  for (const [x, y] of [
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, -0],
    [-1.5, -2],
    [-2.5, -2],
    [0.4, 0],
    [-0.4, -0],
    [-0.6, -1],
    [2 ** 53, 2 ** 53],
    [Infinity, Infinity],
    [NaN, NaN],
  ]) {
    assert.ok(Object.is(roundHalfToEven(x!), y), `${x} gives ${roundHalfToEven(x!)}`);
  }
});

test('erf agrees with tabulated values and is odd', () => {
  // Abramowitz and Stegun, table 7.1.
  for (const [x, y] of [
    [0, 0],
    [0.1, 0.112462916],
    [0.5, 0.5204998778],
    [1, 0.8427007929],
    [1.5, 0.9661051465],
    [2, 0.995322265],
  ]) {
    assert.ok(Math.abs(erf(x!) - y!) < 1e-9, `erf(${x}) = ${erf(x!)}`);
    assert.equal(erf(-x!), -erf(x!));
  }
  assert.ok(Math.abs(erf(2.9999999) - erf(3)) < 1e-10, 'both branches meet');
  assert.ok(Math.abs(1 - erf(3) - 2.209049699858544e-5) < 1e-15);
  assert.equal(erf(9), 1);
  assert.ok(Number.isNaN(erf(NaN)));
});

test('broadcasting repeats along every axis of size one', () => {
  const shape = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 0, maxLength: 4 });
  fc.assert(
    fc.property(shape, fc.nat(), fc.nat(15), (to, cut, ones) => {
      const from = to.slice(cut % (to.length + 1)).map((d, i) => ((ones >> i) & 1 ? 1 : d));
      const x = pattern(from, 11);
      const y = run('Add', {}, x, zeros('f32', to));
      const strides = from.map((_, i) => from.slice(i + 1).reduce((a, b) => a * b, 1));
      for (let i = 0; i < y.data.length; i++) {
        let [rest, at] = [i, 0];
        for (let axis = to.length - 1; axis >= 0; axis--) {
          const index = rest % to[axis]!;
          rest = Math.floor(rest / to[axis]!);
          const mine = axis - (to.length - from.length);
          if (mine >= 0 && from[mine] !== 1) at += index * strides[mine]!;
        }
        assert.equal(y.data[i], x.data[at]);
      }
    }),
  );
});
