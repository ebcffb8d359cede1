// Damage to a file that knows nothing of its structure.
import type { Random } from '../../../lib/util/random.ts';

function spliced(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length - remove + insert.length);
  out.set(bytes.subarray(0, at));
  out.set(insert, at);
  out.set(bytes.subarray(at + remove), at + insert.length);
  return out;
}

/** One to four changes: a byte, a bit, a cut, a piece inserted, repeated or removed. */
export function mutateBytes(bytes: Uint8Array, r: Random): Uint8Array {
  let out = Uint8Array.from(bytes);
  for (let i = r.int(1, 5); i > 0; i--) {
    if (out.length === 0) return out;
    const at = r.int(0, out.length);
    const length = Math.min(r.int(1, 17), out.length - at);
    switch (r.int(0, 6)) {
      case 0:
        out[at] = r.int(0, 256);
        break;
      case 1:
        out[at] = out[at]! ^ (1 << r.int(0, 8));
        break;
      case 2:
        out = out.slice(0, at);
        break;
      case 3:
        out = spliced(
          out,
          at,
          0,
          Uint8Array.from({ length }, () => r.int(0, 256)),
        );
        break;
      case 4:
        out = spliced(out, at, 0, out.slice(r.int(0, out.length)).subarray(0, length));
        break;
      default:
        out = spliced(out, at, length, new Uint8Array(0));
    }
  }
  return out;
}
