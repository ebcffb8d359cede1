// Finds 8-bit weights behind an input: FakeQuantize on a constant, or Const i8 → Convert → [Subtract] → Multiply.
import { invariant } from '../../errors/assert.ts';
import { constantOf, type Node, type OutputPort } from '../../graph/node.ts';
import { evaluateNode } from '../../ops/evaluate-node.ts';
import { toFloat32, toFloat64 } from '../../tensor/convert.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Weights on a symmetric grid: `real = scale[o] · values`, one scale for each index of the channel axis. */
export interface QuantizedWeights {
  /** In the order of the weights' own shape. */
  readonly values: Int8Array;
  readonly scale: Float32Array;
  /** Sum of the bytes of each channel. */
  readonly sums: Float64Array;
}

/** Weights, or why they cannot be bytes. */
export type WeightsOrReason = { readonly weights: QuantizedWeights } | { readonly reason: string };

/** Types that may stand between the stored constant and the operation. */
const carriers = new Set([
  'Convert',
  'Reshape',
  'Transpose',
  'Subtract',
  'Multiply',
  'FakeQuantize',
  'Unsqueeze',
  'Squeeze',
]);

/**
 * Weights with `channels` output channels on `axis`, or on the first axis (groups) and `axis` together, as signed bytes.
 *
 * The chain in front of `port` is evaluated in doubles, and the scale is read from its FakeQuantize or last Multiply;
 * a value that is not within 0.02 steps of an integer in [−128, 127] refuses the weights.
 */
export function quantizedWeights(port: OutputPort, axis: number, channels: number): WeightsOrReason {
  const chain = chainAbove(port);
  if (!chain) return { reason: 'its weights are not quantized' };
  const steps = scaleOf(chain);
  if (!steps) return { reason: 'its weights are not quantized' };
  if (steps.length !== 1 && steps.length !== channels) {
    return { reason: `its weights have ${steps.length} scales for ${channels} output channels` };
  }
  const real = toFloat64(evaluatePort(port));
  const shape = port.fact.shape;
  const inner = elementCount(shape.slice(axis + 1));
  const perGroup = shape[axis]!;
  const group = perGroup === channels ? Number.POSITIVE_INFINITY : elementCount(shape.slice(1));
  const values = new Int8Array(real.length);
  const sums = new Float64Array(channels);
  const scale = Float32Array.from({ length: channels }, (_, c) => steps[steps.length === 1 ? 0 : c]!);
  for (let i = 0; i < real.length; i++) {
    const channel = Math.floor(i / group) * perGroup + (Math.floor(i / inner) % perGroup);
    const step = scale[channel]!;
    const q = step === 0 && real[i] === 0 ? 0 : real[i]! / step;
    const rounded = Math.round(q);
    if (!(Math.abs(q - rounded) <= 0.02 && rounded >= -128 && rounded <= 127)) {
      return { reason: 'its weights have a zero point or more than 8 bits' };
    }
    values[i] = rounded;
    sums[channel]! += rounded;
  }
  return { weights: { values, scale, sums } };
}

/** The nodes from the operation up to the stored constant, nearest first. */
function chainAbove(port: OutputPort): Node[] | undefined {
  const chain: Node[] = [];
  let node = port.node;
  while (node.type !== 'Constant') {
    if (!carriers.has(node.type)) return undefined;
    chain.push(node);
    const next = node.inputs.find((i) => i.source && (i.index === 0 || !constantOf(node.source(0))))?.source;
    if (!next) return undefined;
    node = next.node;
  }
  return chain.length > 0 ? chain : undefined;
}

/** Grid step per channel (one value when it is the same for all), from the chain's quantizing node. */
function scaleOf(chain: readonly Node[]): Float32Array | undefined {
  const quantizer = chain.find((n) => n.type === 'FakeQuantize');
  if (quantizer) {
    const low = constantOf(quantizer.source(3));
    const high = constantOf(quantizer.source(4));
    const levels = Number(quantizer.attributes.levels);
    if (!low || !high || levels > 256) return undefined;
    const [l, h] = [toFloat64(low), toFloat64(high)];
    const length = Math.max(l.length, h.length);
    return Float32Array.from(
      { length },
      (_, i) => (h[h.length === 1 ? 0 : i]! - l[l.length === 1 ? 0 : i]!) / (levels - 1),
    );
  }
  const multiply = chain.find((n) => n.type === 'Multiply');
  const stored = chain.at(-1)?.source(0)?.fact.type;
  if (!multiply || (stored !== 'i8' && stored !== 'u8')) return undefined;
  const scale = constantBehindConvert(multiply.source(1));
  return scale && toFloat32(scale);
}

/** A constant, or a constant behind Convert. */
function constantBehindConvert(port: OutputPort | undefined): Tensor | undefined {
  if (!port) return undefined;
  return constantOf(port) ?? (port.node.type === 'Convert' ? constantBehindConvert(port.node.source(0)) : undefined);
}

/** The value of a port that depends on constants only. */
export function evaluatePort(port: OutputPort): Tensor {
  const known = constantOf(port);
  if (known) return known;
  const inputs = port.node.inputs.map((i) => i.source && evaluatePort(i.source));
  const outputs = evaluateNode(port.node, inputs);
  invariant(outputs, `${port.node.type} ${port.node.name} cannot be evaluated`);
  return outputs[port.index]!;
}
