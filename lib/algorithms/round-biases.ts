// Biases of integer products, on the grid of their sums.
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { activationGrids } from '../ops/quantization/activation-grids.ts';
import { roundHalfToEven } from '../ops/rounding.ts';
import { channelsOfWeights } from '../quantization/channels.ts';
import { toFloat64 } from '../tensor/convert.ts';
import { biasedProducts, biasPerChannel, writeBias } from './biased-products.ts';

/** Runtimes hold a bias in 32 bits. */
const largestInteger = 2 ** 31 - 1;

/**
 * Rounds the bias behind every product of 8-bit data and 8-bit weights to a whole number of steps of the product's integer
 * sums: `b ← s · round(b / s)`, `s = scale of the data · scale of the channel's weights`, which moves it by half of a step
 * of the sums at most. Runtimes that add a bias as a 32-bit integer, as ONNX Runtime does, then compute the same sums as
 * those that add it as a float.
 *
 * Left as they are: channels whose bias does not fit 32 bits, products whose data has a scale for each channel, and
 * biases that vary along another axis than the channels.
 *
 * @returns  how many products have a bias on their grid now
 */
export function roundBiases(model: Model): number {
  const { grids } = activationGrids(model);
  let count = 0;
  for (const product of biasedProducts(model)) {
    const data = product.node.source(0);
    const grid = data && grids.get(data);
    const steps = grid && weightSteps(product.quantizer!, product.channels);
    const biases = steps && biasPerChannel(product);
    if (!biases) continue;
    writeBias(
      model,
      product,
      biases.map((b, c) => onGrid(b, Math.fround(grid.scale * steps[c]!))),
    );
    count++;
  }
  return count;
}

/** The step of every output channel; undefined when the weights have more than 8 bits or scales along another axis. */
function weightSteps(quantizer: Node, channels: number): Float32Array | undefined {
  const levels = Number(quantizer.attributes.levels);
  const [low, high] = [3, 4].map((i) => quantizer.source(i)?.fact.value);
  const layout = channelsOfWeights(quantizer);
  if (levels > 256 || !low || !high || low.data.length !== high.data.length) return undefined;
  if (low.data.length !== 1 && (low.data.length !== channels || layout.channels !== channels)) return undefined;
  const [l, h] = [toFloat64(low), toFloat64(high)];
  return Float32Array.from({ length: channels }, (_, c) => {
    const i = l.length === 1 ? 0 : c;
    return (h[i]! - l[i]!) / (levels - 1);
  });
}

function onGrid(bias: number, step: number): number {
  const q = roundHalfToEven(bias / step);
  return Math.abs(q) <= largestInteger ? q * step : bias;
}
