// Tensors of strings: made of text, and read as text.
import { packStrings, unpackStrings } from './packed-strings.ts';
import type { Shape } from './shape.ts';
import { type Tensor, tensor } from './tensor.ts';

/**
 * A tensor of strings; bytes are taken as they are.
 *
 * @throws {LowpError} `ERR_SHAPE_MISMATCH`, `ERR_LIMIT_SIZE`
 */
export function stringTensor(shape: Shape, values: readonly (string | Uint8Array)[]): Tensor {
  return tensor('string', shape, packStrings(values));
}

/** The UTF-8 of each element, as views. */
export function stringBytes(t: Tensor): Uint8Array[] {
  return unpackStrings(t.data as Uint8Array);
}

/** The elements as text; bytes that are no UTF-8 become U+FFFD. */
export function toStrings(t: Tensor): string[] {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return stringBytes(t).map((bytes) => decoder.decode(bytes));
}
