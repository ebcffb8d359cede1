/** Tensors whose elements stay in a file until they are asked for. */
import type { TensorData } from './element-type.ts';
import { elementCount, type Shape } from './shape.ts';
import { type Tensor, tensor } from './tensor.ts';

/**
 * A tensor that reads its elements when they are first used, and again after the garbage collector took them: a model of
 * such tensors takes no memory for them before they are packed for a device. What `read` reads must not change.
 *
 * @param read  gives as many elements as the shape has, of the type's own kind
 */
export function lazyTensor(type: Tensor['type'], shape: Shape, read: () => TensorData): Tensor {
  let kept: WeakRef<TensorData> | undefined;
  const get = (): TensorData => {
    const known = kept?.deref();
    if (known) return known;
    const data = tensor(type, shape, read()).data;
    kept = new WeakRef(data);
    return data;
  };
  return Object.defineProperty({ type, shape: [...shape] }, 'data', { get, enumerable: true }) as unknown as Tensor;
}

function isLazy(t: Tensor): boolean {
  return Object.getOwnPropertyDescriptor(t, 'data')?.get !== undefined;
}

/** The same elements under another shape of as many elements; lazy ones stay so. */
export function reshapedTensor(t: Tensor, shape: Shape): Tensor {
  if (!isLazy(t) || elementCount(shape) !== elementCount(t.shape)) return tensor(t.type, shape, t.data);
  return lazyTensor(t.type, shape, () => t.data);
}

/**
 * The same bytes as elements of a type that is packed into bytes; lazy ones stay so.
 *
 * @param type  whose elements `t.shape` bytes hold exactly as many of as `shape` has
 * @throws {LowpError} `ERR_SHAPE_MISMATCH` when they hold another number, at once unless lazy
 */
export function packedTensor(t: Tensor, type: Tensor['type'], shape: Shape): Tensor {
  return isLazy(t) ? lazyTensor(type, shape, () => t.data) : tensor(type, shape, t.data);
}
