// Copies elements of a tensor to new places without looking at their values: the base of all data movement.
import { LowpError } from '../../errors/lowp-error.ts';
import { codesOf, fromCodes } from '../../tensor/convert.ts';
import { allocate, bitsOf, type ElementType, type TensorData } from '../../tensor/element-type.ts';
import { elementCount, type Shape, stridesOf } from '../../tensor/shape.ts';
import { stringBytes, stringTensor } from '../../tensor/strings.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The bits of elements, `perElement` words each. */
interface Words {
  readonly array: Uint8Array | Uint16Array | Uint32Array;
  readonly perElement: number;
}

/** The memory of a tensor as its words. */
export function wordsOf(data: TensorData): Words {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: bytes } = data;
  if (bytes === 1) return { array: new Uint8Array(buffer, byteOffset, byteLength), perElement: 1 };
  if (bytes === 2) return { array: new Uint16Array(buffer, byteOffset, byteLength / 2), perElement: 1 };
  return { array: new Uint32Array(buffer, byteOffset, byteLength / 4), perElement: bytes / 4 };
}

/** True for elements that share bytes: they are moved as codes of a byte each. */
export function isPacked({ type }: Tensor): boolean {
  return bitsOf(type) < 8 && type !== 'string';
}

/** The codes of a packed tensor, as numbers that can be moved. */
export function unpacked(t: Tensor): Tensor {
  return { type: 'u8', shape: t.shape, data: codesOf(t) };
}

/** A tensor of codes as elements of `type`. */
export function packed({ data, shape }: Tensor, type: ElementType): Tensor {
  return fromCodes(data as Uint8Array, shape, type);
}

/**
 * The tensor of `shape` whose element `i` is element `source[i]` of `t`; a negative index takes `fill` (one element of
 * the same type), or zero.
 */
export function take(t: Tensor, shape: Shape, source: Int32Array, fill?: Tensor): Tensor {
  if (t.type === 'string') return takeStrings(t, shape, source, fill);
  if (isPacked(t)) return packed(take(unpacked(t), shape, source, fill && unpacked(fill)), t.type);
  const data = allocate(t.type, source.length);
  const [to, from] = [wordsOf(data), wordsOf(t.data)];
  const blank = fill && wordsOf(fill.data).array;
  const n = to.perElement;
  for (let i = 0; i < source.length; i++) {
    const at = source[i]!;
    for (let w = 0; w < n; w++) {
      if (at >= 0) to.array[i * n + w] = from.array[at * n + w]!;
      else if (blank) to.array[i * n + w] = blank[w]!;
    }
  }
  return { type: t.type, shape: [...shape], data };
}

function takeStrings(t: Tensor, shape: Shape, source: Int32Array, fill: Tensor | undefined): Tensor {
  const from = stringBytes(t);
  const blank = fill ? stringBytes(fill)[0]! : new Uint8Array(0);
  return stringTensor(
    shape,
    Array.from(source, (at) => (at < 0 ? blank : from[at]!)),
  );
}

/**
 * The tensor of `shape` made of blocks of `block` consecutive elements: block `i` is block `source[i]` of `t`, zeros
 * where that is negative.
 */
export function takeBlocks(t: Tensor, shape: Shape, source: Int32Array, block: number): Tensor {
  if (block === 1) return take(t, shape, source);
  if (t.type === 'string') {
    const all = Int32Array.from({ length: source.length * block }, (_, i) => {
      const at = source[Math.floor(i / block)]!;
      return at < 0 ? -1 : at * block + (i % block);
    });
    return take(t, shape, all);
  }
  if (isPacked(t)) return packed(takeBlocks(unpacked(t), shape, source, block), t.type);
  const data = allocate(t.type, source.length * block);
  const [to, from] = [wordsOf(data), wordsOf(t.data).array];
  const words = block * to.perElement;
  for (const [i, at] of source.entries()) {
    if (at >= 0) to.array.set(from.subarray(at * words, (at + 1) * words), i * words);
  }
  return { type: t.type, shape: [...shape], data };
}

/**
 * Takes by axis: element `[i0, i1, …]` is element `[axes[0][i0], axes[1][i1], …]` of `t`; a negative entry takes `fill`.
 */
export function takeByAxes(t: Tensor, axes: readonly (readonly number[])[], fill?: Tensor): Tensor {
  const strides = stridesOf(t.shape);
  let block = new Int32Array(1);
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    const positions = axes[axis]!;
    const next = new Int32Array(positions.length * block.length);
    let at = 0;
    for (const position of positions) {
      const offset = position * strides[axis]!;
      for (let j = 0; j < block.length; j++) {
        const inner = block[j]!;
        next[at++] = position < 0 || inner < 0 ? -1 : inner + offset;
      }
    }
    block = next;
  }
  return take(
    t,
    axes.map((p) => p.length),
    block,
    fill,
  );
}

/** `[from, from + step, …]`, `count` entries. */
export function sequence(count: number, from = 0, step = 1): number[] {
  return Array.from({ length: count }, (_, i) => from + i * step);
}

/** The same elements under another shape. */
export function withShape(t: Tensor, shape: Shape): Tensor {
  if (elementCount(shape) !== elementCount(t.shape)) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `${elementCount(t.shape)} elements do not fill ${elementCount(shape)}`);
  }
  return { type: t.type, shape: [...shape], data: t.data };
}

/**
 * Lays blocks of elements side by side: `outer` times the next `lengths[i]` elements of each tensor.
 * All tensors have the type of the first one.
 */
export function interleave(parts: readonly Tensor[], outer: number, shape: Shape): Tensor {
  const type = parts[0]!.type;
  if (type === 'string') {
    const strings = parts.map(stringBytes);
    const lines = Array.from({ length: outer }, (_, o) =>
      strings.flatMap((s) => s.slice((o * s.length) / outer, ((o + 1) * s.length) / outer)),
    );
    return stringTensor(shape, lines.flat());
  }
  if (isPacked(parts[0]!)) return packed(interleave(parts.map(unpacked), outer, shape), type);
  const data = allocate(type, elementCount(shape));
  const to = wordsOf(data);
  const from = parts.map((p) => wordsOf(p.data).array);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const array of from) {
      const length = array.length / outer;
      to.array.set(array.subarray(o * length, (o + 1) * length), at);
      at += length;
    }
  }
  return { type, shape: [...shape], data };
}
