// Outlier channel splitting: input channels with large weights are repeated, so that halves of them fit a finer scale.
import { giveConstant } from '../../graph/edit.ts';
import type { Model } from '../../graph/model.ts';
import type { Node } from '../../graph/node.ts';
import { inferModel } from '../../ops/infer-model.ts';
import { isDenseConvolution } from '../../passes/channels.ts';
import { traitsOf } from '../../quantization/roles.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Algorithm } from '../algorithm.ts';
import { repeatableProducers } from './producers.ts';
import { splitChannels } from './split.ts';

/** Options of the algorithm. */
export interface OutlierChannelSplittingOptions {
  /** Share of the input channels that are split, rounded up. Default 0.01. */
  readonly expansionRatio?: number;
}

/**
 * The algorithm for one run; it needs no samples. For each dense convolution whose producers can repeat channels, in the
 * order of names, the input channels with the largest weights are split in two. The function of the model stays the same.
 *
 * @see OpenVINO POT, OutlierChannelSplitting
 */
export function createOutlierChannelSplitting(options: OutlierChannelSplittingOptions = {}): Algorithm {
  const { expansionRatio = 0.01 } = options;
  return {
    name: 'OutlierChannelSplitting',
    changesOriginal: true,
    request: () => [],
    apply: async ({ work, warn }) => {
      const convolutions = work.nodes().filter(isDenseConvolution);
      const sorted = convolutions.sort((a, b) => (a.name < b.name ? -1 : 1));
      let count = 0;
      for (const node of sorted) {
        if (!splitInputs(work, node, expansionRatio)) continue;
        count++;
        inferModel(work);
      }
      if (count === 0) warn('no convolution has producers whose channels can be repeated: no channel was split');
    },
  };
}

/** Returns false when the convolution is not eligible. */
function splitInputs(model: Model, node: Node, ratio: number): boolean {
  const input = node.inputs[traitsOf(node).weights!.port]!;
  const weights = input.source!.fact.value!;
  const [outputs, inputs] = weights.shape as [number, number];
  const producers = repeatableProducers(node.source(0)!, inputs);
  if (!producers || producers.length === 0) return false;
  const count = Math.ceil(ratio * inputs);
  const taps = elementCount(weights.shape.slice(2));
  const split = splitChannels(toFloat64(weights), outputs, inputs, taps, count);
  const shape = [outputs, split.inputs, ...weights.shape.slice(2)];
  giveConstant(model, input, fromFloat64(split.values, shape, weights.type));
  for (const { input: port, axis } of producers) {
    giveConstant(model, port, appendEntries(port.source!.fact.value!, axis, split.sources));
  }
  return true;
}

/** The tensor with some entries of one axis repeated at its end. */
export function appendEntries(value: Tensor, axis: number, entries: readonly number[]): Tensor {
  const { shape, type } = value;
  const size = shape[axis]!;
  const inner = elementCount(shape.slice(axis + 1));
  const outer = elementCount(shape.slice(0, axis));
  const order = [...Array.from({ length: size }, (_, i) => i), ...entries];
  const data = toFloat64(value);
  const out = new Float64Array(outer * order.length * inner);
  for (let o = 0; o < outer; o++) {
    for (const [i, from] of order.entries()) {
      const start = (o * size + from) * inner;
      out.set(data.subarray(start, start + inner), (o * order.length + i) * inner);
    }
  }
  return fromFloat64(
    out,
    shape.map((d, i) => (i === axis ? order.length : d)),
    type,
  );
}
