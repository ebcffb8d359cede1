// What sums and products with a constant are inside the epilogue of the operation before them: a bias or a scale per
// channel, or a sum of two tensors.
import { constantOf, type Node } from '../../graph/node.ts';
import { toFloat32 } from '../../tensor/convert.ts';
import { isStatic, type Shape, sameShape } from '../../tensor/shape.ts';
import type { PostOp } from '../define-op.ts';
import { findOp, runtimeOf } from '../registry.ts';

/**
 * An Add whose input `port` comes from the epilogue of `owner`. A constant other operand that varies along the owner's bias
 * axis only is a bias, with one value repeated where it has one, and so is a number where the owner has no such axis; a
 * computed operand of the same shape is a sum, and so is any that has the last axis, repeated along the others.
 */
export function addAsPostOp(node: Node, port: number, owner: Node): PostOp | undefined {
  const own = node.source(port);
  const other = node.source(1 - port);
  if (!own || !other || !sameShape(own.fact.shape, node.output.fact.shape)) return undefined;
  const values = channelValues(node, port, owner);
  if (values) return { kind: 'bias', values, other };
  if (!constantOf(other) && sameShape(own.fact.shape, other.fact.shape)) return { kind: 'add', other };
  const last = other.fact.shape.at(-1);
  return last !== undefined && last === own.fact.shape.at(-1) ? { kind: 'add', other, broadcast: true } : undefined;
}

/** A Multiply by a constant number, or by one for each channel of the epilogue's owner. */
export function multiplyAsPostOp(node: Node, port: number, owner: Node): PostOp | undefined {
  const values = factors(node, port, owner);
  return values && { kind: 'scale', values };
}

/** A Divide of the epilogue's owner by a constant number, or by one for each of its channels. */
export function divideAsPostOp(node: Node, port: number, owner: Node): PostOp | undefined {
  const values = port === 0 ? factors(node, port, owner) : undefined;
  return values?.every((v) => v !== 0) ? { kind: 'scale', values: values.map((v) => 1 / v) } : undefined;
}

/** One factor, or one for each channel. */
function factors(node: Node, port: number, owner: Node): Float32Array | undefined {
  const own = node.source(port);
  const other = node.source(1 - port);
  const value = constantOf(other);
  if (!own || !value || !sameShape(own.fact.shape, node.output.fact.shape)) return undefined;
  if (value.type !== 'f32') return undefined;
  return value.data.length === 1 ? toFloat32(value) : channelValues(node, port, owner);
}

/**
 * The constant operand beside input `port` as one value per channel of the owner's bias axis, if it is that; as one number,
 * if it is that, where the owner has no such axis.
 */
function channelValues(node: Node, port: number, owner: Node): Float32Array | undefined {
  const own = node.source(port)!;
  const value = constantOf(node.source(1 - port));
  const { shape } = own.fact;
  const axis = runtimeOf(owner)?.channelAxis ?? findOp(owner.type, owner.notes.opset)?.quantization?.biasAxis;
  if (!value) return undefined;
  if (axis === undefined) return value.data.length === 1 ? toFloat32(value) : undefined;
  const channels = valuesAlong(shape, axis < 0 ? axis + shape.length : axis, value.shape);
  if (!channels) return undefined;
  const data = toFloat32(value);
  return data.length === channels ? data : new Float32Array(channels).fill(data[0]!);
}

/** The number of channels when a tensor of shape `from` varies along `axis` of `shape` only, or not at all. */
function valuesAlong(shape: Shape, axis: number, from: Shape): number | undefined {
  const channels = shape[axis];
  const shift = shape.length - from.length;
  if (channels === undefined || !isStatic([channels]) || shift < 0) return undefined;
  const fits = from.every((d, i) => d === 1 || (i + shift === axis && d === channels));
  return fits ? channels : undefined;
}
