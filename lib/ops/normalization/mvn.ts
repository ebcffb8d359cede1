// MVN, both revisions: subtracts the mean and divides by the standard deviation.
import * as z from 'zod';
import type { Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, enumeration, float } from '../attribute.ts';
import { normalizeAxes } from '../axes.ts';
import { expandedStrides, stridedOffsets } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact, knownIntegers, requireRank } from '../fact.ts';
import { areLast, lowerMvn, mvnRuntime, type Normalization } from './lower-mvn.ts';

/** `(x − mean) / √(variance + eps)`, or `/ (√variance + eps)` with `outside`; only `x − mean` without `variance`. */
function normalize(x: Tensor, axes: readonly number[], n: Normalization): Tensor {
  const kept = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  const group = stridedOffsets(x.shape, expandedStrides(kept, x.shape));
  const data = toFloat64(x);
  const mean = averages(data, group);
  for (let i = 0; i < data.length; i++) data[i]! -= mean[group[i]!]!;
  if (!n.variance) return fromFloat64(data, x.shape, x.type);
  const variance = averages(
    data.map((v) => v * v),
    group,
  );
  const deviation = variance.map((v) => (n.outside ? Math.sqrt(v) + n.eps : Math.sqrt(v + n.eps)));
  for (let i = 0; i < data.length; i++) data[i]! /= deviation[group[i]!]!;
  return fromFloat64(data, x.shape, x.type);
}

/** The mean of the elements of each group. */
function averages(data: Float64Array, group: Int32Array): Float64Array {
  const groups = group.reduce((most, g) => Math.max(most, g), -1) + 1;
  const sums = new Float64Array(groups);
  for (let i = 0; i < data.length; i++) sums[group[i]!]! += data[i]!;
  return sums.map((s) => s / (data.length / groups));
}

function inferSame(inputs: Facts) {
  const { type, shape } = inputFact(inputs, 0);
  return [{ type, shape }];
}

const attributes2 = z.object({
  across_channels: bool.default(false),
  normalize_variance: bool.default(true),
  eps: float,
});

function spatialAxes(a: z.infer<typeof attributes2>, rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i).slice(a.across_channels ? 1 : 2);
}

function normalization2(a: z.infer<typeof attributes2>): Normalization {
  return { variance: a.normalize_variance, eps: a.eps, outside: false };
}

/** Over the spatial axes of `[N, C, …]`, with `across_channels` over the channels too; epsilon inside the root. */
export const mvn2 = defineOp({
  type: 'MVN',
  opset: 'opset2',
  attributes: attributes2,
  inputs: [1, 1],
  infer: (_, inputs) => {
    requireRank(inputFact(inputs, 0).shape, 3, 5);
    return inferSame(inputs);
  },
  evaluate: (a, [x]) => {
    return [normalize(x!, spatialAxes(a, x!.shape.length), normalization2(a))];
  },
  lower: (a, node, context) =>
    lowerMvn(node, context, spatialAxes(a, node.output.fact.shape.length), normalization2(a)),
  runtime: mvnRuntime(undefined),
  quantization: { quantizedPorts: [0] },
});

const attributes6 = z.object({
  normalize_variance: bool.default(true),
  eps: float,
  eps_mode: enumeration(['inside_sqrt', 'outside_sqrt']).default('inside_sqrt'),
});

/** The constant axes of a node. */
function axesOf(node: Node): number[] | undefined {
  const list = knownIntegers(node.source(1)?.fact);
  return list && normalizeAxes(list, node.output.fact.shape.length);
}

function normalization6(a: z.infer<typeof attributes6>): Normalization {
  return { variance: a.normalize_variance, eps: a.eps, outside: a.eps_mode === 'outside_sqrt' };
}

/** Over the axes at input 1. */
export const mvn6 = defineOp({
  type: 'MVN',
  opset: 'opset6',
  attributes: attributes6,
  inputs: [2, 2],
  infer: (_, inputs) => inferSame(inputs),
  evaluate: (a, [x, axesInput]) => {
    const list = knownIntegers({ type: axesInput!.type, shape: axesInput!.shape, value: axesInput! })!;
    const axes = normalizeAxes(list, x!.shape.length);
    return [normalize(x!, axes, normalization6(a))];
  },
  lower: (a, node, context) => lowerMvn(node, context, axesOf(node)!, normalization6(a)),
  canLower: (_, node) => areLast(axesOf(node), node.output.fact.shape.length),
  runtime: (node) => mvnRuntime(axesOf(node)),
  quantization: { quantizedPorts: [0] },
});
