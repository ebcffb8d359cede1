// The memory of a tensor of strings, as OpenVINO stores it: their number, 0 and where each one ends (i32), then UTF-8.
import { limits } from '../errors/limits.ts';
import { LowpError } from '../errors/lowp-error.ts';

const word = 4;

/** Bytes in front of those of the strings. */
function headerOf(count: number): number {
  return word * (count + 2);
}

/**
 * The memory of a tensor with these strings; bytes are taken as they are.
 *
 * @throws {LowpError} `ERR_LIMIT_SIZE` beyond 2 GB
 */
export function packStrings(values: readonly (string | Uint8Array)[]): Uint8Array {
  const encoder = new TextEncoder();
  const parts = values.map((v) => (typeof v === 'string' ? encoder.encode(v) : v));
  const size = parts.reduce((sum, p) => sum + p.length, headerOf(parts.length));
  if (size > limits.stringBytes.value) {
    throw new LowpError('ERR_LIMIT_SIZE', `strings of ${size} bytes; at most ${limits.stringBytes.value} are held`);
  }
  const data = new Uint8Array(size);
  const view = new DataView(data.buffer);
  view.setInt32(0, parts.length, true);
  let end = 0;
  for (const [i, part] of parts.entries()) {
    data.set(part, headerOf(parts.length) + end);
    end += part.length;
    view.setInt32(word * (i + 2), end, true);
  }
  return data;
}

/** Views on the bytes of each string of a checked memory. */
export function unpackStrings(data: Uint8Array): Uint8Array[] {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const count = view.getInt32(0, true);
  const first = headerOf(count);
  let begin = 0;
  return Array.from({ length: count }, (_, i) => {
    const end = view.getInt32(word * (i + 2), true);
    const part = data.subarray(first + begin, first + end);
    begin = end;
    return part;
  });
}

/** What is wrong with the memory of `count` strings; undefined for nothing. Without strings their number is enough. */
export function faultOfStrings(data: Uint8Array, count: number): string | undefined {
  if (data.length < word) return 'it does not begin with the number of strings';
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const found = view.getInt32(0, true);
  if (found !== count) return `it has ${found} strings, expected ${count}`;
  if (count === 0 && data.length === word) return undefined;
  if (data.length < headerOf(count)) return 'it ends before the places of all strings';
  if (view.getInt32(word, true) !== 0) return 'its first string does not begin at 0';
  let begin = 0;
  for (let i = 0; i < count; i++) {
    const end = view.getInt32(word * (i + 2), true);
    if (end < begin) return `string ${i} ends before it begins`;
    begin = end;
  }
  return begin === data.length - headerOf(count) ? undefined : 'its last string does not end where it ends';
}
