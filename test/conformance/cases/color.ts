/** Hand-made cases of images in brightness and color, and of types that are made equal. */
import { f32, type OpCase, typed } from './op-case.ts';

const exact = { attributes: {}, tolerance: 0 };
/** Sums of numbers up to 255 in single precision. */
const near = { attributes: {}, tolerance: 1e-4 };

/** Two columns of grey, two of red (U 90, V 240); brightness row by row. */
const light = [16, 81, 81, 235, 145, 235, 16, 81];
const colored = [
  ...[0, 0, 0, 76, 76, 76, 254, 0, 0, 255, 179, 178],
  ...[150, 150, 150, 255, 255, 255, 179, 0, 0, 254, 0, 0],
];

/** Red of four brightnesses: 1.164 (Y − 16) + 1.596 · 112, + 14.858 − 91.056, − 76.684, inside of 0 to 255. */
const red = [0, 0, 254.412, 178.232, 178.718, 255, 0, 0, 178.752, 0, 0, 254.412];
const grey = [0, 0, 0, 58.2, 58.2, 58.2, 116.4, 116.4, 116.4, 232.8, 232.8, 232.8];

export const colorCases: readonly OpCase[] = [
  {
    ...exact,
    name: 'NV12toRGB: one tensor, bytes',
    op: 'NV12toRGB',
    inputs: [typed('u8', [1, 3, 4, 1], [...light, 128, 128, 90, 240])],
    expected: [typed('u8', [1, 2, 4, 3], colored)],
  },
  {
    ...near,
    name: 'NV12toBGR: two tensors, floats',
    op: 'NV12toBGR',
    inputs: [f32([1, 2, 2, 1], [81, 235, 16, 81]), f32([1, 1, 1, 2], [90, 240])],
    expected: [f32([1, 2, 2, 3], red)],
  },
  {
    ...exact,
    name: 'I420toRGB: one tensor, bytes',
    op: 'I420toRGB',
    inputs: [typed('u8', [1, 3, 4, 1], [...light, 128, 90, 128, 240])],
    expected: [typed('u8', [1, 2, 4, 3], colored)],
  },
  {
    ...near,
    name: 'I420toBGR: three tensors, two images',
    op: 'I420toBGR',
    inputs: [
      f32([2, 2, 2, 1], [81, 235, 16, 81, 16, 66, 116, 216]),
      f32([2, 1, 1, 1], [90, 128]),
      f32([2, 1, 1, 1], [240, 128]),
    ],
    expected: [f32([2, 2, 2, 3], [...red, ...grey])],
  },
  {
    ...exact,
    name: 'ConvertPromoteTypes: a float holds integers of half its bits',
    op: 'ConvertPromoteTypes',
    inputs: [typed('i16', [2], [-300, 7]), f32([1], [0.5])],
    expected: [f32([2], [-300, 7]), f32([1], [0.5])],
  },
  {
    ...exact,
    name: 'ConvertPromoteTypes: signs that differ take twice the bits',
    op: 'ConvertPromoteTypes',
    attributes: { promote_unsafe: 'true' },
    inputs: [typed('u8', [1], [255]), typed('i8', [2], [-1, 5])],
    expected: [typed('i16', [1], [255]), typed('i16', [2], [-1, 5])],
  },
  {
    ...exact,
    name: 'ConvertPromoteTypes: u64 and a signed integer',
    op: 'ConvertPromoteTypes',
    attributes: { promote_unsafe: 'true', u64_integer_promotion_target: 'f64' },
    inputs: [typed('i32', [], [-2]), typed('u64', [2], [3, 4])],
    expected: [typed('f64', [], [-2]), typed('f64', [2], [3, 4])],
  },
  {
    ...exact,
    name: 'ConvertPromoteTypes: a number takes the type of the tensor',
    op: 'ConvertPromoteTypes',
    attributes: { promote_unsafe: 'true', pytorch_scalar_promotion: 'true' },
    inputs: [typed('i64', [], [9]), typed('i32', [2], [1, 2])],
    expected: [typed('i32', [], [9]), typed('i32', [2], [1, 2])],
  },
  {
    ...exact,
    name: 'ConvertPromoteTypes: the wider of two floats',
    op: 'ConvertPromoteTypes',
    inputs: [typed('f64', [1], [0.1]), f32([1], [0.5])],
    expected: [typed('f64', [1], [0.1]), typed('f64', [1], [0.5])],
  },
];
