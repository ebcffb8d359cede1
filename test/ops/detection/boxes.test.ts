import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { overlap, rank, suppress } from '../../../lib/ops/detection/boxes.ts';
import { suppressSoftly } from '../../../lib/ops/detection/soft-suppression.ts';

const score = fc.float({ noNaN: true, noDefaultInfinity: true });

test('rank sorts like a comparison, equal scores by position', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(score, fc.constantFrom(0, -0, 0.5))), (scores) => {
      const expected = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
      assert.deepEqual([...rank(scores)], expected);
      assert.deepEqual([...rank(scores, 2)], expected.slice(0, 2));
    }),
  );
});

test('an overlap needs two boxes that meet; pixels belong to their boxes', () => {
  const boxes = Float64Array.of(0, 0, 2, 2, 1, 0, 3, 2, 2, 0, 4, 2, 2.5, 0, 4, 2);
  assert.equal(overlap(boxes, 0, 1), 1 / 3);
  assert.equal(overlap(boxes, 0, 2), 0);
  assert.equal(overlap(boxes, 0, 2, 1), 3 / 15);
  assert.equal(overlap(boxes, 0, 3, 1), 0);
});

const box = fc.tuple(fc.nat(8), fc.nat(8), fc.nat(8), fc.nat(8)).map(([x, y, w, h]) => [x, y, x + w, y + h]);

test('suppression keeps boxes that do not overlap, and drops a box only for one that it kept', () => {
  fc.assert(
    fc.property(fc.array(box), (list) => {
      const boxes = Float64Array.from(list.flat());
      const kept = [...suppress(boxes, { threshold: 0.5 })];
      for (let i = 0; i < list.length; i++) {
        const better = kept.filter((k) => k < i);
        const clashes = better.some((k) => overlap(boxes, i, k) > 0.5);
        assert.equal(kept.includes(i), !clashes);
      }
    }),
  );
});

test('soft suppression that never drops keeps every box, with scores that did not grow', () => {
  fc.assert(
    fc.property(fc.array(box, { maxLength: 20 }), (list) => {
      const boxes = Float64Array.from(list.flat());
      const before = Float32Array.from(list, (_, i) => 1 / (1 + i));
      const scores = before.slice();
      const s = { sigma: 0.5, dropFrom: Number.POSITIVE_INFINITY, least: 0, most: 99 };
      const kept = [...suppressSoftly(boxes, scores, s)];
      assert.equal(new Set(kept).size, list.length);
      assert.ok(scores.every((v, i) => v <= before[i]!));
      for (let i = 1; i < kept.length; i++) assert.ok(scores[kept[i]!]! <= scores[kept[i - 1]!]!);
    }),
  );
});
