// The .bin of an IR: constants as views on it, and writing it with every content once.
import { createHash } from 'node:crypto';
import { LowpError } from '../../errors/lowp-error.ts';
import { bitsOf, byteLengthOf, type ElementType, viewBytes } from '../../tensor/element-type.ts';
import { elementCount, formatShape, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Where a constant lies, and what it is. */
export interface StoredConstant {
  readonly type: ElementType;
  readonly shape: Shape;
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/**
 * The constant as a view on `bin` where its alignment allows, else as a copy.
 *
 * @param highNibbleFirst  order of 4-bit elements in the file
 * @throws {LowpError} `ERR_IR_CONST_SIZE` when the size does not follow from shape and type, `ERR_IR_WEIGHTS_RANGE` when
 *   the constant lies outside of `bin`, `ERR_SHAPE_OVERFLOW`, `ERR_IO_NOT_FOUND` when there is no `bin`
 */
export function readConstant(bin: Uint8Array | undefined, stored: StoredConstant, highNibbleFirst: boolean): Tensor {
  const { type, shape, offset, size } = stored;
  const count = elementCount(shape);
  const expected = byteLengthOf(type, count);
  if (size !== expected) {
    throw new LowpError(
      'ERR_IR_CONST_SIZE',
      `the constant has ${size} bytes, shape ${formatShape(shape)} of ${type} needs ${expected}`,
    );
  }
  if (size > 0 && !bin) {
    throw new LowpError('ERR_IO_NOT_FOUND', 'the model has constants, but its .bin file was not found', {
      help: 'Put the .bin beside the .xml, with the same name.',
    });
  }
  const bytes = bin ?? new Uint8Array(0);
  if (offset > bytes.length || size > bytes.length - offset) {
    throw new LowpError(
      'ERR_IR_WEIGHTS_RANGE',
      `the constant has the bytes ${offset} to ${offset + size}, the .bin file has ${bytes.length} bytes`,
      { help: 'The .bin is cut off or belongs to another .xml.' },
    );
  }
  const data = viewBytes(type, bytes, offset, count);
  if (bitsOf(type) !== 4 || !highNibbleFirst) return { type, shape, data };
  return { type, shape, data: swapNibbles(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) };
}

/** Exchanges the halves of every byte. */
export function swapNibbles(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (b) => ((b << 4) | (b >> 4)) & 255);
}

/** Gathers constants for a .bin: equal contents are stored once, every constant is aligned to its element size. */
export class BinWriter {
  readonly #offsets = new Map<string, number>();
  readonly #parts: { readonly bytes: Uint8Array; readonly offset: number }[] = [];
  #length = 0;

  /** Returns where the value is stored. */
  add(value: Tensor, highNibbleFirst: boolean): { readonly offset: number; readonly size: number } {
    const { buffer, byteOffset, byteLength } = value.data;
    const raw = new Uint8Array(buffer, byteOffset, byteLength);
    const bytes = bitsOf(value.type) === 4 && highNibbleFirst ? swapNibbles(raw) : raw;
    const align = Math.max(1, bitsOf(value.type) / 8);
    const key = `${align}:${byteLength}:${createHash('sha256').update(bytes).digest('base64')}`;
    let offset = this.#offsets.get(key);
    if (offset === undefined) {
      offset = Math.ceil(this.#length / align) * align;
      this.#offsets.set(key, offset);
      this.#parts.push({ bytes, offset });
      this.#length = offset + byteLength;
    }
    return { offset, size: byteLength };
  }

  /** The whole file. */
  finish(): Uint8Array {
    const bin = new Uint8Array(this.#length);
    for (const { bytes, offset } of this.#parts) bin.set(bytes, offset);
    return bin;
  }
}
