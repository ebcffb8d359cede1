// Weight bias correction: rounded weights get the mean and the spread back that each output channel had.
import { giveConstant } from '../../graph/edit.ts';
import type { Model } from '../../graph/model.ts';
import type { Node } from '../../graph/node.ts';
import { expandTensor, expandValues } from '../../ops/broadcast.ts';
import { type ChannelLayout, channelsOfWeights } from '../../quantization/channels.ts';
import { setLimits } from '../../quantization/insert.ts';
import { quantizersOf } from '../../quantization/propagate.ts';
import { consumersOf, isConstant, traitsOf } from '../../quantization/roles.ts';
import { roundedConstant } from '../../quantization/rounded.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Algorithm, AlgorithmContext } from '../algorithm.ts';

/** Options of the algorithm. */
export interface WeightBiasCorrectionOptions {
  /** Added to the spread of rounded weights before it divides. Default 1e-5. */
  readonly epsilon?: number;
  /**
   * `grid` (default): zero stays on the grid, so that the weights remain plain bytes; the mean is moved before rounding, and
   * comes back as far as rounding lets it. `limits`: as OpenVINO POT does, the limits move with the mean, which is then
   * exact, but weights have an offset that most runtimes compute in floating point.
   */
  readonly mean?: 'grid' | 'limits';
}

/**
 * The algorithm for one run. It needs the quantizers of weights to have their limits.
 *
 * With weights w and rounded weights q of an output channel: `s = std(w) / (std(q) + ε)` scales weights and limits, then
 * `m = mean(w) − mean(q · s)` is added.
 *
 * @see OpenVINO POT, WeightBiasCorrection
 */
export function createWeightBiasCorrection(options: WeightBiasCorrectionOptions = {}): Algorithm {
  const { epsilon = 1e-5, mean = 'grid' } = options;
  return {
    name: 'WeightBiasCorrection',
    request: () => [],
    apply: async (context) => {
      for (const quantizer of quantizersOf(context.work)) {
        if (isOfWeights(quantizer)) correct(context, quantizer, epsilon, mean);
      }
    },
  };
}

function isOfWeights(quantizer: Node): boolean {
  return (
    isConstant(quantizer.source(0)) &&
    consumersOf(quantizer).every((input) => traitsOf(input.node).weights?.port === input.index)
  );
}

/** Mean and standard deviation of each channel. */
interface Moments {
  readonly mean: Float64Array;
  readonly spread: Float64Array;
}

export function momentsOf(values: Float64Array, layout: ChannelLayout): Moments {
  const count = values.length / layout.channels;
  const mean = new Float64Array(layout.channels);
  const spread = new Float64Array(layout.channels);
  for (let i = 0; i < values.length; i++) mean[channelAt(layout, i)]! += values[i]! / count;
  for (let i = 0; i < values.length; i++) {
    const c = channelAt(layout, i);
    spread[c]! += (values[i]! - mean[c]!) ** 2 / count;
  }
  return { mean, spread: spread.map(Math.sqrt) };
}

function channelAt(layout: ChannelLayout, index: number): number {
  return layout.channelOf(index - (index % Math.min(layout.run, Number.MAX_SAFE_INTEGER)));
}

function correct(context: AlgorithmContext, quantizer: Node, epsilon: number, how: 'grid' | 'limits'): void {
  const reader = consumersOf(quantizer)[0]!;
  const before = context.original.nodeById.get(reader.node.id)!.source(reader.index)!.fact.value!;
  const layout = channelsOfWeights(quantizer);
  const wanted = momentsOf(toFloat64(before), layout);
  const found = momentsOf(toFloat64(roundedConstant(quantizer)), layout);
  // A channel whose weights are all equal has no spread to restore.
  const scale = wanted.spread.map((v, c) => (v > 0 && found.spread[c]! > 0 ? v / (found.spread[c]! + epsilon) : 1));
  const shift = wanted.mean.map((v, c) => v - found.mean[c]! * scale[c]!);
  scaleAndShift(context.work, quantizer, layout, { before, scale, shift, how });
}

interface Change {
  readonly before: Tensor;
  readonly scale: Float64Array;
  readonly shift: Float64Array;
  readonly how: 'grid' | 'limits';
}

function scaleAndShift(model: Model, quantizer: Node, layout: ChannelLayout, change: Change): void {
  const { before, scale, shift, how } = change;
  const [low, high, outputLow, outputHigh] = [1, 2, 3, 4].map((i) =>
    expandTensor(quantizer.source(i)!.fact.value!, expandedShape(quantizer, i, layout)),
  ) as [Float64Array, Float64Array, Float64Array, Float64Array];
  // Halved weights have output limits twice as wide: what is stored is divided by that factor.
  const factor = Math.round((outputHigh[0]! - outputLow[0]!) / (high[0]! - low[0]!));
  const { shape } = before;
  const [scales, shifts] = [scale, shift].map((v) => expandValues(v, layout.limitShape, shape)) as [
    Float64Array,
    Float64Array,
  ];
  const stored = toFloat64(before).map((w, i) => (w * scales[i]! + shifts[i]!) / factor);
  giveConstant(model, quantizer.inputs[0]!, fromFloat64(stored, shape, quantizer.source(0)!.fact.type));
  const move = how === 'limits' ? shift : shift.map(() => 0);
  const moved = (limits: Float64Array, share: number): Float32Array =>
    Float32Array.from(limits, (v, c) => v * scale[c]! + move[c]! / share);
  setLimits(model, quantizer, {
    levels: Number(quantizer.attributes.levels),
    shape: layout.limitShape,
    input: { low: moved(low, factor), high: moved(high, factor) },
    output: { low: moved(outputLow, 1), high: moved(outputHigh, 1) },
  });
}

function expandedShape(quantizer: Node, port: number, layout: ChannelLayout): readonly number[] {
  const { shape } = quantizer.source(port)!.fact;
  return elementCount(shape) === layout.channels ? shape : layout.limitShape;
}
