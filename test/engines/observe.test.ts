import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Observation, ObservePoint } from '../../lib/engines/engine.ts';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { observe } from '../../lib/engines/observe.ts';
import { toFloat32 } from '../../lib/tensor/convert.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { Network } from '../support/network.ts';

/** Where an observer can look. */
type Place = Omit<ObservePoint, 'port'>;

const counting = tensor(
  'f32',
  [2, 2, 2, 2],
  Array.from({ length: 16 }, (_, i) => i),
);

/** Native and reference observations of the values of a network that copies its input. */
async function bothWays(shape: Shape, data: Float32Array, places: readonly Place[]): Promise<Observation[][]> {
  const net = new Network();
  const x = net.input('x', shape);
  const port = net.op('Negative', 'minus', [x]);
  net.result(port);
  const points = places.map((place): ObservePoint => ({ ...place, port }));
  await using native = await compileNative(net.model, { observe: points, taps: [port], threads: 2 });
  const { observations, taps } = await native.run({
    x: tensor(
      'f32',
      shape,
      data.map((v) => -v),
    ),
  });
  return [[...observations], points.map((point) => observe(taps[0]!, point))];
}

describe('observing', () => {
  const port = new Network().input('x', [2, 2, 2, 2]);

  it('matches the golden values of POT by channel and as a whole, for each item of a batch', () => {
    const quantiles = [
      { share: 0.01, isAbsolute: false },
      { share: 0.01, isAbsolute: true },
    ];
    const close = (found: Float32Array, wanted: readonly number[]): void => {
      assert.deepEqual([...found], wanted.map(Math.fround));
    };
    const channels = observe(counting, { port, granularity: 'perChannel', items: 2, quantiles });
    close(channels.min, [0, 4, 8, 12]);
    close(channels.max, [3, 7, 11, 15]);
    close(channels.absMax, [3, 7, 11, 15]);
    close(channels.mean, [1.5, 5.5, 9.5, 13.5]);
    for (const found of channels.quantiles) close(found, [0.03, 4.03, 8.03, 12.03]);
    const whole = observe(counting, { port, granularity: 'perTensor', items: 2, quantiles });
    close(whole.min, [0, 8]);
    close(whole.max, [7, 15]);
    close(whole.absMax, [7, 15]);
    for (const found of whole.quantiles) close(found, [0.07, 8.07]);
  });

  it('in the native engine gives the same golden values', async () => {
    const quantiles = [
      { share: 0.01, isAbsolute: false },
      { share: 0.99, isAbsolute: true },
    ];
    const places: Place[] = [
      { granularity: 'perChannel', items: 2, quantiles },
      { granularity: 'perTensor', items: 2, quantiles },
      { granularity: 'perTensor', items: 1, quantiles },
    ];
    const [native, reference] = await bothWays([2, 2, 2, 2], toFloat32(counting), places);
    for (const [i, found] of native!.entries()) {
      assert.deepEqual(found.quantiles, reference![i]!.quantiles);
      assert.deepEqual(
        [found.min, found.max, found.absMax],
        [reference![i]!.min, reference![i]!.max, reference![i]!.absMax],
      );
    }
    assert.deepEqual([...native![1]!.quantiles[0]!], [0.07, 8.07].map(Math.fround));
    assert.deepEqual([...native![2]!.quantiles[0]!], [Math.fround(0.15)]);
  });

  it('finds quantiles anywhere, of any axis and sign, exactly', async () => {
    const r = random(3);
    const shape = [2, 4, 30, 31];
    const data = Float32Array.from({ length: elementCount(shape) }, () => (r.int(0, 5) === 0 ? 0 : r.normal()));
    const quantiles = [0, 1e-5, 1e-4, 0.015, 0.3, 0.5, 0.985, 1 - 1e-4, 1].flatMap((share) =>
      [false, true].map((isAbsolute) => ({ share, isAbsolute })),
    );
    const places: Place[] = [
      { granularity: 'perTensor', quantiles },
      { granularity: 'perTensor', items: 2, quantiles },
      { granularity: 'perChannel', quantiles },
      { granularity: 'perChannel', items: 2, quantiles },
      { granularity: 'perChannel', channelAxis: -1, items: 2, quantiles },
      { granularity: 'perChannel', channelAxis: 0, quantiles },
    ];
    const [native, reference] = await bothWays(shape, data, places);
    for (const [i, place] of places.entries())
      assert.deepEqual(native![i]!.quantiles, reference![i]!.quantiles, JSON.stringify(place));
  });

  it('interpolates between neighbours as the definition does', () => {
    const numbers = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 }), { minLength: 1 });
    fc.assert(
      fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), (data, share) => {
        const value = tensor('f32', [data.length], data);
        const [[found]] = observe(value, {
          port,
          granularity: 'perTensor',
          quantiles: [{ share, isAbsolute: false }],
        }).quantiles as [Float32Array];
        const sorted = data.toSorted((a, b) => a - b);
        const at = share * (data.length - 1);
        const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
        assert.equal(found! + 0, Math.fround(low + (high - low) * (at - Math.floor(at))) + 0);
      }),
    );
  });
});
