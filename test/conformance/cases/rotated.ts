/** Hand-made cases of turned boxes and regions. */
import { f32, type OpCase, typed } from './op-case.ts';

/** Around one point: 4 × 2, the same turned by a right angle (they share 4 of 12), and one moved by 1 (6 of 10); one far away. */
const boxes = f32([1, 4, 5], [0, 0, 4, 2, 0, 0, 0, 4, 2, Math.PI / 2, 1, 0, 4, 2, 0, 9, 9, 2, 2, 1]);
const scores = f32([1, 1, 4], [0.9, 0.8, 0.7, 0.95]);
const limits = (most: number, share: number, score: number) => [
  typed('i64', [], [most]),
  f32([], [share]),
  f32([], [score]),
];

/** Two bars along the diagonal that goes down to the right, the second two further: they share 2 of 6. */
const bars = f32([1, 2, 5], [0, 0, 4, 1, Math.PI / 4, Math.SQRT2, Math.SQRT2, 4, 1, Math.PI / 4]);

const nms = { op: 'NMSRotated', tolerance: 0, constants: [2, 3, 4], dynamic: true } as const;
const rows = (...list: readonly (readonly [box: number, score: number])[]) => [
  typed(
    'i64',
    [list.length, 3],
    list.flatMap(([box]) => [0, 0, box]),
  ),
  f32(
    [list.length, 3],
    list.flatMap(([, score]) => [0, 0, score]),
  ),
  typed('i64', [1], [list.length]),
];

/** 10 times the row plus the column: between pixels it is linear. */
const map = f32([1, 1, 4, 4], [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33]);
const region = {
  op: 'ROIAlignRotated',
  inputs: [map, f32([1, 5], [2, 2, 2, 2, Math.PI / 2]), typed('i64', [1], [0])],
  tolerance: 1e-5,
} as const;
const pooled = { pooled_h: '2', pooled_w: '2', sampling_ratio: '1', spatial_scale: '1' };

export const rotatedCases: readonly OpCase[] = [
  {
    ...nms,
    name: 'NMSRotated: a third is not too much, six tenths are',
    attributes: {},
    inputs: [boxes, scores, ...limits(9, 0.5, 0.1)],
    expected: rows([3, 0.95], [0, 0.9], [1, 0.8]),
  },
  {
    ...nms,
    name: 'NMSRotated: at most two, by class, as i32',
    attributes: { sort_result_descending: 'false', output_type: 'i32' },
    inputs: [boxes, f32([1, 1, 4], [0.9, 0.8, 0.7, 0.1]), ...limits(2, 0.3, 0)],
    expected: rows([0, 0.9], [3, 0.1]).map((t) =>
      t.type === 'f32' ? t : typed('i32', t.shape, [...t.data].map(Number)),
    ),
  },
  {
    ...nms,
    name: 'NMSRotated: clockwise the bars overlap',
    attributes: { clockwise: 'true' },
    inputs: [bars, f32([1, 1, 2], [0.5, 0.25]), ...limits(9, 0.3, 0)],
    expected: rows([0, 0.5]),
  },
  {
    ...nms,
    name: 'NMSRotated: counterclockwise the bars are side by side',
    attributes: { clockwise: 'false' },
    inputs: [bars, f32([1, 1, 2], [0.5, 0.25]), ...limits(9, 0.3, 0)],
    expected: rows([0, 0.5], [1, 0.25]),
  },
  {
    ...region,
    name: 'ROIAlignRotated: a right angle counterclockwise',
    attributes: pooled,
    expected: [f32([1, 1, 2, 2], [21, 11, 22, 12])],
  },
  {
    ...region,
    name: 'ROIAlignRotated: a right angle clockwise',
    attributes: { ...pooled, clockwise_mode: 'true' },
    expected: [f32([1, 1, 2, 2], [12, 22, 11, 21])],
  },
  {
    ...region,
    name: 'ROIAlignRotated: half the scale, as many samples as pixels',
    attributes: { pooled_h: '1', pooled_w: '1', sampling_ratio: '0', spatial_scale: '0.5' },
    inputs: [map, f32([1, 5], [4, 4, 4, 4, 0]), typed('i64', [1], [0])],
    expected: [f32([1, 1, 1, 1], [16.5])],
  },
];
