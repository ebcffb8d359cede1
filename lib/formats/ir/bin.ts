// The .bin of an IR: constants as views on it, and writing it with every content once.
import { createHash } from 'node:crypto';
import { LowpError } from '../../errors/lowp-error.ts';
import { bitsOf, type ElementType, viewBytes } from '../../tensor/element-type.ts';
import { faultOfStrings } from '../../tensor/packed-strings.ts';
import { elementCount, formatShape, type Shape } from '../../tensor/shape.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { type Packing, packed, storedSizes, unpacked } from './packing.ts';

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
 * @param packing  of elements narrower than a byte in the file
 * @throws {LowpError} `ERR_IR_CONST_SIZE` when the size does not follow from shape and type, `ERR_IR_WEIGHTS_RANGE` when
 *   the constant lies outside of `bin`, `ERR_SHAPE_OVERFLOW`, `ERR_IO_NOT_FOUND` when there is no `bin`
 */
export function readConstant(bin: Uint8Array | undefined, stored: StoredConstant, packing: Packing): Tensor {
  const { type, shape, size } = stored;
  const count = elementCount(shape);
  if (type === 'string') return strings(bin, stored);
  const sizes = storedSizes(type, count);
  if (!sizes.includes(size)) {
    throw new LowpError(
      'ERR_IR_CONST_SIZE',
      `the constant has ${size} bytes, shape ${formatShape(shape)} of ${type} needs ${sizes[0]}`,
    );
  }
  const bytes = bytesOf(bin, stored);
  if (bitsOf(type) >= 8) return { type, shape, data: viewBytes(type, bytes, 0, count) };
  return { type, shape, data: unpacked(type, count, bytes, packing) };
}

function strings(bin: Uint8Array | undefined, stored: StoredConstant): Tensor {
  const data = bytesOf(bin, stored);
  const fault = faultOfStrings(data, elementCount(stored.shape));
  if (fault === undefined) return tensor('string', stored.shape, data);
  throw new LowpError('ERR_IR_CONST_SIZE', `the constant of strings of shape ${formatShape(stored.shape)}: ${fault}`);
}

/** The bytes of a constant in the file. */
function bytesOf(bin: Uint8Array | undefined, { offset, size }: StoredConstant): Uint8Array {
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
  return bytes.subarray(offset, offset + size);
}

/** Gathers constants for a .bin: equal contents are stored once, every constant is aligned to its element size. */
export class BinWriter {
  readonly #offsets = new Map<string, number>();
  readonly #parts: { readonly bytes: Uint8Array; readonly offset: number }[] = [];
  #length = 0;

  /** Returns where the value is stored. */
  add(value: Tensor, packing: Packing): { readonly offset: number; readonly size: number } {
    const { buffer, byteOffset, byteLength } = value.data;
    const raw = new Uint8Array(buffer, byteOffset, byteLength);
    const bytes = bitsOf(value.type) < 8 ? packed(value.type, elementCount(value.shape), raw, packing) : raw;
    const align = Math.max(1, bitsOf(value.type) / 8);
    const key = `${align}:${bytes.length}:${createHash('sha256').update(bytes).digest('base64')}`;
    let offset = this.#offsets.get(key);
    if (offset === undefined) {
      offset = Math.ceil(this.#length / align) * align;
      this.#offsets.set(key, offset);
      this.#parts.push({ bytes, offset });
      this.#length = offset + bytes.length;
    }
    return { offset, size: bytes.length };
  }

  /** The whole file. */
  finish(): Uint8Array {
    const bin = new Uint8Array(this.#length);
    for (const { bytes, offset } of this.#parts) bin.set(bytes, offset);
    return bin;
  }
}
