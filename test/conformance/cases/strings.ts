/** Cases of operations on strings, and of those that move or compare strings too. */
import type { Shape } from '../../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { f32, i64, type OpCase, typed } from './op-case.ts';

const text = (shape: Shape, ...values: readonly string[]): Tensor => tensor('string', shape, values);
const exact = { attributes: {}, tolerance: 0 } as const;

export const stringCases: readonly OpCase[] = [
  {
    ...exact,
    name: 'StringConcat: with broadcasting, beyond ASCII',
    op: 'StringConcat',
    inputs: [text([2, 1], 'a', '中'), text([2], 'x', '')],
    expected: [text([2, 2], 'ax', 'a', '中x', '中')],
  },
  {
    ...exact,
    name: 'StringSplit: at white space, twice at most',
    op: 'StringSplit',
    attributes: { maxsplit: 2 },
    inputs: [text([], ' the quick  brown fox ')],
    expected: [text([3], 'the', 'quick', 'brown fox '), typed('i64', [], [3])],
    dynamic: true,
  },
  {
    ...exact,
    name: 'StringSplit: at a delimiter, which may leave nothing',
    op: 'StringSplit',
    attributes: { delimiter: '--' },
    inputs: [text([], 'a----b-')],
    expected: [text([3], 'a', '', 'b-'), typed('i64', [], [3])],
    dynamic: true,
  },
  {
    ...exact,
    name: 'StringNormalizer: without some words, in upper case',
    op: 'StringNormalizer',
    attributes: { case_change_action: 'upper', is_case_sensitive: false, stopwords: ['Monday', 'a,b'] },
    inputs: [text([4], 'MONDAY', 'tuesday', 'A,B', 'x')],
    expected: [text([2], 'TUESDAY', 'X')],
    dynamic: true,
  },
  {
    ...exact,
    name: 'StringNormalizer: nothing is left',
    op: 'StringNormalizer',
    attributes: { is_case_sensitive: true, stopwords: ['x'] },
    inputs: [text([1], 'x')],
    expected: [text([1], '')],
    dynamic: true,
  },
  {
    ...exact,
    name: 'RegexFullMatch: from end to end',
    op: 'RegexFullMatch',
    attributes: { pattern: '[a-z]+\\d{2,3}' },
    inputs: [text([2, 2], 'ab12', 'ab1', 'xab12', 'ab12 ')],
    expected: [typed('boolean', [2, 2], [1, 0, 1, 0])],
  },
  {
    ...exact,
    name: 'StringTensorUnpack: places and bytes',
    op: 'StringTensorUnpack',
    inputs: [text([3], 'ab', '', 'é')],
    expected: [typed('i32', [3], [0, 2, 2]), typed('i32', [3], [2, 2, 4]), typed('u8', [4], [0x61, 0x62, 0xc3, 0xa9])],
    dynamic: true,
  },
  {
    ...exact,
    name: 'StringTensorPack: strings may share bytes',
    op: 'StringTensorPack',
    inputs: [typed('i32', [3], [0, 1, 3]), typed('i32', [3], [2, 3, 3]), typed('u8', [3], [0x61, 0x62, 0x63])],
    expected: [text([3], 'ab', 'bc', '')],
  },
  {
    ...exact,
    name: 'Equal: strings',
    op: 'Equal',
    inputs: [text([2, 2], 'a', 'b', 'c', 'a'), text([2], 'a', 'b')],
    expected: [typed('boolean', [2, 2], [1, 1, 0, 0])],
  },
  {
    ...exact,
    name: 'Convert: strings to numbers',
    op: 'Convert',
    attributes: { destination_type: 'f32' },
    inputs: [text([5], '1.5', '-2e2', ' 7 ', 'INF', 'NaN')],
    expected: [f32([5], [1.5, -200, 7, Infinity, NaN])],
  },
  {
    ...exact,
    name: 'Convert: whole numbers to strings',
    op: 'Convert',
    attributes: { destination_type: 'string' },
    inputs: [i64(-3, 9007199254740991)],
    expected: [text([2], '-3', '9007199254740991')],
  },
  {
    ...exact,
    name: 'Transpose: strings',
    op: 'Transpose',
    inputs: [text([2, 2], 'a', 'bb', 'ccc', ''), i64(1, 0)],
    constants: [1],
    expected: [text([2, 2], 'a', 'ccc', 'bb', '')],
  },
  {
    ...exact,
    name: 'Concat: strings',
    op: 'Concat',
    attributes: { axis: 1 },
    inputs: [text([2, 1], 'a', 'b'), text([2, 2], 'c', 'd', 'e', 'f')],
    expected: [text([2, 3], 'a', 'c', 'd', 'b', 'e', 'f')],
  },
  {
    ...exact,
    name: 'Gather: rows of strings',
    op: 'Gather',
    attributes: { batch_dims: 0 },
    inputs: [text([3, 2], 'a', 'b', 'c', 'd', 'e', 'f'), i64(2, 0), typed('i64', [], [0])],
    constants: [1, 2],
    expected: [text([2, 2], 'e', 'f', 'a', 'b')],
  },
];
