/** Hand-made cases of recurrent cells and sequences. */
import { f32, type OpCase, typed } from './op-case.ts';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const lengths = (...n: number[]) => typed('i32', [n.length], n);

/** A network that adds its input to its state: all steps can be followed by hand. */
const adding = { hidden_size: 1, activations: 'relu', direction: 'forward' };
const one = f32([1, 1, 1], [1]);

export const recurrentCases: readonly OpCase[] = [
  {
    name: 'LSTMCell: gates f, i, c, o: keep the state, admit nothing, give everything',
    op: 'LSTMCell',
    attributes: { hidden_size: '2' },
    inputs: [
      f32([1, 1], [3]),
      f32([1, 2], [0.5, -0.5]),
      f32([1, 2], [0.25, -2]),
      f32([8, 1], [0, 0, 0, 0, 0, 0, 0, 0]),
      f32([8, 2], new Array(16).fill(0)),
      f32([8], [30, 30, -30, -30, 5, 5, 30, 30]),
    ],
    constants: [3, 4, 5],
    expected: [f32([1, 2], [Math.tanh(0.25), Math.tanh(-2)]), f32([1, 2], [0.25, -2])],
    tolerance: 1e-6,
  },
  {
    name: 'LSTMCell: every gate sees the input and the state, within the clip',
    op: 'LSTMCell',
    attributes: { hidden_size: 1, clip: '1', activations: 'sigmoid, tanh, tanh' },
    inputs: [
      f32([1, 1], [1]),
      f32([1, 1], [2]),
      f32([1, 1], [0.5]),
      f32([4, 1], [1, 2, 3, 4]),
      f32([4, 1], [-1, 0, 1, -2]),
    ],
    expected: (() => {
      const [f, i, c, o] = [sigmoid(-1), sigmoid(1), Math.tanh(1), sigmoid(0)];
      const cell = f * 0.5 + i * c;
      return [f32([1, 1], [o * Math.tanh(cell)]), f32([1, 1], [cell])];
    })(),
    tolerance: 1e-6,
  },
  {
    name: 'LSTMCell-1: gates in another order, peepholes, f tied to i',
    op: 'LSTMCell',
    opset: 'opset1',
    attributes: { hidden_size: 1, weights_format: 'iofc', input_forget: 'true' },
    inputs: [
      f32([1, 1], [1]),
      f32([1, 1], [0]),
      f32([1, 1], [2]),
      f32([4, 1], [0.5, 0.25, 9, 1]),
      f32([4, 1], [1, 1, 1, 1]),
      f32([4], [0, 0, 0, 0]),
      f32([3], [7, 0.125, 0.5]),
    ],
    expected: (() => {
      const i = sigmoid(0.5 + 0.125 * 2);
      const cell = (1 - i) * 2 + i * Math.tanh(1);
      return [f32([1, 1], [sigmoid(0.25 + 0.5 * cell) * Math.tanh(cell)]), f32([1, 1], [cell])];
    })(),
    tolerance: 1e-6,
  },
  {
    name: 'GRUCell: reset in front of the product',
    op: 'GRUCell',
    attributes: { hidden_size: 1 },
    inputs: [
      f32([1, 1], [1]),
      f32([1, 1], [2]),
      f32([3, 1], [1, -1, 0.5]),
      f32([3, 1], [0.5, 1, 3]),
      f32([3], [0, 0.5, -1]),
    ],
    expected: [f32([1, 1], [(1 - sigmoid(2)) * Math.tanh(0.5 + 3 * (sigmoid(1.5) * 2) - 1) + sigmoid(2) * 2])],
    tolerance: 1e-6,
  },
  {
    name: 'GRUCell: reset behind the product and its own bias',
    op: 'GRUCell',
    attributes: { hidden_size: 1, linear_before_reset: 'true' },
    inputs: [
      f32([1, 1], [1]),
      f32([1, 1], [2]),
      f32([3, 1], [1, -1, 0.5]),
      f32([3, 1], [0.5, 1, 3]),
      f32([4], [0, 0.5, -1, -4]),
    ],
    expected: [f32([1, 1], [(1 - sigmoid(2)) * Math.tanh(0.5 - 1 + sigmoid(1.5) * (3 * 2 - 4)) + sigmoid(2) * 2])],
    tolerance: 1e-6,
  },
  {
    name: 'RNNSequence: sums of the steps so far, the shorter sample ends in zeros',
    op: 'RNNSequence',
    attributes: adding,
    inputs: [f32([2, 3, 1], [1, 2, 3, 4, 5, 6]), f32([2, 1, 1], [10, 20]), lengths(3, 2), one, one, f32([1, 1], [0])],
    constants: [2, 3, 4],
    expected: [f32([2, 1, 3, 1], [11, 13, 16, 24, 29, 0]), f32([2, 1, 1], [16, 29])],
    tolerance: 0,
  },
  {
    name: 'RNNSequence: backwards from the last step of each sample',
    op: 'RNNSequence',
    attributes: { ...adding, direction: 'reverse' },
    inputs: [f32([2, 3, 1], [1, 2, 3, 4, 5, 6]), f32([2, 1, 1], [10, 20]), lengths(3, 2), one, one, f32([1, 1], [1])],
    expected: [f32([2, 1, 3, 1], [19, 17, 14, 31, 26, 0]), f32([2, 1, 1], [19, 31])],
    tolerance: 0,
  },
  {
    name: 'RNNSequence: both directions, outputs in the order of time',
    op: 'RNNSequence',
    attributes: { ...adding, direction: 'bidirectional' },
    inputs: [
      f32([1, 3, 1], [1, 2, 3]),
      f32([1, 2, 1], [10, 20]),
      lengths(3),
      f32([2, 1, 1], [1, 2]),
      f32([2, 1, 1], [1, 1]),
      f32([2, 1], [0, 0]),
    ],
    constants: [2, 3, 4, 5],
    expected: [f32([1, 2, 3, 1], [11, 13, 16, 32, 30, 26]), f32([1, 2, 1], [16, 32])],
    tolerance: 0,
  },
  {
    name: 'RNNCell: a weighted sum of input and state',
    op: 'RNNCell',
    attributes: { hidden_size: 2, activations: ['relu'] },
    inputs: [
      f32([1, 1], [3]),
      f32([1, 2], [1, 2]),
      f32([2, 1], [1, -1]),
      f32([2, 2], [10, 100, 1, 1]),
      f32([2], [0.5, 0.25]),
    ],
    expected: [f32([1, 2], [213.5, 0.25])],
    tolerance: 0,
  },
  {
    name: 'LSTMSequence: the state halves at every step, both directions',
    op: 'LSTMSequence',
    attributes: { hidden_size: 1, direction: 'bidirectional' },
    inputs: [
      f32([1, 2, 1], [5, 7]),
      f32([1, 2, 1], [0, 0]),
      f32([1, 2, 1], [4, 8]),
      lengths(2),
      f32([2, 4, 1], new Array(8).fill(0)),
      f32([2, 4, 1], new Array(8).fill(0)),
      f32([2, 4], new Array(8).fill(0)),
    ],
    constants: [3, 4, 5, 6],
    expected: [
      f32([1, 2, 2, 1], [Math.tanh(2) / 2, Math.tanh(1) / 2, Math.tanh(2) / 2, Math.tanh(4) / 2]),
      f32([1, 2, 1], [Math.tanh(1) / 2, Math.tanh(2) / 2]),
      f32([1, 2, 1], [1, 2]),
    ],
    tolerance: 1e-6,
  },
  {
    name: 'GRUSequence: half of the state and half of the candidate',
    op: 'GRUSequence',
    attributes: { hidden_size: 1, direction: 'reverse' },
    inputs: [
      f32([1, 2, 1], [1, 2]),
      f32([1, 1, 1], [4]),
      lengths(2),
      f32([1, 3, 1], [0, 0, 1]),
      f32([1, 3, 1], [0, 0, 0]),
      f32([1, 3], [0, 0, 0]),
    ],
    constants: [2, 3, 4, 5],
    expected: (() => {
      const second = 2 + Math.tanh(2) / 2;
      const first = second / 2 + Math.tanh(1) / 2;
      return [f32([1, 1, 2, 1], [first, second]), f32([1, 1, 1], [first])];
    })(),
    tolerance: 1e-6,
  },
];
