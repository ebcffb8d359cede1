import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Model } from '../../../lib/graph/model.ts';
import { verify } from '../../../lib/graph/verify.ts';
import { evaluateNode } from '../../../lib/ops/evaluate-node.ts';
import { compressWeights } from '../../../lib/ops/storage/compress-weights.ts';
import type { Shape } from '../../../lib/tensor/shape.ts';
import type { Tensor } from '../../../lib/tensor/tensor.ts';
import { ModelBuilder, typesOf } from '../../support/model-builder.ts';

interface Case {
  readonly levels: number;
  readonly limits: Shape;
  readonly low: readonly number[];
  readonly high: readonly number[];
}

const shape = [4, 3, 3, 3];

/** Weights behind a FakeQuantize whose input and output limits are equal. */
function build({ levels, limits, low, high }: Case, seed = 3): Model {
  const b = new ModelBuilder('w', seed);
  const [l, h] = [b.constant('low', limits, low), b.constant('high', limits, high)];
  const fq = b.op('FakeQuantize', [b.weights('w', shape), l, h, l, h], { levels }, 'fq');
  fq.names = ['weights'];
  b.result(b.convolution(b.parameter('x', [1, 3, 4, 4]), fq));
  return b.model;
}

/** The value of the weights that the convolution reads. */
function weightsOf(model: Model): Tensor {
  const values = new Map<unknown, Tensor>();
  for (const node of model.nodes()) {
    if (node.type === 'Parameter' || node.type === 'Convolution') continue;
    const inputs = node.inputs.map((i) => values.get(i.source));
    if (inputs.some((v) => v === undefined)) continue;
    for (const [i, value] of evaluateNode(node, inputs)!.entries()) values.set(node.outputs[i], value);
  }
  return values.get(model.node('conv').source(1))!;
}

function unitInLastPlace(value: number): number {
  return 2 ** (Math.floor(Math.log2(Math.abs(value))) - 23);
}

const perChannel = [4, 1, 1, 1];
const highs = [2.7, 1.9, 0.013, 31.4].map(Math.fround);

describe('compressWeights', () => {
  const cases: [string, Case, string[]][] = [
    [
      '255 symmetric levels per channel',
      { levels: 255, limits: perChannel, low: highs.map((h) => -h), high: highs },
      [],
    ],
    ['256 symmetric levels', { levels: 256, limits: [], low: [Math.fround((-2 * 128) / 127)], high: [2] }, []],
    [
      'asymmetric limits',
      { levels: 256, limits: perChannel, low: [-1, -0.5, -0.2, -3], high: [2, 2, 2, 2] },
      ['Subtract'],
    ],
    ['positive limits', { levels: 256, limits: [1], low: [0], high: [2] }, ['Subtract']],
    ['16 levels', { levels: 16, limits: perChannel, low: highs.map((h) => (-8 / 7) * h), high: highs }, []],
    ['mirrored limits', { levels: 255, limits: [], low: [1.5], high: [-1.5] }, []],
  ];
  for (const [what, numbers, extra] of cases) {
    it(`stores weights with ${what} on the same steps of the grid`, () => {
      const model = build(numbers);
      const before = weightsOf(model);
      assert.equal(compressWeights(model), 1);
      verify(model);
      assert.deepEqual(typesOf(model), ['Parameter', 'Convert', ...extra, 'Multiply', 'Convolution', 'Result']);
      const stored = model
        .nodes()
        .find((n) => n.type === 'Convert')!
        .source(0)!.fact;
      assert.deepEqual([stored.type, stored.shape], [numbers.levels <= 16 ? 'i4' : 'i8', shape]);
      const product = model.node('fq');
      assert.deepEqual([product.type, product.output.names], ['Multiply', ['weights']]);
      const later = weightsOf(model);
      const limits = numbers.low.map((l, i) => Math.max(Math.abs(l), Math.abs(numbers.high[i]!)));
      for (let i = 0; i < later.data.length; i++) {
        const limit = limits[limits.length === 1 ? 0 : Math.floor(i / 27)]!;
        // FakeQuantize itself rounds four times at the size of the limits.
        const difference = Math.abs(Number(later.data[i]) - Number(before.data[i]));
        assert.ok(difference <= 2 * unitInLastPlace(limit), `${i}: ${later.data[i]}, before ${before.data[i]}`);
      }
    });
  }

  it('is within one unit in the last place of the value that the grid means', () => {
    const model = build({ levels: 255, limits: perChannel, low: highs.map((h) => -h), high: highs });
    const grid = weightsOf(model);
    compressWeights(model);
    const stored = weightsOf(model);
    for (let i = 0; i < stored.data.length; i++) {
      const high = highs[Math.floor(i / 27)]!;
      const exact = (Math.round((Number(grid.data[i]) / high) * 127) * high) / 127;
      const bound = exact === 0 ? 0 : unitInLastPlace(exact);
      assert.ok(Math.abs(Number(stored.data[i]) - exact) <= bound, `${i}: ${stored.data[i]}, exactly ${exact}`);
    }
  });

  it('finds scales of max |w| / 127 and integers from -127 to 127', () => {
    const b = new ModelBuilder();
    const [low, high] = [b.constant('l', [], [-2.54]), b.constant('h', [], [2.54])];
    const w = b.constant('w', [1, 1, 1, 5], [-9, -0.02, 0, 0.031, 2.54]);
    const fq = b.op('FakeQuantize', [w, low, high, low, high], { levels: 255 }, 'fq');
    b.result(b.op('Add', [b.parameter('x', [1, 1, 1, 5]), fq]));
    compressWeights(b.model);
    assert.deepEqual(b.model.node('fq/quantized').output.fact.value?.data, Int8Array.of(-127, -1, 0, 2, 127));
    assert.deepEqual(b.model.node('fq/scale').output.fact.value?.data, Float32Array.of(Math.fround(2.54) / 127));
  });

  it('stores a channel of zeros', () => {
    const model = build({ levels: 255, limits: perChannel, low: [-1, 0, -1, -1], high: [1, 0, 1, 1] });
    assert.equal(compressWeights(model), 1);
    assert.deepEqual(weightsOf(model).data.slice(27, 54), new Float32Array(27));
  });

  it('stores weights that were unsigned integers with other output limits', () => {
    const b = new ModelBuilder();
    const wide = b.op('Convert', [b.constant('w', [2, 2], [0, 127, 200, 254], 'u8')], { destination_type: 'f32' });
    const limit = (name: string, v: number): ReturnType<ModelBuilder['constant']> => b.constant(name, [], [v]);
    const inputs = [wide, limit('il', 0), limit('ih', 254), limit('ol', -1.27), limit('oh', 1.27)];
    b.result(b.op('Add', [b.parameter('x', [2, 2]), b.op('FakeQuantize', inputs, { levels: 255 }, 'fq')]));
    assert.equal(compressWeights(b.model), 1);
    assert.deepEqual(b.model.node('fq/quantized').output.fact.value?.data, Int8Array.of(-127, 0, 73, 127));
  });

  const kept: [string, (b: ModelBuilder) => void][] = [
    ['activations', (b) => fake(b, b.parameter('a', [2]), [-1, 1], 256)],
    ['more than 256 levels', (b) => fake(b, b.weights('w', [2]), [-1, 1], 65536)],
    ['2 levels', (b) => fake(b, b.weights('w', [2]), [-1, 1], 2)],
    ['NaN', (b) => fake(b, b.constant('w', [2], [Number.NaN, 1]), [-1, 1], 255)],
    ['an empty range away from zero', (b) => fake(b, b.weights('w', [2]), [1, 1], 255)],
    ['infinite limits', (b) => fake(b, b.weights('w', [2]), [-1, Number.POSITIVE_INFINITY], 255)],
  ];
  for (const [what, add] of kept) {
    it(`leaves ${what}`, () => {
      const b = new ModelBuilder();
      add(b);
      assert.equal(compressWeights(b.model), 0);
    });
  }
});

function fake(
  b: ModelBuilder,
  x: Parameters<ModelBuilder['result']>[0],
  [low, high]: [number, number],
  levels: number,
): void {
  const [l, h] = [b.constant('l', [], [low]), b.constant('h', [], [high])];
  b.result(b.op('FakeQuantize', [x, l, h, l, h], { levels }));
}
