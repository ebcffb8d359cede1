// FakeQuantize nodes for tests: on activations, and on constant weights with a scale for each output channel.
import type { OutputPort } from '../../lib/graph/node.ts';
import type { ModelBuilder } from './model-builder.ts';

type Limit = number | readonly number[];

/** A FakeQuantize on [low, high]: one range, or one for each index of axis 1. */
export function quantizer(b: ModelBuilder, x: OutputPort, low: Limit, high: Limit, levels = 256): OutputPort {
  return requantizer(b, x, { from: [low, high], to: [low, high], levels });
}

/** A FakeQuantize that rounds values on the range `from` and gives the levels the meaning of the range `to`. */
export function requantizer(
  b: ModelBuilder,
  x: OutputPort,
  spec: { readonly from: readonly [Limit, Limit]; readonly to: readonly [Limit, Limit]; readonly levels?: number },
): OutputPort {
  const { from, to, levels = 256 } = spec;
  const limit = (values: Limit, name: string): OutputPort => {
    const list = typeof values === 'number' ? [values] : values;
    const rank = x.fact.shape.length;
    const shape = list.length === 1 ? [] : Array.from({ length: rank }, (_, i) => (i === 1 ? list.length : 1));
    return b.constant(name, shape, list);
  };
  const [l, h] = [limit(from[0], 'low'), limit(from[1], 'high')];
  const [ol, oh] = from[0] === to[0] && from[1] === to[1] ? [l, h] : [limit(to[0], 'ol'), limit(to[1], 'oh')];
  return b.op('FakeQuantize', [x, l, h, ol, oh], { levels }, 'fq');
}

/**
 * Random weights rounded to signed 8 bits, symmetric, with a scale for each output channel: for each index of the
 * leading axes, one by default, two for the weights `[G, O, I, …]` of a grouped convolution.
 */
export function quantizedWeights(
  b: ModelBuilder,
  shape: readonly number[],
  channels: number,
  leading = shape.length === 5 && shape[1] !== 1 ? 2 : 1,
): OutputPort {
  const w = b.weights('w', shape);
  const data = w.fact.value!.data as Float32Array;
  const per = data.length / channels;
  const high = Array.from({ length: channels }, (_, c) =>
    data.slice(c * per, (c + 1) * per).reduce((m, v) => Math.max(m, Math.abs(v)), 0),
  );
  const axes = shape.map((d, i) => (i < leading ? d : 1));
  const l = b.constant(
    'wl',
    axes,
    high.map((v) => -v),
  );
  const h = b.constant('wh', axes, high);
  return b.op('FakeQuantize', [w, l, h, l, h], { levels: 255 }, 'fq_weights');
}
