// The kinds of signal-to-noise ratio, as nodes that compute what has to be averaged over samples.
import { addConstant } from '../../graph/edit.ts';
import type { Model } from '../../graph/model.ts';
import type { OutputPort } from '../../graph/node.ts';
import { createNode } from '../../ops/create-node.ts';
import type { StatisticRequest } from '../../statistics/request.ts';
import { normalizeAxis } from '../../tensor/shape.ts';
import { scalar, tensor } from '../../tensor/tensor.ts';
import type { NoiseType } from './noise.ts';

/** What is compared. */
export interface Comparison {
  readonly signal: OutputPort;
  readonly rounded: OutputPort;
  /** Axis of the channels. */
  readonly axis: number;
  readonly type: NoiseType;
  readonly epsilon: number;
}

/** Values whose means give the ratio. */
export interface Measures {
  readonly ports: readonly OutputPort[];
  /** Undefined: one mean for the whole value. */
  readonly channelAxis: number | undefined;
}

/** Adds the nodes of a comparison. */
export function addMeasures(model: Model, { signal, rounded, axis, type, epsilon }: Comparison): Measures {
  const { name } = signal.node;
  const op = (kind: string, part: string, inputs: readonly OutputPort[], attributes = {}): OutputPort =>
    createNode(model, { type: kind, name: `${name}/${part}`, inputs, attributes }).output;
  const noise = op('Subtract', 'noise', [signal, rounded]);
  const squares = [op('Multiply', 'signal²', [signal, signal]), op('Multiply', 'noise²', [noise, noise])] as const;
  if (type === 'sqnr') return { ports: squares, channelAxis: undefined };
  if (type === 'sqnr_per_channel') return { ports: squares, channelAxis: axis };
  const small = addConstant(model, `${name}/epsilon`, scalar('f32', epsilon)).output;
  const ratio = (a: OutputPort, b: OutputPort): OutputPort => op('Divide', 'ratio', [a, op('Add', 'sum', [b, small])]);
  if (type === 'sqnr_eltwise_mean') return { ports: [ratio(...squares)], channelAxis: undefined };
  const rank = signal.fact.shape.length;
  const channel = normalizeAxis(axis, rank);
  const isByChannel = type === 'sqnr_sample_per_channel';
  const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => !isByChannel || i !== channel);
  const list = addConstant(model, `${name}/axes`, tensor('i64', [axes.length], axes)).output;
  const [s, n] = squares.map((port, i) => op('ReduceMean', `mean ${i}`, [port, list], { keep_dims: true }));
  return isByChannel
    ? { ports: [ratio(n!, s!)], channelAxis: channel }
    : { ports: [ratio(s!, n!)], channelAxis: undefined };
}

/** Their means over samples. */
export function measureRequests({ ports, channelAxis }: Measures): StatisticRequest[] {
  const place =
    channelAxis === undefined
      ? ({ granularity: 'perTensor' } as const)
      : ({ granularity: 'perChannel', channelAxis } as const);
  return ports.map((port) => ({ port, ...place, statistic: { kind: 'mean' }, aggregator: 'mean' }));
}

/** The ratio from the means, and as decibels of signal ÷ noise. */
export function resultOf(
  means: readonly Float32Array[],
  type: NoiseType,
  epsilon: number,
): { readonly ratio: number | number[]; readonly decibels: number } {
  const [first, second] = means as [Float32Array, Float32Array | undefined];
  const isByChannel = type === 'sqnr_per_channel' || type === 'sqnr_sample_per_channel';
  if (!isByChannel) {
    const ratio = second ? first[0]! / (epsilon + second[0]!) : first[0]!;
    return { ratio, decibels: 10 * Math.log10(ratio) };
  }
  const ratio = second ? Array.from(second, (n, c) => n / (epsilon + first[c]!)) : Array.from(first);
  const mean = ratio.reduce((a, b) => a + b, 0) / ratio.length;
  return { ratio, decibels: -10 * Math.log10(mean) };
}
