/** A constant bias as an input of its product: in 32-bit integers where a runtime can then compute the product in bytes. */
import type { InputPort, Node, OutputPort } from '../../../graph/node.ts';
import type { Grid } from '../../../ops/quantization/moved-grid.ts';
import { roundHalfToEven } from '../../../ops/rounding.ts';
import { toFloat64 } from '../../../tensor/convert.ts';
import { type Shape, sameShape } from '../../../tensor/shape.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { ExportNode } from './export-node.ts';
import { weightScales } from './stored-weights.ts';

/** Scales below the smallest normal number of f32 have lost digits. */
const smallestScale = 2 ** -126;

const largestInteger = 2 ** 31 - 1;

/** Operations that QuantizeLinear passes on its way up to a product: runtimes then run them on bytes. */
const passing = new Set(['MaxPool', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'StridedSlice', 'Slice']);

/** The Add behind a product whose other operand is one constant number per index of `axis`, and that operand. */
export function biasOf(product: Node, axis: number): { readonly add: Node; readonly bias: OutputPort } | undefined {
  const { output } = product;
  const [consumer] = output.consumers;
  const add = consumer?.node;
  if (output.consumers.size !== 1 || add?.type !== 'Add' || !consumer) return undefined;
  const bias = add.source(1 - consumer.index);
  const value = bias?.node.type === 'Constant' ? bias.fact.value : undefined;
  const { shape } = output.fact;
  const channels = shape[axis]!;
  if (!bias || !value || value.type !== output.fact.type || value.data.length !== channels) return undefined;
  const column = shape.map((_, i) => (i === axis ? channels : 1));
  const fits = sameShape(value.shape, column) || sameShape(value.shape, column.slice(1));
  return fits ? { add, bias } : undefined;
}

/**
 * The steps of the integer sums of a product: `scale of input 0 · scale of the weights`, one number or one for each
 * output channel. Undefined when input 0 is not on a grid of the whole tensor or the weights are not stored as integers.
 *
 * @param target  shape of the weights in ONNX
 * @param axis  their axis of output channels
 */
export function productScales(e: ExportNode, target: Shape, axis: number): Float32Array | undefined {
  const grid = e.activations.grids.get(e.port(0));
  const { node } = e.port(1);
  const merged = node.type === 'Reshape' ? node.source(0)?.node : undefined;
  const weights = weightScales(node, target) ?? (merged && weightScales(merged, target));
  if (!grid || !weights || (weights.axis !== undefined && weights.axis !== axis)) return undefined;
  const scales = Float32Array.from(weights.values, (s) => grid.scale * Math.fround(s));
  return scales.every((s) => s >= smallestScale && s < Infinity) ? scales : undefined;
}

/**
 * The name of a bias: `round(bias / scale)` in i32 behind a DequantizeLinear when there are scales and it fits, which
 * changes it by half of a scale at most; else f32.
 */
export function biasInput(e: ExportNode, bias: OutputPort, scales: Float32Array | undefined): string {
  const value = bias.fact.value!;
  const channels = value.data.length;
  const reals = toFloat64(value);
  const integers = scales && reals.map((b, i) => roundHalfToEven(b / scales[scales.length === 1 ? 0 : i]!));
  if (!integers?.every((q) => Math.abs(q) <= largestInteger)) {
    return e.constant(tensor(value.type, [channels], value.data), 'bias');
  }
  const isWhole = scales!.length === 1;
  const inputs = [
    e.constant(tensor('i32', [channels], Int32Array.from(integers)), 'bias/quantized'),
    e.constant(tensor('f32', isWhole ? [] : [channels], scales!), 'bias/scale'),
  ];
  return e.step('DequantizeLinear', inputs, 'bias', isWhole ? {} : { axis: 0n });
}

/**
 * Whether the value is rounded to a grid of the whole tensor before anything else is done with it: the one consumer is
 * its quantizer, but for a clamp that the quantizer makes redundant and for operations that move values.
 */
export function reachesQuantizer(e: ExportNode, port: OutputPort): boolean {
  const clamps: Node[] = [];
  let [consumer, ...others] = port.consumers;
  while (consumer && others.length === 0) {
    const { node, index }: InputPort = consumer;
    const grid = e.activations.pairs.has(node) ? e.activations.grids.get(node.output) : undefined;
    if (grid) return clamps.every((clamp) => isRedundant(clamp, grid));
    if (node.type === 'ReLU' || node.type === 'Clamp') clamps.push(node);
    else if (!passing.has(node.type) || index !== 0) return false;
    [consumer, ...others] = node.output.consumers;
  }
  return false;
}

/** Whether every number of the grid lies inside the clamp. */
function isRedundant(clamp: Node, { scale, zeroPoint }: Grid): boolean {
  if (clamp.type === 'ReLU') return zeroPoint === 0;
  const onGrid = (limit: unknown): number => roundHalfToEven(Number(limit) / scale) + zeroPoint;
  return onGrid(clamp.attributes.min) <= 0 && onGrid(clamp.attributes.max) >= 255;
}
