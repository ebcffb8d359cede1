// Models that POT and NNCF quantized, their originals, and how ours compares with theirs.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { alignablePairs } from '../../lib/algorithms/activation-channel-alignment/pairs.ts';
import { readIr } from '../../lib/formats/ir/read.ts';
import type { Model } from '../../lib/graph/model.ts';
import { constantOf, type Node, type OutputPort } from '../../lib/graph/node.ts';
import { prepareForQuantization } from '../../lib/passes/index.ts';
import { channelExtremes, channelsOfWeights } from '../../lib/quantization/channels.ts';
import type { Preset } from '../../lib/quantization/configuration.ts';
import { configureQuantizers } from '../../lib/quantization/configure.ts';
import { findIgnored } from '../../lib/quantization/ignored-scope.ts';
import { quantizedSource } from '../../lib/quantization/insert.ts';
import { quantizersToHalve } from '../../lib/quantization/overflow.ts';
import { placeQuantizers } from '../../lib/quantization/propagate.ts';
import { symmetricWeightLimits } from '../../lib/quantization/ranges.ts';
import { quantizerGroup } from '../../lib/quantization/remove.ts';
import { consumersOf, isConstant, isQuantizer, type Roles, rolesFor, traitsOf } from '../../lib/quantization/roles.ts';
import { targetOf } from '../../lib/targets/index.ts';
import { toFloat64 } from '../../lib/tensor/convert.ts';
import { elementCount } from '../../lib/tensor/shape.ts';
import { alignNames, computedNodes } from './align-models.ts';

/** One model and its quantized form, as `../shared/irs/GOLDEN.md` lists them. */
export interface GoldenPair {
  readonly quantized: string;
  readonly original: string;
  readonly algorithm: 'POT default' | 'POT accuracy-aware' | 'NNCF';
  readonly preset: Preset;
  /** Operations that the tool left in floating point or gave back to it, one for each group of quantizers. */
  readonly floats?: readonly { readonly operation: string; readonly reason: string }[];
}

const reverted = (...operations: string[]) =>
  operations.map((operation) => ({ operation, reason: 'reverted by the accuracy-aware algorithm' }));

const intel = (
  owner: string,
  name: string,
  folder: string,
  original: string,
): Pick<GoldenPair, 'quantized' | 'original'> => ({
  quantized: `${owner}/${folder}intel/${name}/FP16-INT8/${name}`,
  original: `${owner}/${folder}intel/${name}/${original}/${name}`,
});
const stick = (name: string, original = 'FP32') => intel('VictorHidalgoUCLM__NeuralComputeStick2', name, '', original);
const guard = (name: string) => intel('inbasperu__VisionGuard', name, 'models/', 'FP16');
const cmrpack = (name: string) => intel('lsdace30095__cmrpack23', name, '', 'FP16');

export const goldenPairs: readonly GoldenPair[] = [
  {
    ...intel('Dewalade1__computer-pointer-controller', 'landmarks-regression-retail-0009', '', 'FP32'),
    algorithm: 'POT accuracy-aware',
    preset: 'performance',
  },
  {
    quantized: 'LBQ-0829__Openvino-nncf-quantize/weights/Y52_8x1x160x160_int8',
    original: 'LBQ-0829__Openvino-nncf-quantize/dynamic_qp52',
    algorithm: 'NNCF',
    preset: 'performance',
  },
  { ...stick('face-detection-retail-0004'), algorithm: 'POT default', preset: 'performance' },
  {
    ...stick('license-plate-recognition-barrier-0001', 'FP16'),
    algorithm: 'POT accuracy-aware',
    preset: 'performance',
    floats: reverted('fire1_small/conv_reduce/WithoutBiases', 'pattern/WithoutBiases'),
  },
  { ...stick('single-image-super-resolution-1033'), algorithm: 'POT default', preset: 'performance' },
  {
    ...stick('text-image-super-resolution-0001'),
    algorithm: 'POT default',
    preset: 'performance',
    floats: [
      {
        operation: '12/WithoutBiases',
        reason: 'POT of that time had no ConvolutionBackpropData in its table for processors; later versions do',
      },
    ],
  },
  { ...stick('vehicle-attributes-recognition-barrier-0039'), algorithm: 'POT default', preset: 'performance' },
  {
    ...intel('denilgabani__Computer-Pointer-Controller', 'gaze-estimation-adas-0002', 'models/', 'FP16'),
    algorithm: 'POT accuracy-aware',
    preset: 'performance',
    floats: reverted('142/WithoutBiases'),
  },
  {
    quantized:
      'gorkemgul__openvino-quantization/optimized_model/person-detection-retail-0013_mixed_DefaultQuantization',
    original: 'gorkemgul__openvino-quantization/intel/person-detection-retail-0013/FP32/person-detection-retail-0013',
    algorithm: 'POT default',
    preset: 'mixed',
  },
  { ...guard('face-detection-adas-0001'), algorithm: 'POT default', preset: 'performance' },
  {
    ...guard('head-pose-estimation-adas-0001'),
    algorithm: 'POT accuracy-aware',
    preset: 'performance',
    floats: reverted('pool1/WithoutBiases', 'conv3/WithoutBiases', 'pool3/WithoutBiases'),
  },
  { ...cmrpack('person-vehicle-bike-detection-2003'), algorithm: 'POT default', preset: 'performance' },
  { ...cmrpack('person-vehicle-bike-detection-crossroad-0078'), algorithm: 'POT default', preset: 'mixed' },
];

/** A difference in placement with its reason; no reason: nobody knows. */
export interface Difference {
  /** `type:name#port` of the operation that reads the quantizer. */
  readonly site: string;
  readonly side: 'ours' | 'golden';
  readonly reason: string | undefined;
}

export interface Comparison {
  readonly pair: GoldenPair;
  readonly common: number;
  readonly differences: readonly Difference[];
  /** Common quantizers with equal levels and one range per tensor or per channel on both sides. */
  readonly sameForm: { readonly equal: number; readonly of: number };
  /**
   * Output channels of weights whose step is the same, twice ours in a first convolution (half of the range is used),
   * another because channel alignment scaled the weights with data before, or another.
   */
  readonly steps: Readonly<Record<'equal' | 'halved' | 'aligned' | 'other', number>>;
}

/** Quantizes the original without data and compares it with the golden model. */
export function comparePair(folder: string, pair: GoldenPair): Comparison {
  const golden = read(folder, pair.quantized);
  const names = alignNames(golden, read(folder, pair.original));
  const model = read(folder, pair.original);
  prepareForQuantization(model);
  const aligned = new Set(alignablePairs(model).flatMap((p) => [p.producer.name, p.consumer.name]));
  const target = targetOf('ANY');
  const roles = rolesFor(target);
  const placement = placeQuantizers(model, roles, findIgnored(model, roles));
  const halved = quantizersToHalve(model, target, 'first_layer');
  const { quantizers } = configureQuantizers(placement, roles, { preset: pair.preset });
  const ours = new Map(quantizers.flatMap((q) => sitesOf(q.node).map((site) => [site, q.configuration] as const)));
  const theirs = new Map(
    activationQuantizers(golden).flatMap((q) => sitesOf(q, names).map((site) => [site, q] as const)),
  );
  for (const q of placement.quantizers) if (isConstant(q.source(0))) for (const site of sitesOf(q)) ours.delete(site);
  const common = [...ours.keys()].filter((site) => theirs.has(site));
  const sameForm = common.filter((site) => {
    const { levels, granularity } = ours.get(site)!;
    const q = theirs.get(site)!;
    const isPerChannel = elementCount(q.source(2)!.fact.shape) > 1;
    return levels === q.attributes.levels && isPerChannel === (granularity === 'perChannel');
  });
  const reasons = reasonsOf(pair, placement.quantizers, roles);
  const difference = (site: string, side: Difference['side']): Difference => ({
    site,
    side,
    reason: reasons.get(site),
  });
  return {
    pair,
    common: common.length,
    differences: [
      ...[...ours.keys()].filter((site) => !theirs.has(site)).map((site) => difference(site, 'ours')),
      ...[...theirs.keys()].filter((site) => !ours.has(site)).map((site) => difference(site, 'golden')),
    ],
    sameForm: { equal: sameForm.length, of: common.length },
    steps: compareSteps({ golden, names, quantizers: placement.quantizers, aligned, halved }),
  };
}

function read(folder: string, name: string): Model {
  const xml = path.join(folder, `${name}.xml`);
  const bin = path.join(folder, `${name}.bin`);
  return readIr(readFileSync(xml), existsSync(bin) ? readFileSync(bin) : undefined, { path: xml });
}

function activationQuantizers(model: Model): Node[] {
  const computed = computedNodes(model);
  return model.nodes().filter((n) => isQuantizer(n) && computed.has(n));
}

function sitesOf(quantizer: Node, names?: ReadonlyMap<string, string>): string[] {
  return consumersOf(quantizer).map((c) => `${c.node.type}:${names?.get(c.node.name) ?? c.node.name}#${c.index}`);
}

/** Reverting an operation takes its whole group of quantizers: every site of it has the operation's reason. */
function reasonsOf(pair: GoldenPair, quantizers: readonly Node[], roles: Roles): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const { operation, reason } of pair.floats ?? []) {
    const start = quantizers.find((q) => consumersOf(q).some((c) => c.node.name === operation && c.index === 1));
    if (!start) throw new Error(`${operation} of ${pair.original} has no quantized weights`);
    const group = quantizerGroup(start, roles);
    const names = group.operations.map((node) => node.name).sort();
    for (const member of group.quantizers) {
      for (const site of sitesOf(member)) reasons.set(site, `${names.join(', ')}: ${reason}`);
    }
  }
  return reasons;
}

interface Weighted {
  readonly golden: Model;
  readonly names: ReadonlyMap<string, string>;
  readonly quantizers: readonly Node[];
  readonly aligned: ReadonlySet<string>;
  readonly halved: ReadonlySet<Node>;
}

function compareSteps({ golden, names, quantizers, aligned, halved }: Weighted): Comparison['steps'] {
  const steps = { equal: 0, halved: 0, aligned: 0, other: 0 };
  const ours = new Map(
    quantizers.flatMap((q) =>
      consumersOf(q).flatMap((c) => (isWeightsPort(c.node, c.index) ? [[c.node.name, q] as const] : [])),
    ),
  );
  for (const node of golden.nodes()) {
    const name = names.get(node.name) ?? node.name;
    const quantizer = ours.get(name);
    const port = traitsOf(node).weights?.port;
    const theirs = port === undefined ? undefined : stepsOf(node.source(port));
    if (!quantizer || !theirs || !isConstant(quantizer.source(0))) continue;
    const { absMax } = channelExtremes(quantizedSource(quantizer).fact.value!, channelsOfWeights(quantizer));
    symmetricWeightLimits(absMax).high.forEach((high, c) => {
      const step = theirs[theirs.length === 1 ? 0 : c]!;
      if (isClose(step, high / 127)) steps.equal++;
      else if (isClose(step, (2 * high) / 127) && halved.has(quantizer)) steps.halved++;
      else if (aligned.has(name)) steps.aligned++;
      else steps.other++;
    });
  }
  return steps;
}

/** Equal but for what half precision does to a step: 2^-10 of it, 2^-24 at least. */
function isClose(step: number, ours: number): boolean {
  return Math.abs(step - ours) <= Math.max(2 ** -10 * ours, 2 ** -24);
}

function isWeightsPort(node: Node, index: number): boolean {
  return traitsOf(node).weights?.port === index;
}

/** Steps of stored weights, one for each channel: of a FakeQuantize, or of a scale behind integers. */
function stepsOf(source: OutputPort | undefined): Float64Array | undefined {
  const node = source?.node;
  if (!node || node.type === 'Constant') return undefined;
  if (isQuantizer(node)) {
    const [low, high] = [3, 4].map((i) => constantOf(node.source(i)));
    if (!low || !high) return undefined;
    const lows = toFloat64(low);
    return toFloat64(high).map((h, c) => (h - lows[c]!) / (Number(node.attributes.levels) - 1));
  }
  const scale = node.type === 'Multiply' ? storedOf(node.source(1)) : undefined;
  return scale ?? stepsOf(node.source(0));
}

/** A constant, or one that was stored in half precision. */
function storedOf(port: OutputPort | undefined): Float64Array | undefined {
  const value = constantOf(port) ?? (port?.node.type === 'Convert' ? constantOf(port.node.source(0)) : undefined);
  return value && toFloat64(value);
}
