// The numbers of many samples in bounded memory: exact while few are different, then rounded, never sampled.

/**
 * Different numbers that are told apart in each of so many channels: 4096 for up to 16 of them, and never fewer than 512,
 * so that all channels together stay below a few megabytes whatever the number of samples.
 */
export function distinctNumbers(channels: number): number {
  return Math.min(4096, Math.max(512, Math.floor(2 ** 16 / channels)));
}

/** Numbers in ascending order with how often each occurs. */
export interface Counted {
  readonly values: Float64Array;
  readonly counts: Uint32Array;
  /** Sum of the counts. */
  readonly total: number;
}

/** What a multiset holds: ascending keys without their lowest `dropped` bits, and how often each occurs. */
export interface MultisetState {
  readonly dropped: number;
  readonly keys: Uint32Array;
  readonly counts: Uint32Array;
}

/**
 * A multiset of finite floats with a bounded number of different entries.
 *
 * A number is kept as the 32-bit integer that orders floats. While no more different ones came than the limit, all are
 * exact. Beyond, the fewest low bits are dropped that leave no more entries: with k bits dropped, a number stands for itself within
 * 2^(k−1) units in the last place, that is a relative error of at most 2^(k−24). Numbers spread evenly over one octave drop
 * 11 bits for 4096 entries, an error of 1.2e-4.
 *
 * The state depends only on which numbers came and how often: entries at a given k only become more, so the least k that
 * suffices for all of them is never passed on the way. Order, grouping and merging do not matter.
 */
export class BoundedMultiset {
  private readonly limit: number;
  private dropped = 0;
  private keys = new Uint32Array(0);
  private counts = new Uint32Array(0);
  private pending = new Uint32Array(16);
  private waiting = 0;

  /** @param limit  most different entries, at least the 512 that dropping 23 bits leaves */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Adds a finite number. */
  add(value: number): void {
    if (this.waiting === this.limit) this.settle();
    if (this.waiting === this.pending.length) {
      const longer = new Uint32Array(Math.min(this.limit, this.pending.length * 2));
      longer.set(this.pending);
      this.pending = longer;
    }
    this.pending[this.waiting++] = keyOf(value);
  }

  merge(other: MultisetState): void {
    this.settle();
    const dropped = Math.max(this.dropped, other.dropped);
    this.drop(dropped - this.dropped);
    const theirs = dropBits(other.keys, other.counts, dropped - other.dropped);
    this.unite(theirs.keys, theirs.counts);
  }

  state(): MultisetState {
    this.settle();
    return { dropped: this.dropped, keys: this.keys, counts: this.counts };
  }

  counted(): Counted {
    const { keys, counts, dropped } = this.state();
    return {
      values: Float64Array.from(keys, (key) => numberOf(key, dropped)),
      counts,
      total: counts.reduce((a, b) => a + b, 0),
    };
  }

  private settle(): void {
    if (this.waiting === 0) return;
    const sorted = this.pending.slice(0, this.waiting).sort();
    this.waiting = 0;
    const { keys, counts } = dropBits(sorted, new Uint32Array(sorted.length).fill(1), this.dropped);
    this.unite(keys, counts);
  }

  /** Takes ascending keys that have as many bits as the own ones. */
  private unite(keys: Uint32Array, counts: Uint32Array): void {
    const all = merged({ keys: this.keys, counts: this.counts }, { keys, counts });
    this.keys = all.keys;
    this.counts = all.counts;
    while (this.keys.length > this.limit) this.drop(1);
  }

  private drop(bits: number): void {
    if (bits === 0) return;
    const { keys, counts } = dropBits(this.keys, this.counts, bits);
    this.keys = keys;
    this.counts = counts;
    this.dropped += bits;
  }
}

interface Entries {
  readonly keys: Uint32Array<ArrayBuffer>;
  readonly counts: Uint32Array<ArrayBuffer>;
}

/** Ascending keys, possibly repeated, without their lowest bits, each once. */
function dropBits(keys: Uint32Array, counts: Uint32Array, bits: number): Entries {
  const outKeys = new Uint32Array(keys.length);
  const outCounts = new Uint32Array(keys.length);
  let length = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]! >>> bits;
    if (length === 0 || outKeys[length - 1] !== key) outKeys[length++] = key;
    outCounts[length - 1]! += counts[i]!;
  }
  return { keys: outKeys.slice(0, length), counts: outCounts.slice(0, length) };
}

/** Two ascending lists as one. */
function merged(a: { keys: Uint32Array; counts: Uint32Array }, b: typeof a): Entries {
  const keys = new Uint32Array(a.keys.length + b.keys.length);
  const counts = new Uint32Array(keys.length);
  let [i, j, length] = [0, 0, 0];
  while (i < a.keys.length || j < b.keys.length) {
    const left = i < a.keys.length ? a.keys[i]! : Number.POSITIVE_INFINITY;
    const right = j < b.keys.length ? b.keys[j]! : Number.POSITIVE_INFINITY;
    keys[length] = Math.min(left, right);
    counts[length++] = (left <= right ? a.counts[i++]! : 0) + (right <= left ? b.counts[j++]! : 0);
  }
  return { keys: keys.slice(0, length), counts: counts.slice(0, length) };
}

const float = new Float32Array(1);
const bitsOfFloat = new Uint32Array(float.buffer);

/** Integers in the order of the floats: negative ones complemented, positive ones above them. Zero has one sign. */
function keyOf(value: number): number {
  float[0] = value + 0;
  const bits = bitsOfFloat[0]!;
  return (bits & 0x80000000 ? ~bits : bits | 0x80000000) >>> 0;
}

/** The middle of the floats that share a key. */
function numberOf(key: number, dropped: number): number {
  const whole = ((key << dropped) | (dropped > 0 ? 1 << (dropped - 1) : 0)) >>> 0;
  bitsOfFloat[0] = whole & 0x80000000 ? whole ^ 0x80000000 : ~whole;
  return float[0]!;
}
