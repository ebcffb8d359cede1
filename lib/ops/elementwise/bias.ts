// What an Add is inside the epilogue of the operation before it: a bias per channel, or a sum of two tensors.
import { constantOf, type Node } from '../../graph/node.ts';
import { toFloat32 } from '../../tensor/convert.ts';
import { isStatic, type Shape, sameShape } from '../../tensor/shape.ts';
import type { PostOp } from '../define-op.ts';
import { findOp } from '../registry.ts';

/**
 * An Add whose input `port` comes from the epilogue's owner. A constant other operand that varies along the owner's bias
 * axis only is a bias, with one value repeated where it has one; a computed one of the same shape is a sum.
 */
export function addAsPostOp(node: Node, port: number): PostOp | undefined {
  const own = node.source(port);
  const other = node.source(1 - port);
  if (!own || !other || !sameShape(own.fact.shape, node.output.fact.shape)) return undefined;
  const value = constantOf(other);
  if (!value) return sameShape(own.fact.shape, other.fact.shape) ? { kind: 'add', other } : undefined;
  const axis = findOp(own.node.type, own.node.notes.opset)?.quantization?.biasAxis;
  if (axis === undefined) return undefined;
  const values = valuesAlong(own.fact.shape, axis < 0 ? axis + own.fact.shape.length : axis, value.shape);
  if (!values) return undefined;
  const data = toFloat32(value);
  return { kind: 'bias', values: data.length === values ? data : new Float32Array(values).fill(data[0]!) };
}

/** The number of channels when a tensor of shape `from` varies along `axis` of `shape` only, or not at all. */
function valuesAlong(shape: Shape, axis: number, from: Shape): number | undefined {
  const channels = shape[axis];
  const shift = shape.length - from.length;
  if (channels === undefined || !isStatic([channels]) || shift < 0) return undefined;
  const fits = from.every((d, i) => d === 1 || (i + shift === axis && d === channels));
  return fits ? channels : undefined;
}
