// Quantization noise: how far the quantized model is from the unquantized one behind each product, as signal to noise.
import type { OutputPort } from '../../graph/node.ts';
import { collectStatistics } from '../../statistics/collect.ts';
import type { StatisticRequest } from '../../statistics/request.ts';
import { type Algorithm, type AlgorithmContext, runOptions } from '../algorithm.ts';
import { besideOriginal, type CopyRule, roundingPath } from '../beside.ts';
import { type BiasedProduct, biasedProducts } from '../biased-products.ts';
import { addMeasures, measureRequests, resultOf } from './measures.ts';
import type { NoiseMode, NoiseType, QuantNoise } from './noise.ts';

/** Options of the estimator. */
export interface QuantNoiseOptions {
  /** Default `full_fq_noise`. */
  readonly mode?: NoiseMode;
  /** Default `sqnr`; see `NoiseType`. */
  readonly type?: NoiseType;
  /** Added to what is divided by. Default 1e-15. */
  readonly epsilon?: number;
}

/**
 * The estimator for one run; it stands behind the quantization. Both models run side by side in one program whose
 * observers reduce signal and noise: no activation is kept.
 *
 * @see OpenVINO POT, QuantNoiseEstimator
 */
export function createQuantNoiseEstimator(options: QuantNoiseOptions = {}): Algorithm {
  const { mode = 'full_fq_noise', type = 'sqnr', epsilon = 1e-15 } = options;
  let noise: QuantNoise | undefined;
  return {
    name: 'QuantNoiseEstimator',
    readsSamples: true,
    findings: () => (noise ? { noise } : {}),
    request: () => [],
    apply: async (context) => {
      const products = biasedProducts(context.work);
      const { model, signals, rounded } = sideBySide(products, mode, context);
      const measures = products.map((product, i) =>
        addMeasures(model, { signal: signals[i]!, rounded: rounded[i]!, axis: product.channelAxis, type, epsilon }),
      );
      const requests: StatisticRequest[][] = measures.map(measureRequests);
      const statistics = await collectStatistics(model, requests.flat(), context.samples(), runOptions(context));
      const layers = products.map((product, i) => ({
        name: product.node.name,
        type: product.node.type,
        ...resultOf(
          requests[i]!.map((r) => statistics.get(r)),
          type,
          epsilon,
        ),
      }));
      noise = { mode, type, samples: statistics.samples, layers };
    },
  };
}

/** The model in which each product's unquantized and quantized output stand beside each other. */
function sideBySide(products: readonly BiasedProduct[], mode: NoiseMode, context: AlgorithmContext) {
  const sumOf = new Map(products.map((p) => [p.node, p.sum]));
  const path = roundingPath(context.roles);
  // One layer by itself: its product, its bias, and the quantizers in front of them.
  const isOfLayer: CopyRule = (node, reader) =>
    reader === undefined || (sumOf.has(node) && sumOf.get(node) === reader) || path(node, reader);
  const sums = products.map((p) => p.sum.output);
  const { model, ports } = besideOriginal(sums, context, mode === 'full_fq_noise' ? () => true : isOfLayer);
  const signals = sums.map((port): OutputPort => model.nodeById.get(port.node.id)!.outputs[port.index]!);
  return { model, signals, rounded: ports };
}
