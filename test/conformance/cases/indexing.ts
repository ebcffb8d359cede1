/** Hand-made cases of operations that pick, order and count elements, and of those on bits. */
import { f32, i64, type OpCase, typed } from './op-case.ts';

const exact = { attributes: {}, tolerance: 0 };

const scalar = (value: number) => typed('i64', [], [value]);

const data = f32([2, 3], [5, 1, 5, 2, 7, 7]);

/** 5 and -4 with other operands. */
function bits(op: string, other: readonly number[], expected: readonly number[]): OpCase[] {
  const inputs = [typed('i32', [2], [5, -4]), typed('i32', [2], other)];
  return [{ ...exact, name: `${op}: two's complement`, op, inputs, expected: [typed('i32', [2], expected)] }];
}

export const indexingCases: readonly OpCase[] = [
  {
    ...exact,
    name: 'TopK: the larger two, of equal ones the first',
    op: 'TopK',
    attributes: { axis: '-1', mode: 'max', sort: 'value', index_element_type: 'i64' },
    inputs: [data, scalar(2)],
    constants: [1],
    expected: [f32([2, 2], [5, 5, 7, 7]), typed('i64', [2, 2], [0, 2, 1, 2])],
  },
  {
    ...exact,
    name: 'TopK: the smallest of each column, in the order of rows',
    op: 'TopK',
    opset: 'opset1',
    attributes: { axis: '0', mode: 'min', sort: 'index' },
    inputs: [data, scalar(2)],
    constants: [1],
    expected: [data, typed('i32', [2, 3], [0, 0, 0, 1, 1, 1])],
  },
  {
    ...exact,
    name: 'CumSum: backwards, without the element itself',
    op: 'CumSum',
    attributes: { exclusive: 'true', reverse: 'true' },
    inputs: [f32([2, 3], [1, 2, 3, 4, 5, 6]), scalar(1)],
    constants: [1],
    expected: [f32([2, 3], [5, 3, 0, 11, 6, 0])],
  },
  {
    ...exact,
    name: 'GatherElements: one index for each element',
    op: 'GatherElements',
    attributes: { axis: '1' },
    inputs: [data, typed('i64', [2, 2], [2, 1, -1, 0])],
    constants: [1],
    expected: [f32([2, 2], [5, 1, 7, 2])],
  },
  {
    ...exact,
    name: 'GatherND: rows and elements of a batch',
    op: 'GatherND',
    attributes: { batch_dims: '1' },
    inputs: [f32([2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]), typed('i64', [2, 1], [1, 0])],
    constants: [1],
    expected: [f32([2, 2], [2, 3, 4, 5])],
  },
  {
    ...exact,
    name: 'GatherND: revision 5 joins the batch axes',
    op: 'GatherND',
    opset: 'opset5',
    attributes: { batch_dims: '2' },
    inputs: [f32([2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]), typed('i64', [2, 2, 1], [1, 0, 0, 1])],
    constants: [1],
    expected: [f32([4], [1, 2, 4, 7])],
  },
  {
    ...exact,
    name: 'ReverseSequence: the first elements of each row',
    op: 'ReverseSequence',
    inputs: [f32([2, 3], [1, 2, 3, 4, 5, 6]), i64(2, 3)],
    constants: [1],
    expected: [f32([2, 3], [2, 1, 3, 6, 5, 4])],
  },
  {
    ...exact,
    name: 'NonZero: positions in row-major order',
    op: 'NonZero',
    inputs: [f32([2, 3], [0, 1, 0, -2, 0, 3])],
    expected: [typed('i64', [2, 3], [0, 1, 1, 1, 0, 2])],
  },
  {
    ...exact,
    name: 'Unique: in order of value',
    op: 'Unique',
    inputs: [f32([2, 3], [2, 1, 1, 3, 4, 3])],
    expected: [f32([4], [1, 2, 3, 4]), i64(1, 0, 3, 4), i64(1, 0, 0, 2, 3, 2), i64(2, 1, 2, 1)],
  },
  {
    ...exact,
    name: 'Unique: rows in order of appearance',
    op: 'Unique',
    attributes: { sorted: 'false', index_element_type: 'i32', count_element_type: 'i32' },
    inputs: [f32([3, 2], [2, 3, 1, 0, 2, 3]), scalar(0)],
    constants: [1],
    expected: [
      f32([2, 2], [2, 3, 1, 0]),
      typed('i32', [2], [0, 1]),
      typed('i32', [3], [0, 1, 0]),
      typed('i32', [2], [2, 1]),
    ],
  },
  {
    ...exact,
    name: 'Eye: a diagonal below the main one',
    op: 'Eye',
    attributes: { output_type: 'f32' },
    inputs: [scalar(3), scalar(2), scalar(-1)],
    constants: [0, 1, 2],
    expected: [f32([3, 2], [0, 0, 1, 0, 0, 1])],
  },
  {
    ...exact,
    name: 'ScatterElementsUpdate: sums of updates alone',
    op: 'ScatterElementsUpdate',
    attributes: { reduction: 'sum', use_init_val: 'false' },
    inputs: [f32([1, 3], [1, 2, 3]), typed('i64', [1, 3], [1, 1, 0]), f32([1, 3], [10, 20, 30]), scalar(1)],
    constants: [1, 3],
    expected: [f32([1, 3], [30, 30, 3])],
  },
  {
    ...exact,
    name: 'ScatterElementsUpdate: mean with what was there',
    op: 'ScatterElementsUpdate',
    attributes: { reduction: 'mean' },
    inputs: [f32([1, 3], [1, 2, 3]), typed('i64', [1, 3], [1, 1, 0]), f32([1, 3], [10, 21, 31]), scalar(1)],
    constants: [1, 3],
    expected: [f32([1, 3], [16, 11, 3])],
  },
  {
    ...exact,
    name: 'ScatterNDUpdate: the smaller element stays',
    op: 'ScatterNDUpdate',
    attributes: { reduction: 'min' },
    inputs: [f32([2, 2], [1, 2, 3, 4]), typed('i64', [1, 1], [1]), f32([1, 2], [0, 9])],
    constants: [1],
    expected: [f32([2, 2], [1, 2, 0, 4])],
  },
  ...bits('BitwiseAnd', [2, -1], [0, -4]),
  ...bits('BitwiseOr', [2, -1], [7, -1]),
  ...bits('BitwiseXor', [2, -1], [7, 3]),
  ...bits('BitwiseLeftShift', [4, 1], [80, -8]),
  ...bits('BitwiseRightShift', [1, 1], [2, -2]),
  {
    ...exact,
    name: 'BitwiseNot: unsigned bytes',
    op: 'BitwiseNot',
    inputs: [typed('u8', [3], [0, 1, 255])],
    expected: [typed('u8', [3], [255, 254, 0])],
  },
  {
    ...exact,
    name: 'IsNaN',
    op: 'IsNaN',
    inputs: [f32([3], [Number.NaN, 1, Infinity])],
    expected: [typed('boolean', [3], [1, 0, 0])],
  },
  {
    ...exact,
    name: 'IsFinite',
    op: 'IsFinite',
    inputs: [f32([3], [Number.NaN, 1, -Infinity])],
    expected: [typed('boolean', [3], [0, 1, 0])],
  },
  {
    ...exact,
    name: 'IsInf: negative ones only',
    op: 'IsInf',
    attributes: { detect_positive: 'false' },
    inputs: [f32([4], [Number.NaN, 1, Infinity, -Infinity])],
    expected: [typed('boolean', [4], [0, 0, 0, 1])],
  },
];
