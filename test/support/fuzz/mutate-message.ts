// Damage to a protobuf message, by its structure: fields, lists, names and numbers.
import type { Random } from '../../../lib/util/random.ts';

/** A place that can be changed. */
interface Slot {
  readonly owner: Record<string, unknown> | unknown[];
  readonly key: string | number;
}

const integers = [
  0n,
  1n,
  -1n,
  2n,
  7n,
  16n,
  64n,
  255n,
  65536n,
  2n ** 31n,
  2n ** 32n,
  2n ** 40n,
  2n ** 62n,
  -(2n ** 63n),
];
const numbers = [0, 1, -1, 2, 7, 10, 16, 64, 255, 65536, 0.5, -0, 1e30, Number.NaN, Number.POSITIVE_INFINITY];
const texts = [
  '',
  'x',
  '__proto__',
  'constructor',
  'ai.onnx',
  'com.microsoft',
  'SAME_UPPER',
  'VALID',
  'linear',
  '../x',
  '\0',
];

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
}

/** All fields and elements below a message. */
function slotsOf(value: unknown, into: Slot[] = [], strings: string[] = []): { slots: Slot[]; strings: string[] } {
  if (typeof value === 'string' && value !== '') strings.push(value);
  if (isList(value)) {
    for (const [key, item] of value.entries()) {
      into.push({ owner: value, key });
      slotsOf(item, into, strings);
    }
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (key.startsWith('$') || key === 'case') continue;
      into.push({ owner: value, key });
      slotsOf(item, into, strings);
    }
  }
  return { slots: into, strings };
}

function pick<T>(list: readonly T[], r: Random): T {
  return list[r.int(0, list.length)]!;
}

function changedBytes(bytes: Uint8Array, r: Random): Uint8Array {
  if (r.int(0, 2) === 0) return bytes.slice(0, r.int(0, bytes.length + 1));
  const out = new Uint8Array(bytes.length + r.int(0, 3));
  out.set(bytes);
  if (out.length > 0) out[r.int(0, out.length)] = r.int(0, 256);
  return out;
}

function changedList(list: unknown[], r: Random): void {
  if (list.length === 0) return;
  const at = r.int(0, list.length);
  const kind = r.int(0, 4);
  if (kind === 0) list.splice(at, 1);
  else if (kind === 1) list.splice(at, 0, list[r.int(0, list.length)]);
  else if (kind === 2) list.push(...list.slice(at));
  else list.reverse();
}

/** Changes one to three places of `message` itself. The result may be one that cannot be encoded. */
export function mutateMessage(message: object, r: Random): void {
  for (let i = r.int(1, 4); i > 0; i--) {
    const { slots, strings } = slotsOf(message);
    if (slots.length === 0) return;
    const { owner, key } = pick(slots, r);
    const holder = owner as Record<string | number, unknown>;
    const value = holder[key];
    if (typeof value === 'bigint') holder[key] = r.int(0, 3) === 0 ? value + BigInt(r.int(-3, 4)) : pick(integers, r);
    else if (typeof value === 'number') holder[key] = r.int(0, 3) === 0 ? value + r.int(-3, 4) : pick(numbers, r);
    else if (typeof value === 'string') holder[key] = r.int(0, 3) === 0 ? pick(texts, r) : pick([...strings, ''], r);
    else if (value instanceof Uint8Array) holder[key] = changedBytes(value, r);
    else if (isList(value)) changedList(value, r);
    else if (isObject(value) && !isList(owner)) holder[key] = undefined;
  }
}
