// Overflow correction: 16-bit weights are made smaller where their sums would not fit the accumulator.
import { giveConstant } from '../../graph/edit.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { setLimits } from '../../quantization/insert.ts';
import { isConstant, isQuantizer, traitsOf } from '../../quantization/roles.ts';
import type { StatisticRequest } from '../../statistics/request.ts';
import { fromFloat64, toFloat32, toFloat64 } from '../../tensor/convert.ts';
import { type Algorithm, type AlgorithmContext, originalPort } from '../algorithm.ts';
import { biasBehind } from '../biased-products.ts';

/** Weights of 8 bits cannot overflow 32 bits. */
const mostSafeLevels = 256;
/** The largest sum that a 32-bit accumulator holds. */
const largestInt32 = 2 ** 31 - 1;

interface WeightedRequest {
  readonly node: Node;
  readonly quantizer: Node;
  readonly outputMax: StatisticRequest;
}

/** Options of the algorithm. */
export interface OverflowCorrectionOptions {
  /** The largest sum that the accumulator holds. Default 2³¹ − 1. */
  readonly largestSum?: number;
}

/**
 * The algorithm for one run. It needs the quantizers to have their limits.
 *
 * The largest sum of a product is `max |y| / (step of the data · step of the weights)`, with the largest steps where there
 * are several. Where it exceeds the accumulator by a factor r, the stored weights are divided by r and the output limits of
 * their quantizer multiplied by it: fewer points of the grid are used, the values stay.
 *
 * @see OpenVINO POT, OverflowCorrection
 */
export function createOverflowCorrection(options: OverflowCorrectionOptions = {}): Algorithm {
  let requests: WeightedRequest[] = [];
  return {
    name: 'OverflowCorrection',
    request: (context) => {
      requests = weighted(context);
      return requests.map((r) => r.outputMax);
    },
    apply: async (context, statistics) => {
      for (const { node, quantizer, outputMax } of requests) {
        if (Number(quantizer.attributes.levels) <= mostSafeLevels) continue;
        const dataStep = Math.max(0, ...quantizersAbove(node.source(0)!).map(largestStep));
        const sum = Math.trunc(statistics.get(outputMax)[0]! / (dataStep * largestStep(quantizer)));
        const excess = sum / (options.largestSum ?? largestInt32);
        if (excess > 1 && Number.isFinite(excess)) shrink(context, quantizer, excess);
      }
    },
  };
}

/** Products with constant weights behind a quantizer. */
function weighted(context: AlgorithmContext): WeightedRequest[] {
  return context.work.nodes().flatMap((node) => {
    const { weights } = traitsOf(node);
    const quantizer = weights && node.source(weights.port)?.node;
    if (!quantizer || !isQuantizer(quantizer) || !isConstant(quantizer.source(0))) return [];
    const port = originalPort((biasBehind(node)?.node ?? node).output, context);
    const absMax = { statistic: { kind: 'absMax' }, aggregator: 'max' } as const;
    return [{ node, quantizer, outputMax: { port, granularity: 'perTensor', ...absMax } }];
  });
}

/** The quantizers that the value comes from, through whatever lies between. */
function quantizersAbove(port: OutputPort): Node[] {
  const found: Node[] = [];
  const visited = new Set<Node>();
  const stack = [port.node];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (visited.has(node)) continue;
    visited.add(node);
    if (isQuantizer(node)) found.push(node);
    else for (const input of node.inputs) if (input.source) stack.push(input.source.node);
  }
  return found;
}

/** `(high − low) / (levels − 1)` of the output limits, the largest of all channels. */
function largestStep(quantizer: Node): number {
  const [low, high] = [3, 4].map((i) => toFloat64(quantizer.source(i)!.fact.value!)) as [Float64Array, Float64Array];
  const widths = Array.from({ length: Math.max(low.length, high.length) }, (_, c) => at(high, c) - at(low, c));
  return Math.max(...widths) / (Number(quantizer.attributes.levels) - 1);
}

function at(values: Float64Array, c: number): number {
  return values[values.length === 1 ? 0 : c]!;
}

function shrink(context: AlgorithmContext, quantizer: Node, factor: number): void {
  const weights = quantizer.source(0)!.fact.value!;
  const stored = toFloat64(weights).map((w) => w / factor);
  const [low, high, outputLow, outputHigh] = [1, 2, 3, 4].map((i) => toFloat32(quantizer.source(i)!.fact.value!)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const { shape } = quantizer.source(4)!.fact;
  giveConstant(context.work, quantizer.inputs[0]!, fromFloat64(stored, weights.shape, weights.type));
  setLimits(context.work, quantizer, {
    levels: Number(quantizer.attributes.levels),
    shape,
    input: { low, high },
    output: { low: outputLow.map((v) => v * factor), high: outputHigh.map((v) => v * factor) },
  });
}
