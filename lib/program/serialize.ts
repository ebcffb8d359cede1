// Programs as the bytes that the native side decodes.
import { type Buffer, type Program, programTypes } from './program.ts';

/** First four bytes of a program: `LOWP` read as a little-endian word. */
export const programMagic = 0x50574f4c;
/** Raised with every change of the layout; the native side refuses others. */
export const programVersion = 1;

const kinds = ['input', 'output', 'constant', 'temporary'] as const;
const absent = 0xffffffff;

/** A program as bytes, and its constants apart so that they need not be copied into the bytes. */
export interface SerializedProgram {
  readonly bytes: Uint8Array;
  /** By the constant index that the buffer table names. */
  readonly constants: readonly Uint8Array[];
}

/**
 * Program bytes, little-endian, every field a 32-bit word:
 *
 * ```
 * header   magic, version, string count, buffer count, call count
 * strings  each: byte length, UTF-8 padded to a multiple of 4
 * buffers  each: kind (0 input, 1 output, 2 constant, 3 temporary), type, elements low, elements high,
 *          name string or 0xffffffff, constant index or 0xffffffff, rank, sizes
 * calls    each: kernel string, name string, input count, buffer or 0xffffffff…, output count, buffer…,
 *          params byte length, params (a multiple of 4)
 * ```
 *
 * Inputs and outputs carry their name and shape; other buffers have rank 0. Decoding trusts nothing.
 */
export function serialize(program: Program): SerializedProgram {
  const strings = new Map<string, number>();
  const stringId = (text: string): number => {
    const known = strings.get(text);
    if (known !== undefined) return known;
    strings.set(text, strings.size);
    return strings.size - 1;
  };
  const constants: Uint8Array[] = [];
  const words: number[] = [];
  const body: (number | Uint8Array)[] = [];
  for (const buffer of program.buffers) body.push(...bufferWords(buffer, stringId, constants));
  for (const call of program.calls) {
    body.push(stringId(call.kernel), stringId(call.name));
    body.push(call.inputs.length, ...call.inputs.map((id) => id ?? absent));
    body.push(call.outputs.length, ...call.outputs);
    body.push(call.params.length, call.params);
  }
  words.push(programMagic, programVersion, strings.size, program.buffers.length, program.calls.length);
  const parts: (number | Uint8Array)[] = [...words];
  for (const text of strings.keys()) {
    const utf8 = new TextEncoder().encode(text);
    const padded = new Uint8Array(Math.ceil(utf8.length / 4) * 4);
    padded.set(utf8);
    parts.push(utf8.length, padded);
  }
  return { bytes: join([...parts, ...body]), constants };
}

function bufferWords(buffer: Buffer, stringId: (text: string) => number, constants: Uint8Array[]): number[] {
  const words = [
    kinds.indexOf(buffer.kind),
    programTypes.indexOf(buffer.type),
    buffer.elements >>> 0,
    Math.floor(buffer.elements / 2 ** 32),
  ];
  if (buffer.kind === 'input' || buffer.kind === 'output') {
    return [...words, stringId(buffer.name), absent, buffer.shape.length, ...buffer.shape];
  }
  if (buffer.kind !== 'constant') return [...words, absent, absent, 0];
  constants.push(new Uint8Array(buffer.data.buffer, buffer.data.byteOffset, buffer.data.byteLength));
  return [...words, absent, constants.length - 1, 0];
}

function join(parts: readonly (number | Uint8Array)[]): Uint8Array {
  const size = parts.reduce<number>((sum, p) => sum + (typeof p === 'number' ? 4 : p.length), 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'number') {
      view.setUint32(at, part >>> 0, true);
      at += 4;
    } else {
      bytes.set(part, at);
      at += part.length;
    }
  }
  return bytes;
}
