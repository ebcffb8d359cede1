// Models of half precision computed in f32, and models of f32 stored in half precision.
import { setAttributes, setConstant } from '../../graph/edit.ts';
import type { Model } from '../../graph/model.ts';
import type { InputPort, Node } from '../../graph/node.ts';
import { convert, toFloat32 } from '../../tensor/convert.ts';
import { bitsOf, type ElementType } from '../../tensor/element-type.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { inferModel } from '../infer-model.ts';

/** Largest finite f16. */
const largestHalf = 65504;

function isHalf(type: unknown): type is 'f16' | 'bf16' {
  return type === 'f16' || type === 'bf16';
}

/**
 * Makes a model that computes in f16 or bf16, as IR version 10 does for FP16, compute in f32: inputs, constants and
 * element types among the attributes. Constants remember their type in `notes.storedAs`. Constants in front of a Convert
 * stay as they are; zero points of weights that are 0 but for the noise of half precision become 0. Returns how many
 * nodes changed.
 */
export function promoteHalf(model: Model): number {
  let count = 0;
  for (const node of model.nodes()) if (promoteNode(node)) count++;
  if (count > 0) inferModel(model);
  return count;
}

function promoteNode(node: Node): boolean {
  if (node.type === 'Constant') return promoteConstant(node);
  const changed = Object.entries(node.attributes).filter(([, value]) => isHalf(value));
  if (changed.length === 0) return false;
  setAttributes(node, { ...node.attributes, ...Object.fromEntries(changed.map(([key]) => [key, 'f32'])) });
  if (node.type === 'Parameter') node.output.fact = { type: 'f32', shape: node.output.fact.shape };
  return true;
}

function promoteConstant(node: Node): boolean {
  const value = node.output.fact.value;
  if (!value || !isHalf(value.type)) return false;
  const consumers = [...node.output.consumers];
  if (consumers.length > 0 && consumers.every((c) => c.node.type === 'Convert')) return false;
  node.notes = { ...node.notes, storedAs: value.type };
  const isZeroPoint = consumers.length > 0 && consumers.every((c) => c.index === 1 && isWeightsSubtract(c.node));
  const wide = convert(value, 'f32');
  setConstant(node, isZeroPoint ? withoutNoise(wide) : wide);
  return true;
}

/** Below it `q − z` is q in half precision for every integer q but 0: half the distance from 1 to its neighbour. */
const zeroPointNoise = 2 ** -12;

/**
 * Zero points of stored weights that half precision cannot tell from 0 in any difference with an integer. Real files
 * have 2⁻¹⁷ where 0 is meant; in f32 it would shift the sum of a window by as much as its inputs add up to.
 */
function withoutNoise(zeroPoints: Tensor): Tensor {
  const data = toFloat32(zeroPoints).map((z) => (Math.abs(z) < zeroPointNoise ? 0 : z));
  return { ...zeroPoints, data };
}

/** The Subtract of stored weights and their zero points. */
function isWeightsSubtract(node: Node): boolean {
  return node.type === 'Subtract' && isDequantization(node);
}

/**
 * Marks the f32 constants that a model stored in f16 holds in f16: all but single numbers, inputs of FakeQuantize (other
 * weights would fall on other steps of the grid), the scales and zero points of quantized weights, and constants with
 * values beyond ±65504. Returns how many.
 */
export function markForHalf(model: Model): number {
  let count = 0;
  for (const node of model.nodeById.values()) {
    const value = node.type === 'Constant' ? node.output.fact.value : undefined;
    if (value?.type !== 'f32' || value.data.length < 2) continue;
    if ([...node.output.consumers].some(needsFloat)) continue;
    if (toFloat32(value).some((v) => Math.abs(v) > largestHalf)) continue;
    node.notes = { ...node.notes, storedAs: 'f16' };
    count++;
  }
  return count;
}

/** Forgets in which types constants were stored. */
export function forgetStoredTypes(model: Model): void {
  for (const node of model.nodeById.values()) {
    const { storedAs, ...notes } = node.notes;
    if (storedAs) node.notes = notes;
  }
}

function needsFloat(consumer: InputPort): boolean {
  const { node } = consumer;
  if (node.type === 'FakeQuantize') return true;
  return (node.type === 'Multiply' || node.type === 'Subtract') && isDequantization(node);
}

/** A product or difference whose other operand comes from stored numbers of 8 bits or less. */
function isDequantization(node: Node): boolean {
  return node.inputs.some((input) => {
    const above = input.source?.node;
    const producer = above?.type === 'Subtract' ? above.source(0)?.node : above;
    const stored = producer?.type === 'Convert' ? producer.source(0)?.node : undefined;
    return stored?.type === 'Constant' && isQuantizedStorage(stored.output.fact.type);
  });
}

/** Element types in which quantized weights are stored: whole numbers and floats of 8 bits or less. */
export function isQuantizedStorage(type: ElementType): boolean {
  return bitsOf(type) <= 8 && type !== 'boolean';
}
