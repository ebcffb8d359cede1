import assert from 'node:assert/strict';
import test from 'node:test';
import { getOp } from '../../../lib/ops/index.ts';
import type { ElementType } from '../../../lib/tensor/element-type.ts';
import type { Shape } from '../../../lib/tensor/shape.ts';

const infer = (op: string, shapes: readonly Shape[], type: ElementType = 'u8') =>
  getOp(op, 'opset8').infer(
    {},
    shapes.map((shape) => ({ type, shape })),
  )[0]!.shape;

test('sizes that are not known pass through, those of color fill in those of brightness', () => {
  assert.deepEqual(infer('NV12toRGB', [[-1, -1, 640, 1]]), [-1, -1, 640, 3]);
  assert.deepEqual(infer('I420toBGR', [[-1, 720, -1, 1]]), [-1, 480, -1, 3]);
  assert.deepEqual(
    infer('NV12toBGR', [
      [1, -1, -1, 1],
      [-1, 240, 320, 2],
    ]),
    [1, 480, 640, 3],
  );
});

test('images that do not fit are refused', () => {
  const mismatch = { code: 'ERR_SHAPE_MISMATCH' };
  assert.throws(() => infer('NV12toRGB', [[1, 4, 4, 1]]), { ...mismatch, message: /4 rows/ });
  assert.throws(() => infer('NV12toRGB', [[1, 3, 5, 1]]), { ...mismatch, message: /2 × 5/ });
  assert.throws(() => infer('NV12toRGB', [[1, 3, 4, 3]]), mismatch);
  assert.throws(
    () =>
      infer('NV12toRGB', [
        [1, 2, 4, 1],
        [1, 1, 2, 1],
      ]),
    mismatch,
  );
  assert.throws(
    () =>
      infer('I420toRGB', [
        [1, 2, 4, 1],
        [1, 1, 2, 1],
        [1, 2, 2, 1],
      ]),
    mismatch,
  );
  assert.throws(
    () =>
      infer('I420toRGB', [
        [1, 2, 4, 1],
        [1, 1, 2, 1],
      ]),
    { code: 'ERR_OP_INPUTS' },
  );
  assert.throws(() => infer('NV12toRGB', [[1, 3, 4]]), { code: 'ERR_SHAPE_RANK' });
  assert.throws(() => infer('NV12toRGB', [[1, 3, 4, 1]], 'i32'), { code: 'ERR_TYPE_UNSUPPORTED' });
});
