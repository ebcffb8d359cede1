// How the .bin of an IR lays out elements narrower than a byte, which changed with the version that wrote it.
import type { MetaElement } from '../../graph/model.ts';
import { bitsOf, byteLengthOf, type ElementType } from '../../tensor/element-type.ts';
import { producerVersion } from './version.ts';

/** What differs between the files of one producer and tensors, which are packed from the lowest bits up without gaps. */
export interface Packing {
  /** Types whose first element lies in the highest bits of a byte. */
  readonly highFirst: ReadonlySet<ElementType>;
  /**
   * u3 and u6 lie in groups of 24 bits: two bytes with the lower two thirds of the bits of each element, then one with
   * the upper third, each from the highest bits down.
   */
  readonly split: boolean;
}

/** Versions of OpenVINO from which on elements lie from the lowest bits up: 4 bits, 2 bits, and u3 and u6 without gaps. */
const since = { nibbles: [2024, 0], pairs: [2025, 3], stream: [2026, 4] } as const;

/** The packing of the files of a producer; of an unknown one that of the newest. */
export function packingOf(meta: readonly MetaElement[]): Packing {
  const [, year, minor] = /^(20\d\d)\.(\d+)/.exec(producerVersion(meta) ?? '') ?? [];
  const before = ([y, m]: readonly [number, number]): boolean =>
    year !== undefined && (Number(year) - y || Number(minor) - m) < 0;
  return {
    highFirst: new Set<ElementType>([
      ...(before(since.nibbles) ? (['i4', 'u4'] as const) : []),
      ...(before(since.pairs) ? (['u2'] as const) : []),
    ]),
    split: before(since.stream),
  };
}

const splitTypes: ReadonlySet<ElementType> = new Set(['u3', 'u6']);
const groupBits = 24;

/** Bytes of `count` elements in groups, the last one filled up. */
function splitBytes(type: ElementType, count: number): number {
  return 3 * Math.ceil((count * bitsOf(type)) / groupBits);
}

/** The numbers of bytes that a file may have for `count` elements: two where u3 and u6 do not fill their last group. */
export function storedSizes(type: ElementType, count: number): readonly number[] {
  const dense = byteLengthOf(type, count);
  return splitTypes.has(type) ? [dense, splitBytes(type, count)] : [dense];
}

/** Elements of a file as a tensor has them. Where the size of a u3 or u6 fits one packing only, that is the file's. */
export function unpacked(type: ElementType, count: number, stored: Uint8Array, packing: Packing): Uint8Array {
  if (packing.highFirst.has(type)) return reversed(type, stored);
  if (!splitTypes.has(type)) return stored;
  const [dense, inGroups] = storedSizes(type, count);
  const isSplit = dense === inGroups ? packing.split : stored.length === inGroups;
  return isSplit ? joined(type, count, stored) : stored;
}

/** Elements of a tensor as a file has them. */
export function packed(type: ElementType, count: number, data: Uint8Array, packing: Packing): Uint8Array {
  if (packing.highFirst.has(type)) return reversed(type, data);
  return packing.split && splitTypes.has(type) ? split(type, count, data) : data;
}

/** Every byte with its elements in the opposite order. */
function reversed(type: ElementType, bytes: Uint8Array): Uint8Array {
  const bits = bitsOf(type);
  const mask = 2 ** bits - 1;
  return bytes.map((byte) => {
    let out = 0;
    for (let at = 0; at < 8; at += bits) out = (out << bits) | ((byte >> at) & mask);
    return out;
  });
}

/** The places of the elements of a group: how many there are, and the bits of their two parts. */
function groupOf(type: ElementType): { readonly size: number; readonly lower: number; readonly upper: number } {
  const bits = bitsOf(type);
  return { size: groupBits / bits, lower: (2 * bits) / 3, upper: bits / 3 };
}

/** From groups to a stream of bits. */
function joined(type: ElementType, count: number, stored: Uint8Array): Uint8Array {
  const { size, lower, upper } = groupOf(type);
  const out = new Uint8Array(splitBytes(type, count));
  for (let at = 0; at < stored.length; at += 3) {
    const [low, high] = [(stored[at]! << 8) | stored[at + 1]!, stored[at + 2]!];
    let word = 0;
    for (let i = 0; i < size; i++) {
      const place = size - 1 - i;
      const code =
        ((low >> (lower * place)) & (2 ** lower - 1)) | (((high >> (upper * place)) & (2 ** upper - 1)) << lower);
      word |= code << (i * (lower + upper));
    }
    out.set([word & 255, (word >> 8) & 255, word >> 16], at);
  }
  return out.subarray(0, byteLengthOf(type, count));
}

/** From a stream of bits to groups. */
function split(type: ElementType, count: number, data: Uint8Array): Uint8Array {
  const { size, lower, upper } = groupOf(type);
  const out = new Uint8Array(splitBytes(type, count));
  for (let at = 0; at < out.length; at += 3) {
    const word = (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8) | ((data[at + 2] ?? 0) << 16);
    let [low, high] = [0, 0];
    for (let i = 0; i < size; i++) {
      const code = (word >> (i * (lower + upper))) & (2 ** (lower + upper) - 1);
      low = (low << lower) | (code & (2 ** lower - 1));
      high = (high << upper) | (code >> lower);
    }
    out.set([low >> 8, low & 255, high], at);
  }
  return out;
}
