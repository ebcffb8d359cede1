import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BoundedMultiset,
  distinctNumbers as distinctIn,
  type MultisetState,
} from '../../lib/statistics/bounded-multiset.ts';
import { random } from '../../lib/util/random.ts';

const distinctNumbers = distinctIn(1);

function multisetOf(values: Iterable<number>, limit = distinctNumbers): BoundedMultiset {
  const multiset = new BoundedMultiset(limit);
  for (const v of values) multiset.add(v);
  return multiset;
}

function plain({ dropped, keys, counts }: MultisetState): unknown {
  return { dropped, keys: [...keys], counts: [...counts] };
}

function normals(count: number, seed: number): Float32Array {
  const r = random(seed);
  return Float32Array.from({ length: count }, () => 3 * r.normal());
}

describe('a bounded multiset', () => {
  it('keeps up to 4096 different numbers exactly, in order, with one zero', () => {
    const values = normals(distinctNumbers, 1);
    const { values: kept, counts, total } = multisetOf([...values, ...values]).counted();
    assert.deepEqual(
      [...kept],
      [...new Set(values)].sort((a, b) => a - b),
    );
    assert.ok(counts.every((c) => c === 2));
    assert.equal(total, 2 * distinctNumbers);
    assert.deepEqual(plain(multisetOf([0, -0, 0]).state()), plain(multisetOf([-0, -0, 0]).state()));
    assert.deepEqual(
      [...multisetOf([-1, 0, 1e-45, -3.4e38]).counted().values],
      [-3.4e38, -1, 0, 1e-45].map(Math.fround),
    );
  });

  it('beyond that stands for every number within the error that it states', () => {
    const values = normals(60_000, 2);
    const multiset = multisetOf(values);
    const { dropped, keys } = multiset.state();
    assert.ok(dropped > 0 && keys.length <= distinctNumbers);
    const { values: kept, counts, total } = multiset.counted();
    assert.equal(total, values.length);
    const sorted = values.slice().sort();
    let at = 0;
    for (const [i, v] of kept.entries()) {
      for (let n = 0; n < counts[i]!; n++, at++) {
        const error = Math.abs(sorted[at]! - v) / Math.abs(sorted[at]!);
        assert.ok(error <= 2 ** (dropped - 24), `${sorted[at]} became ${v}`);
      }
    }
  });

  it('has fewer entries where there are many channels, and holds them whatever comes', () => {
    assert.deepEqual([1, 16, 17, 64, 128, 5000].map(distinctIn), [4096, 4096, 3855, 1024, 512, 512]);
    const r = random(8);
    const wild = Float32Array.from({ length: 20_000 }, () => (r.next() - 0.5) * 2 ** r.int(-140, 128));
    const { keys, counts } = multisetOf(wild, 512).state();
    assert.ok(keys.length <= 512);
    assert.equal(
      counts.reduce((a, b) => a + b, 0),
      wild.length,
    );
    assert.ok(multisetOf(wild, 512).counted().values.every(Number.isFinite));
  });

  it('drops as few bits as possible', () => {
    const { dropped, keys } = multisetOf(normals(30_000, 3)).state();
    const finer = new Set(Array.from(normals(30_000, 3), (v) => multisetKey(v) >>> (dropped - 1)));
    assert.ok(finer.size > distinctNumbers && keys.length <= distinctNumbers);
  });

  it('is the same in any order and however its parts are merged', () => {
    for (const [count, seed] of [
      [3, 4],
      [5000, 5],
      [40_000, 6],
    ] as const) {
      const values = normals(count, seed);
      const whole = plain(multisetOf(values).state());
      assert.deepEqual(plain(multisetOf(values.toReversed()).state()), whole);
      assert.deepEqual(plain(multisetOf(values.toSorted()).state()), whole);
      const cut = Math.floor(count / 7);
      const [left, right] = [multisetOf(values.slice(0, cut)), multisetOf(values.slice(cut))];
      const merged = multisetOf([]);
      merged.merge(right.state());
      merged.merge(left.state());
      assert.deepEqual(plain(merged.state()), whole);
    }
  });
});

/** The order-preserving integer of a float, written out once more. */
function multisetKey(value: number): number {
  const bits = new DataView(Float32Array.of(value).buffer).getUint32(0, true);
  return bits >= 2 ** 31 ? 2 ** 32 - 1 - bits : bits + 2 ** 31;
}
