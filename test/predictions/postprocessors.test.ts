import assert from 'node:assert/strict';
import test from 'node:test';
import type { Geometry, Sample } from '../../lib/data/dataset.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { suppress } from '../../lib/predictions/detections.ts';
import { findPostprocessor, type Outputs } from '../../lib/predictions/index.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';

/** An image of 200 × 100 that was halved and moved down by 20 on a canvas of 100 × 90. */
const geometry: Geometry = {
  width: 200,
  height: 100,
  inputWidth: 100,
  inputHeight: 90,
  scaleX: 0.5,
  scaleY: 0.5,
  left: 0,
  top: 20,
};
const sample: Sample = { id: 'a.jpg', inputs: {}, geometry };
const run = (what: Parameters<typeof findPostprocessor>[0], outputs: Outputs, of = sample): Tensor =>
  Object.values(findPostprocessor(what)(outputs, of))[0]!;
const rows = (t: Tensor): number[][] =>
  Array.from({ length: t.shape[0]! }, (_, i) =>
    Array.from(t.data.slice(i * t.shape[1]!, (i + 1) * t.shape[1]!) as Float32Array, (v) => Math.round(v * 1e4) / 1e4),
  );
const refused = (error: unknown) => error instanceof LowpError && error.code === 'ERR_CONFIG_INVALID';

test('decoded YOLO rows become boxes in pixels of the image', () => {
  // cx, cy, w, h, objectness, two classes
  const output = tensor('f32', [1, 2, 7], [50, 45, 20, 10, 0.5, 0.1, 0.8, 50, 45, 20, 10, 0.01, 0.1, 0.8]);
  assert.deepEqual(rows(run('yolo', { output })), [[80, 40, 120, 60, 0.4, 1]]);
});

test('YOLOv8 has candidates as columns and no objectness', () => {
  const output = tensor('f32', [1, 6, 2], [50, 10, 45, 45, 20, 20, 10, 10, 0.1, 0.9, 0.8, 0.2]);
  const found = rows(run({ type: 'yolo', objectness: false, transposed: true }, { output }));
  assert.deepEqual(found, [
    [0, 40, 40, 60, 0.9, 0],
    [80, 40, 120, 60, 0.8, 1],
  ]);
});

test('YOLOX cells: (x + column) · stride, exp(w) · stride', () => {
  // 100 × 90 with stride 50: 2 columns, 1 row. The second cell: centre (1 + 0.5) · 50 = 75, 0.4 · 50 = 20, side 50.
  const output = tensor('f32', [1, 2, 6], [0, 0, 0, 0, 0, 0, 0.5, 0.4, 0, 0, 1, 0.6]);
  assert.deepEqual(rows(run({ type: 'yolo', strides: [50] }, { output })), [[100, -50, 200, 50, 0.6, 0]]);
  assert.throws(() => run({ type: 'yolo', strides: [25] }, { output }), refused);
});

test('scores and corners as fractions', () => {
  const scores = tensor('f32', [1, 2, 2], [0.9, 0.1, 0.2, 0.8]);
  const corners = tensor('f32', [1, 2, 4], [0, 0, 1, 1, 0.1, 0.5, 0.3, 0.6]);
  const what = { type: 'scored-boxes', scores: 's', boxes: 'b', background: 0, score: 0.7 };
  assert.deepEqual(rows(run(what, { s: scores, b: corners })), [[20, 50, 60, 68, 0.8, 1]]);
  assert.throws(() => run({ ...what, boxes: 'c' }, { s: scores, b: corners }), refused);
});

test('the rows of DetectionOutput end at a negative image', () => {
  const output = tensor(
    'f32',
    [1, 1, 3, 7],
    [0, 2, 0.9, 0.1, 0.5, 0.3, 0.6, -1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1],
  );
  assert.deepEqual(rows(run('detection-output', { output })), [[20, 50, 60, 68, 0.9, 2]]);
});

test('suppression keeps the best of boxes of one class that overlap', () => {
  const box = (x1: number, score: number, category: number) => ({ x1, y1: 0, x2: x1 + 10, y2: 10, score, category });
  const boxes = [box(0, 0.5, 0), box(1, 0.9, 0), box(1, 0.8, 1), box(6, 0.4, 0)];
  assert.deepEqual(
    suppress(boxes, 0.5, 10).map((b) => b.score),
    [0.9, 0.8, 0.4],
  );
  assert.equal(suppress(boxes, 0.5, 1).length, 1);
  assert.equal(suppress(boxes, 1, 10).length, 4);
});

test('argmax takes the first of the largest', () => {
  const output = tensor('f32', [1, 3, 1, 2], [1, 5, 3, 5, 3, 4]);
  const map = run('argmax', { output });
  assert.deepEqual([map.type, map.shape, [...(map.data as Int32Array)]], ['i32', [1, 1, 2], [1, 0]]);
  assert.deepEqual(run({ type: 'argmax', axis: -1 }, { output }).shape, [1, 3, 1]);
  assert.throws(() => run({ type: 'argmax', axis: 4 }, { output }), refused);
});

test('the residual is the input without the output', () => {
  const of = { id: 'x', inputs: { x: tensor('f32', [1, 1, 1, 2], [1, 2]) } };
  const image = run('residual', { output: tensor('f32', [1, 1, 1, 2], [0.25, 0.5]) }, of);
  assert.deepEqual(image.data, Float32Array.of(0.75, 1.5));
});

test('unknown names and options, several outputs and data that are no images are refused', () => {
  const output = tensor('f32', [1, 1, 7], new Float32Array(7));
  for (const what of ['yolov3', { type: 'yolo', foo: 1 }, { type: 'yolo', nms: 2 }])
    assert.throws(() => findPostprocessor(what), refused);
  assert.throws(() => run('argmax', { a: output, b: output }), refused);
  assert.throws(() => run('yolo', { output: tensor('f32', [2, 3, 7], new Float32Array(42)) }), refused);
  assert.throws(() => run({ type: 'yolo', strides: [8] }, { output }, { id: 'x', inputs: {} }), refused);
});
