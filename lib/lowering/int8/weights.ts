// Finds 8-bit weights behind an input: FakeQuantize on a constant, or Const i8 → Convert → [Subtract] → Multiply.
import { invariant } from '../../errors/assert.ts';
import { constantOf, type Node, type OutputPort } from '../../graph/node.ts';
import { evaluateNode } from '../../ops/evaluate-node.ts';
import { asBytes, toFloat32, toFloat64 } from '../../tensor/convert.ts';
import { bitsOf, type ElementType, isInteger } from '../../tensor/element-type.ts';
import { elementCount, type Shape } from '../../tensor/shape.ts';
import { scalar, type Tensor } from '../../tensor/tensor.ts';

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
 * The scale is read from the chain in front of `port`, from its FakeQuantize or last Multiply. Stored bytes are taken as
 * they are; any other chain is evaluated in doubles, and a value that is not within 0.02 steps of an integer in
 * [−128, 127] refuses the weights.
 */
export function quantizedWeights(port: OutputPort, axis: number, channels: number): WeightsOrReason {
  const chain = chainAbove(port);
  if (!chain) return { reason: 'its weights are not quantized' };
  const steps = scaleOf(chain);
  if (!steps) return { reason: 'its weights are not quantized' };
  if (steps.length !== 1 && steps.length !== channels) {
    return { reason: `its weights have ${steps.length} scales for ${channels} output channels` };
  }
  const scale = Float32Array.from({ length: channels }, (_, c) => steps[steps.length === 1 ? 0 : c]!);
  const layout = layoutOf(port.fact.shape, axis, channels);
  const stored = scale.every(Number.isFinite) ? storedIntegers(chain, layout) : undefined;
  const integers = stored ?? onGrid(toFloat64(evaluatePort(port)), scale, layout);
  if (!integers) return { reason: 'its weights have a zero point or more than 8 bits' };
  return { weights: { ...integers, scale } };
}

/** Where the output channels lie: `outer` runs of `perGroup` channels of `inner` neighbouring elements each. */
interface ChannelLayout {
  readonly channels: number;
  readonly outer: number;
  readonly perGroup: number;
  readonly inner: number;
  /** Axes that a number for each channel may have: the channels' own, and the groups'. */
  readonly axes: readonly number[];
  readonly rank: number;
}

function layoutOf(shape: Shape, axis: number, channels: number): ChannelLayout {
  const [perGroup, inner] = [shape[axis]!, elementCount(shape.slice(axis + 1))];
  const axes = perGroup === channels ? [axis] : [0, axis];
  return { channels, outer: elementCount(shape.slice(0, axis)), perGroup, inner, axes, rank: shape.length };
}

/** Calls `visit` for each run of neighbouring elements of one channel. */
function forEachRun(layout: ChannelLayout, visit: (from: number, to: number, channel: number) => void): void {
  const { channels, outer, perGroup, inner } = layout;
  const runsOfGroup = outer / (channels / perGroup);
  let from = 0;
  for (let o = 0; o < outer; o++) {
    const first = perGroup === channels ? 0 : Math.floor(o / runsOfGroup) * perGroup;
    for (let c = 0; c < perGroup; c++, from += inner) visit(from, from + inner, first + c);
  }
}

/** Most that a quotient may lie beside an integer, in steps. */
const tolerance = 0.02;

/** True for one number, or one for each channel and nothing else. */
function isPerChannel({ shape }: Tensor, layout: ChannelLayout): boolean {
  const count = elementCount(shape);
  const first = layout.rank - shape.length;
  return (
    count === 1 || (count === layout.channels && shape.every((d, i) => d === 1 || layout.axes.includes(first + i)))
  );
}

type Integers = Pick<QuantizedWeights, 'values' | 'sums'>;

/** Real values as multiples of their channel's step; undefined when one of them is no integer in [−128, 127]. */
function onGrid(real: Float64Array, scale: Float32Array, layout: ChannelLayout): Integers | undefined {
  const values = new Int8Array(real.length);
  const sums = new Float64Array(layout.channels);
  let fits = true;
  forEachRun(layout, (from, to, channel) => {
    const step = scale[channel]!;
    for (let i = from; i < to; i++) {
      const q = step === 0 && real[i] === 0 ? 0 : real[i]! / step;
      const rounded = Math.round(q);
      if (!(Math.abs(q - rounded) <= tolerance && rounded >= -128 && rounded <= 127)) fits = false;
      values[i] = rounded;
      sums[channel]! += rounded;
    }
  });
  return fits ? { values, sums } : undefined;
}

/**
 * The stored bytes less their zero point, read as they are, of `Const → Convert → [Subtract] → Multiply`. Undefined for
 * any other chain, and when a difference is no integer in [−128, 127]: then the values themselves decide.
 */
function storedIntegers(chain: readonly Node[], layout: ChannelLayout): Integers | undefined {
  const types = chain.map((n) => n.type).join(' ');
  if (types !== 'Multiply Convert' && types !== 'Multiply Subtract Convert') return undefined;
  const constant = constantOf(chain.at(-1)!.source(0));
  if (!constant || !isByteOrLess(constant.type)) return undefined;
  const stored = asBytes(constant).data as Int8Array | Uint8Array;
  const scale = constantBehindConvert(chain[0]!.source(1));
  const zero = chain.length === 3 ? constantBehindConvert(chain[1]!.source(1)) : scalar('f32', 0);
  if (!scale || !zero || !isPerChannel(scale, layout) || !isPerChannel(zero, layout)) return undefined;
  const zeros = toFloat64(zero);
  if (!zeros.every(Number.isInteger)) return undefined;
  const values = new Int8Array(stored.length);
  const sums = new Float64Array(layout.channels);
  let fits = true;
  forEachRun(layout, (from, to, channel) => {
    const z = zeros[zeros.length === 1 ? 0 : channel]!;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const q = stored[i]! - z;
      if (q < -128 || q > 127) fits = false;
      values[i] = q;
      sum += q;
    }
    sums[channel]! += sum;
  });
  return fits ? { values, sums } : undefined;
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
  if (!multiply || !stored || !isByteOrLess(stored)) return undefined;
  const scale = constantBehindConvert(multiply.source(1));
  return scale && toFloat32(scale);
}

/** Whole numbers that a byte can hold. */
function isByteOrLess(type: ElementType): boolean {
  return isInteger(type) && bitsOf(type) <= 8;
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
