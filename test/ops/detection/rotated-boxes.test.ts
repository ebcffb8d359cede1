import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { overlap } from '../../../lib/ops/detection/boxes.ts';
import { rotatedOverlap } from '../../../lib/ops/detection/rotated-boxes.ts';

const iou = (a: readonly number[], b: readonly number[]) => rotatedOverlap(Float64Array.from([...a, ...b]), 0, 1);
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

test('a square and itself turned by an eighth share an octagon', () => {
  const octagon = 8 * Math.tan(Math.PI / 8);
  near(iou([3, 1, 2, 2, 0], [3, 1, 2, 2, Math.PI / 4]), octagon / (8 - octagon));
});

test('a box inside of another one, beside it, and without area', () => {
  near(iou([0, 0, 8, 8, 0.3], [0.5, 0.25, 2, 1, 1]), 2 / 64);
  near(iou([0, 0, 2, 2, 0.5], [9, 0, 2, 2, 0.25]), 0);
  near(iou([0, 0, 0, 2, 0], [0, 0, 2, 2, 0]), 0);
});

const place = fc.double({ min: -4, max: 4, noNaN: true });
const size = fc.double({ min: 0.1, max: 6, noNaN: true });
const angle = fc.double({ min: -7, max: 7, noNaN: true });
const box = fc.tuple(place, place, size, size, angle);

test('the order of two boxes, a common turn and half a turn of one change nothing', () => {
  fc.assert(
    fc.property(box, box, angle, (a, b, turn) => {
      const share = iou(a, b);
      assert.ok(share >= 0 && share <= 1 + 1e-9);
      near(iou(b, a), share);
      near(iou(a, [b[0], b[1], b[2], b[3], b[4] + Math.PI]), share);
      const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
      const turned = ([x, y, w, h, t]: readonly number[]) => [
        x! * cos - y! * sin,
        x! * sin + y! * cos,
        w!,
        h!,
        t! + turn,
      ];
      near(iou(turned(a), turned(b)), share);
    }),
  );
});

test('boxes that are not turned overlap as upright ones do', () => {
  fc.assert(
    fc.property(box, box, (a, b) => {
      const corners = Float64Array.from([a, b].flatMap(([x, y, w, h]) => [x - w / 2, y - h / 2, x + w / 2, y + h / 2]));
      near(iou([...a.slice(0, 4), 0], [...b.slice(0, 4), 0]), overlap(corners, 0, 1));
    }),
  );
});
