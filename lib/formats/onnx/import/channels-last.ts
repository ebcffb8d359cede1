/** Operators of ONNX Runtime whose data has its channels last: the ordinary ones between two transposes. */
import type { OutputPort } from '../../../graph/node.ts';
import { toIntegers } from '../../../tensor/convert.ts';
import { convolved } from './convolution.ts';
import { fusedConvolution } from './fused.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';
import { inDomain } from './in-domain.ts';
import { poolingImporters } from './pooling.ts';

export const channelsLastImporters: ImporterTable = inDomain('com.microsoft', {
  NhwcConv: (n) => [channelsLast(n, convolved(n, channelsFirst(n, n.input(0)), n.input(1), n.optional(2)))],
  NhwcFusedConv: nhwcFusedConv,
  NhwcMaxPool: nhwcMaxPool,
});

/** `[batch, …, channels]` as `[batch, channels, …]`; a transpose that {@link channelsLast} made is taken back. */
export function channelsFirst(n: ImportNode, x: OutputPort): OutputPort {
  const rank = x.fact.shape.length;
  const order = x.node.type === 'Transpose' ? x.node.source(1)?.fact.value : undefined;
  const isTurned = order && toIntegers(order).every((axis, i) => axis === toLast(rank)[i]);
  if (isTurned) return x.node.source(0)!;
  return n.step('Transpose', [x, n.indices([0, rank - 1, ...spatialAxes(rank)], 'channelsFirst')]);
}

/** `[batch, channels, …]` as `[batch, …, channels]`. */
export function channelsLast(n: ImportNode, x: OutputPort): OutputPort {
  return n.step('Transpose', [x, n.indices(toLast(x.fact.shape.length), 'channelsLast')]);
}

function toLast(rank: number): number[] {
  return [0, ...spatialAxes(rank).map((axis) => axis + 1), 1];
}

/** The axes between the first and the last. */
function spatialAxes(rank: number): number[] {
  return Array.from({ length: Math.max(0, rank - 2) }, (_, i) => i + 1);
}

/** Inputs: data, weights, optional bias, optional sum. */
function nhwcFusedConv(n: ImportNode): OutputPort[] {
  const sum = n.optional(3);
  const inputs = [channelsFirst(n, n.input(0)), n.input(1), n.optional(2), sum && channelsFirst(n, sum)];
  return [channelsLast(n, fusedConvolution(n.derive(inputs)))];
}

function nhwcMaxPool(n: ImportNode): OutputPort[] {
  const [y] = poolingImporters.MaxPool!(n.derive([channelsFirst(n, n.input(0))]));
  return [channelsLast(n, y!)];
}
